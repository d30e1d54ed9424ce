/** The hardware of a profile as fields that a person types into, and a profile with one field changed. Pure. */
import type { MachineProfile, ProfileDevice, ProfileNode } from '../../../profiles'
import { DEVICE_KINDS, DEVICE_SPEED, hardwareKind, lowMemory, nodeSize, parseSize, spellSize } from '../../../profiles'
import type { Result } from '../../../util/result'
import { ok, userError } from '../../../util/result'
import { GIB, MIB, NS_PER_US } from '../../../util/units'
import { cpuFields, withCpuField } from './hardware-cpu'
import { cpuCount, distancesOf, withCpuCounts, withNodeCount, withNodeShape, withoutCapture } from './hardware-nodes'

export type FieldGroup = 'board' | 'nodes' | 'cpu' | 'kernel' | 'swap'
export interface HardwareField {
  readonly id: string
  readonly group: FieldGroup
  readonly label: string
  readonly isKernelName?: boolean
  readonly value: string
  readonly unit: string
  readonly options?: readonly { readonly value: string; readonly label: string }[]
  /** Where a refusal of the profile names this field: 'nodes[0].size'. */
  readonly where: string
}

const NODES_MAX = 32
const CPUS_MAX = 256
const NEW_SWAP_SIZE = '1G'

const list = (...values: readonly string[]): { value: string; label: string }[] =>
  values.map((value) => ({ value, label: value }))

/** A size as figure and unit; a text that is none stays as it was typed. */
function sizeParts(text: string): { value: string; unit: string } {
  const bytes = parseSize(text)
  if (bytes === undefined) return { value: text, unit: '' }
  if (bytes !== 0 && bytes % GIB === 0) return { value: String(bytes / GIB), unit: 'GiB' }
  return { value: String(Number((bytes / MIB).toFixed(3))), unit: 'MiB' }
}

/** What a person types beside a unit: a bare number is in that unit, anything else speaks for itself. */
const typedSize = (text: string, unit: string): string =>
  /^\s*\d+(\.\d+)?\s*$/.test(text) && text.trim() !== '0' ? `${text.trim()}${unit === 'GiB' ? 'G' : 'M'}` : text.trim()

const nodeSizeText = (node: ProfileNode): string => node.size ?? spellSize(nodeSize(node))
export const swapDevice = (profile: MachineProfile): ProfileDevice | undefined =>
  profile.devices?.find((device) => device.use === 'swap')

function boardFields(profile: MachineProfile): HardwareField[] {
  const isCaptured = profile.nodes.some((node) => node.ranges)
  const hole = profile.hardware?.holeStart ?? (isCaptured ? '' : spellSize(lowMemory(profile)))
  return [
    { id: 'nodes', group: 'board', label: 'Nodes', value: String(profile.nodes.length), unit: '', where: 'nodes' },
    {
      id: 'kind',
      group: 'board',
      label: 'Board',
      value: hardwareKind(profile),
      unit: '',
      options: list('pc', 'q35', 'i440fx', 'firecracker'),
      where: 'hardware.kind',
    },
    { id: 'holeStart', group: 'board', label: 'RAM < 4 GiB', ...sizeParts(hole), where: 'hardware.holeStart' },
  ].map((field) => field as HardwareField)
}

const nodeFields = (profile: MachineProfile): HardwareField[] =>
  profile.nodes.flatMap((node, i): HardwareField[] => [
    {
      id: `size.${i}`,
      group: 'nodes',
      label: `RAM, node ${i}`,
      ...sizeParts(nodeSizeText(node)),
      where: `nodes[${i}].size`,
    },
    {
      id: `cpus.${i}`,
      group: 'nodes',
      label: `CPUs, node ${i}`,
      value: String(cpuCount(node)),
      unit: '',
      where: `nodes[${i}].cpus`,
    },
  ])

const THP_DEFAULT = 'default'
function kernelFields({ kernel }: MachineProfile): HardwareField[] {
  const mglru = kernel.mglru ?? kernel.series === '6.12'
  return [
    {
      id: 'series',
      group: 'kernel',
      label: 'Kernel',
      value: kernel.series,
      unit: '',
      options: list('6.12', '6.1'),
      where: 'kernel.series',
    },
    {
      id: 'kernelcore',
      group: 'kernel',
      label: 'kernelcore=',
      isKernelName: true,
      value: kernel.kernelcore ?? '',
      unit: '',
      where: 'kernel.kernelcore',
    },
    {
      id: 'movablecore',
      group: 'kernel',
      label: 'movablecore=',
      isKernelName: true,
      value: kernel.movablecore ?? '',
      unit: '',
      where: 'kernel.movablecore',
    },
    {
      id: 'thp',
      group: 'kernel',
      label: 'Huge pages',
      value: kernel.transparentHugepage ?? '',
      unit: '',
      options: [{ value: '', label: THP_DEFAULT }, ...list('always', 'madvise', 'never')],
      where: 'kernel.transparentHugepage',
    },
    {
      id: 'mglru',
      group: 'kernel',
      label: 'LRU',
      value: String(mglru),
      unit: '',
      options: [
        { value: 'true', label: 'MGLRU' },
        { value: 'false', label: 'classic' },
      ],
      where: 'kernel.mglru',
    },
  ]
}

function swapFields(profile: MachineProfile): HardwareField[] {
  const device = swapDevice(profile)
  const at = profile.devices?.findIndex((other) => other === device) ?? -1
  const kind: HardwareField = {
    id: 'swapKind',
    group: 'swap',
    label: device ? `Swap ${device.path.replace('/dev/', '')}` : 'Swap device',
    value: device?.kind ?? '',
    unit: '',
    options: [{ value: '', label: 'none' }, ...list(...DEVICE_KINDS)],
    where: `devices[${at}].kind`,
  }
  if (!device) return [kind]
  const latency = (id: 'readNs' | 'writeNs', label: string): HardwareField => ({
    id: `swap.${id}`,
    group: 'swap',
    label,
    value: String((device[id] ?? DEVICE_SPEED[device.kind][id]) / NS_PER_US),
    unit: 'µs',
    where: `devices[${at}].${id}`,
  })
  return [
    kind,
    { id: 'swapSize', group: 'swap', label: 'Swap size', ...sizeParts(device.size), where: `devices[${at}].size` },
    latency('readNs', 'Read, 4 KiB'),
    latency('writeNs', 'Write, 4 KiB'),
  ]
}

export const hardwareFields = (profile: MachineProfile): readonly HardwareField[] => [
  ...boardFields(profile),
  ...nodeFields(profile),
  ...kernelFields(profile),
  ...cpuFields(profile),
  ...swapFields(profile),
]

/** Ids of what differs from the machine that the edit began with. */
export function changedIds(base: MachineProfile, draft: MachineProfile): ReadonlySet<string> {
  const before = new Map(hardwareFields(base).map((field) => [field.id, `${field.value} ${field.unit}`]))
  const ids = hardwareFields(draft)
    .filter((field) => before.get(field.id) !== `${field.value} ${field.unit}`)
    // What the board's rule makes of more memory is not a change that somebody made.
    .filter((field) => field.id !== 'holeStart' || base.hardware?.holeStart !== draft.hardware?.holeStart)
    .map((field) => field.id)
  const old = distancesOf(base)
  for (const [i, row] of distancesOf(draft).entries())
    for (const [j, distance] of row.entries()) {
      const was = old[i]?.[j]
      if (was !== undefined && was !== distance && i < j) ids.push(`distance.${i}.${j}`)
    }
  if (swapDevice(base) && !swapDevice(draft)) ids.push('swapSize')
  return new Set(ids)
}

// ---------------------------------------------------------------- changes

function whole(text: string, where: string, range: { min: number; max: number }): Result<number> {
  const n = /^\s*\d+\s*$/.test(text) ? Number(text) : NaN
  if (n >= range.min && n <= range.max) return ok(n)
  return userError(
    'hardware/number',
    where,
    `${text === '' ? 'Nothing' : text} is no count.`,
    `Use ${range.min} to ${range.max}.`,
  )
}

/** Sets a field that may be absent; '' takes it away. */
function withOptional<T extends object, K extends keyof T>(from: T, key: K, value: T[K] | ''): T {
  const { [key]: _old, ...rest } = from
  return (value === '' ? rest : { ...rest, [key]: value }) as T
}

function withSwapKind(profile: MachineProfile, kind: string): MachineProfile {
  const devices = profile.devices ?? []
  const old = swapDevice(profile)
  if (kind === '') return { ...profile, devices: devices.filter((device) => device !== old) }
  const named = kind as ProfileDevice['kind']
  if (old) {
    // Latencies of its own belonged to the other kind.
    const { readNs: _read, writeNs: _write, perPageNs: _page, ...bare } = old
    return { ...profile, devices: devices.map((device) => (device === old ? { ...bare, kind: named } : device)) }
  }
  const taken = new Set(devices.map((device) => device.path))
  const letter = [...'bcdefghijklmnopqrstuvwxyz'].find((c) => !taken.has(`/dev/vd${c}`)) ?? 'z'
  return {
    ...profile,
    devices: [
      ...devices,
      { path: `/dev/vd${letter}`, size: NEW_SWAP_SIZE, kind: named, use: 'swap', swapOnAtBoot: true },
    ],
  }
}

function withLatency(profile: MachineProfile, name: 'readNs' | 'writeNs', text: string): Result<MachineProfile> {
  const ns = /^\s*\d+(\.\d+)?\s*$/.test(text) ? Math.round(Number(text) * NS_PER_US) : NaN
  if (!(ns >= 0))
    return userError(
      'hardware/latency',
      `devices: ${name}`,
      `${text === '' ? 'Nothing' : text} is no time.`,
      'Use microseconds, such as 60.',
    )
  const device = swapDevice(profile)
  const devices = (profile.devices ?? []).map((other) => (other === device ? { ...other, [name]: ns } : other))
  return ok({ ...profile, devices })
}

function withDistance(profile: MachineProfile, at: { i: number; j: number }, distance: number): MachineProfile {
  const distances = distancesOf(profile).map((row) => [...row])
  distances[at.i]![at.j] = distance
  distances[at.j]![at.i] = distance
  return { ...profile, distances }
}

function withNodeField(profile: MachineProfile, field: HardwareField, text: string): Result<MachineProfile> {
  const i = Number(field.id.split('.')[1])
  if (field.id.startsWith('cpus.')) {
    const count = whole(text, field.where, { min: 0, max: CPUS_MAX })
    if (!count.ok) return count
    return ok(
      withCpuCounts(
        profile,
        profile.nodes.map((node, n) => (n === i ? count.value : cpuCount(node))),
      ),
    )
  }
  const bare = withoutCapture(profile)
  const nodes = bare.nodes.map((node, n) => (n === i ? { size: typedSize(text, field.unit), cpus: node.cpus } : node))
  return ok({ ...bare, nodes })
}

/**
 * The profile with one field as typed. What the text means is judged by the profile's own validation, so a size that is
 * none is put in and refused there; only a count that cannot be written down is refused here.
 */
export function withField(profile: MachineProfile, id: string, text: string): Result<MachineProfile> {
  if (id.startsWith('distance.')) {
    const [, i, j] = id.split('.').map(Number)
    const distance = whole(text, `distances[${i}][${j}]`, { min: 0, max: 999 })
    return distance.ok ? ok(withDistance(profile, { i: i!, j: j! }, distance.value)) : distance
  }
  if (id.startsWith('node.')) return ok(withNodeShape(profile, id, Number(text)))
  const field = hardwareFields(profile).find((other) => other.id === id)
  if (!field) return ok(profile)
  if (field.group === 'nodes') return withNodeField(profile, field, text)
  const cpu = withCpuField(profile, id, text)
  if (cpu) return cpu
  const { kernel } = profile
  const value = text.trim()
  switch (id) {
    case 'nodes': {
      const count = whole(text, 'nodes', { min: 1, max: NODES_MAX })
      return count.ok ? ok(withNodeCount(profile, count.value)) : count
    }
    case 'kind':
      return ok({
        ...profile,
        hardware: { ...profile.hardware, kind: value as NonNullable<MachineProfile['hardware']>['kind'] & string },
      })
    case 'holeStart': {
      const bare = withoutCapture(profile)
      return ok({
        ...bare,
        hardware: withOptional(bare.hardware ?? {}, 'holeStart', value === '' ? '' : typedSize(text, field.unit)),
      })
    }
    case 'series':
      return ok({ ...profile, kernel: withOptional({ ...kernel, series: value as '6.1' | '6.12' }, 'mglru', '') })
    case 'mglru':
      return ok({ ...profile, kernel: { ...kernel, mglru: value === 'true' } })
    case 'thp':
      return ok({ ...profile, kernel: withOptional(kernel, 'transparentHugepage', value as 'always' | '') })
    case 'kernelcore':
    case 'movablecore':
      return ok({ ...profile, kernel: withOptional(kernel, id, value) })
    case 'swapKind':
      return ok(withSwapKind(profile, value))
    case 'swap.readNs':
    case 'swap.writeNs':
      return withLatency(profile, id === 'swap.readNs' ? 'readNs' : 'writeNs', text)
    default: {
      const device = swapDevice(profile)
      const devices = (profile.devices ?? []).map((other) =>
        other === device ? { ...other, size: typedSize(text, field.unit) } : other,
      )
      return ok({ ...profile, devices })
    }
  }
}

/** The field that a refusal of the profile speaks of, '' when none does. */
export function fieldOfError(fields: readonly HardwareField[], where: string): string {
  const path = where.replace(/^[^:]*:\s*/, '')
  const distance = /^distances\[(\d+)\]\[(\d+)\]/.exec(path)
  if (distance) {
    const [i, j] = [Number(distance[1]), Number(distance[2])]
    return `distance.${Math.min(i, j)}.${Math.max(i, j)}`
  }
  const exact = fields.find((field) => path === field.where)
  const near = fields.find((field) => path.startsWith(field.where.replace(/\.\w+$/, '')))
  return (exact ?? near)?.id ?? ''
}
