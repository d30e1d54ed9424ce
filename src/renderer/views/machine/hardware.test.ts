import { expect, test } from 'vitest'
import type { MachineProfile } from '../../../profiles'
import { loadMachine } from '../../../profiles'
import { changedIds, fieldOfError, hardwareFields, withField } from './hardware'

const base: MachineProfile = {
  format: 'pagewalk-machine',
  version: 1,
  name: 'two',
  kernel: { series: '6.12' },
  hardware: { kind: 'q35' },
  nodes: [
    { size: '4G', cpus: '0-1' },
    { size: '512M', cpus: '2-3' },
  ],
  distances: [
    [10, 21],
    [21, 10],
  ],
  devices: [{ path: '/dev/vdb', size: '1G', kind: 'virtio', use: 'swap' }],
}
const edited = (id: string, text: string, from = base): MachineProfile => {
  const next = withField(from, id, text)
  if (!next.ok) throw new Error(next.error.message)
  return next.value
}
const valueOf = (profile: MachineProfile, id: string): string => {
  const field = hardwareFields(profile).find((other) => other.id === id)
  return field ? `${field.value} ${field.unit}`.trim() : 'absent'
}

test('sizes are shown in the unit that has no fraction', () => {
  expect([valueOf(base, 'size.0'), valueOf(base, 'size.1'), valueOf(base, 'holeStart')]).toEqual([
    '4 GiB',
    '512 MiB',
    '2 GiB',
  ])
})

test.each([
  ['size.0', '8', 'size.0', '8 GiB'],
  ['size.0', '768M', 'size.0', '768 MiB'],
  ['cpus.0', '4', 'cpus.1', '2'],
  ['holeStart', '3', 'holeStart', '3 GiB'],
  ['series', '6.1', 'mglru', 'false'],
  ['swapKind', 'hdd', 'swap.readNs', '8000 µs'],
  ['swap.readNs', '12.5', 'swap.readNs', '12.5 µs'],
  ['swapKind', '', 'swapSize', 'absent'],
  ['tlb', 'zen4', 'stlb', '3072'],
  ['stlb', '768', 'dtlb', '64'],
  ['pcid', 'false', 'tlb', 'skylake-sp'],
  ['pti', 'on', 'pti', 'on'],
  ['nodes', '3', 'size.2', '512 MiB'],
])('%s = %s makes %s %s', (id, text, shown, value) => {
  const next = edited(id, text)
  expect(valueOf(next, shown)).toBe(value)
  expect(changedIds(base, next).has(id)).toBe(true)
  expect(loadMachine(JSON.stringify(next), 'x').ok).toBe(true)
})

test('a TLB whose sets do not fit is refused at its field, with a number that does', () => {
  const loaded = loadMachine(JSON.stringify(edited('stlb', '1000')), 'x')
  expect(loaded.ok).toBe(false)
  if (loaded.ok) return
  expect(loaded.error.fix).toContain('use 768 entries')
  expect(fieldOfError(hardwareFields(base), loaded.error.where)).toBe('stlb')
  expect(withField(base, 'dtlb', 'many')).toMatchObject({ ok: false, error: { code: 'hardware/number' } })
})

test('CPUs are numbered through without gaps, whatever one node gets', () => {
  expect(edited('cpus.0', '4').nodes.map((node) => node.cpus)).toEqual(['0-3', '4-5'])
})

test('a distance holds both ways', () => {
  expect(edited('distance.0.1', '31').distances).toEqual([
    [10, 31],
    [31, 10],
  ])
})

test('memory of a captured machine is laid out anew once it is changed', () => {
  const captured: MachineProfile = {
    ...base,
    hardware: {},
    nodes: [{ ranges: [{ startBytes: 0x100000, endBytes: 0x20000000 }], cpus: '0' }],
    distances: [[10]],
    firmware: [{ startBytes: 0x100000, endBytes: 0x20000000, type: 'usable' }],
    reservations: [],
  }
  const next = edited('size.0', '1G', captured)
  expect([next.firmware, next.reservations, next.nodes]).toEqual([undefined, undefined, [{ size: '1G', cpus: '0' }]])
})

test('a count that no machine has is refused with what would be taken', () => {
  expect(withField(base, 'nodes', '')).toMatchObject({ ok: false, error: { fix: 'Use 1 to 32.' } })
})

test('what is no size goes into the profile, and its refusal finds the field again', () => {
  const next = edited('size.1', 'lots')
  const loaded = loadMachine(JSON.stringify(next), 'profile')
  expect(loaded.ok).toBe(false)
  if (!loaded.ok) expect(fieldOfError(hardwareFields(next), loaded.error.where)).toBe('size.1')
})
