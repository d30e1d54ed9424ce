import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { layoutZones } from '../engine/machine_layout'
import { formatUserError } from '../util/result'
import { publishedSchemas } from './json-schema'
import { formatMachine, loadMachine } from './machine'
import { toConfig } from './machine-config'

const good = {
  format: 'pagewalk-machine',
  version: 1,
  name: 'lab',
  kernel: { series: '6.12' },
  hardware: { kind: 'i440fx' },
  nodes: [
    { size: '2G', cpus: '0-1' },
    { size: '2G', cpus: '2-3' },
  ],
}

function fault(change: Record<string, unknown>): string {
  const loaded = loadMachine(JSON.stringify({ ...good, ...change }), 'lab.json')
  return loaded.ok ? 'accepted' : formatUserError(loaded.error)
}

const one = (node: Record<string, unknown>) => ({ nodes: [{ cpus: '0', ...node }] })
const kernel = (more: Record<string, unknown>) => ({ kernel: { series: '6.12', ...more } })
const GIB = 2 ** 30

test('the profile that the bad ones are made from is good', () => {
  expect(fault({})).toBe('accepted')
})

describe('text that is no profile', () => {
  test.each([
    ['', 'lab.json: The file is empty. Give a JSON document that begins with {.'],
    [
      '{"format": 1,\n  "name" "x"}',
      "lab.json: line 2, column 10: This is not JSON: ':' expected, '\"' found. Mend the text there.",
    ],
    [
      '{"a": [1, 2',
      "lab.json: line 1, column 12: This is not JSON: ',' or ']' expected, the end of the file found. Mend the text there.",
    ],
    ['{"a": 01}', "lab.json: line 1, column 7: This is not JSON: a value expected, '01' found. Mend the text there."],
    [
      '{"a": "x\ny"}',
      'lab.json: line 1, column 9: This is not JSON: the end of the text (") expected, the end of the line found. Mend the text there.',
    ],
    [
      '{} {}',
      "lab.json: line 1, column 4: This is not JSON: the end of the file expected, '{' found. Mend the text there.",
    ],
    [
      '[1]',
      'lab.json: The list [1] is not a machine profile. A machine profile begins with {"format": "pagewalk-machine", "version": 1.',
    ],
    [
      '{}',
      'lab.json: format: The file does not say its format; a machine profile is needed. Expected "format": "pagewalk-machine".',
    ],
    [
      '{"format": "pagewalk-session"}',
      'lab.json: format: The format is "pagewalk-session"; a machine profile is needed. Expected "format": "pagewalk-machine".',
    ],
    [
      '{"format": "pagewalk-machine", "version": 9}',
      'lab.json: version: The file is version 9 of pagewalk-machine; this Pagewalk reads up to version 1. Open it with a newer Pagewalk.',
    ],
    [
      '{"format": "pagewalk-machine", "version": "1"}',
      'lab.json: version: "1" is not a version. Expected a whole number, today 1.',
    ],
  ])('%j', (text, message) => {
    const loaded = loadMachine(text, 'lab.json')
    expect(loaded.ok ? 'accepted' : formatUserError(loaded.error)).toBe(message)
  })
})

describe('fields', () => {
  test.each([
    [{ kernal: {} }, "lab.json: kernal: There is no field 'kernal' here. Did you mean 'kernel'?"],
    [one({ size: '1G', cpu: '0' }), "lab.json: nodes[0].cpu: There is no field 'cpu' here. Did you mean 'cpus'?"],
    [
      { name: undefined },
      'lab.json: name: This field is missing. Needed: lower-case letters, digits, "-", "_" and ".".',
    ],
    [{ nodes: 'two' }, 'lab.json: nodes: "two" is not accepted. Accepted: a list of nodes.'],
    [one({ size: 4 }), 'lab.json: nodes[0].size: 4 is not accepted. Accepted: a size such as "512M" or "4 GiB".'],
    [
      one({ size: 'much' }),
      'lab.json: nodes[0].size: "much" is not accepted. Accepted: a size such as "512M" or "4 GiB".',
    ],
    [kernel({ series: '5.10' }), 'lab.json: kernel.series: "5.10" is not accepted. Accepted: "6.1" or "6.12".'],
    [
      { sysctls: { 'vm.swapiness': '10' } },
      `lab.json: sysctls["vm.swapiness"]: There is no sysctl 'vm.swapiness'. Did you mean 'vm.swappiness'?`,
    ],
    [
      { sysctls: { 'vm.swappiness': '300' } },
      `lab.json: sysctls["vm.swappiness"]: The kernel refuses '300'. Accepted: 0 to 200.`,
    ],
    [
      { costs: { anonFualt: 5 } },
      "lab.json: costs.anonFualt: There is no field 'anonFualt' here. Did you mean 'anonFault'?",
    ],
  ])('%j', (change, message) => {
    expect(fault(change)).toBe(message)
  })
})

describe('machines that cannot exist', () => {
  test.each([
    [
      { nodes: [] },
      'lab.json: nodes: A machine without a node has neither memory nor CPUs. Give at least one node, for example {"size": "4G", "cpus": "0-1"}.',
    ],
    [one({ size: '0' }), 'lab.json: nodes: No node has any RAM. Give at least one node a size, for example "512M".'],
    [one({ size: '4M' }), 'lab.json: nodes: 4 MiB of RAM: the kernel itself would not fit. Give at least 128 MiB.'],
    [one({ size: '5T' }), 'lab.json: nodes[0].size: 5 TiB in one node. A machine has at most 4 TiB.'],
    [
      one({}),
      'lab.json: nodes[0]: The node says nothing about its RAM. Give "size": "4G", or "size": "0" for a node with CPUs only.',
    ],
    [
      one({ size: '3T', sizeBytes: GIB }),
      "lab.json: nodes[0].sizeBytes: The node's RAM is given twice: size 3 TiB, sizeBytes 1 GiB. Keep one of size and sizeBytes.",
    ],
    [
      one({ sizeBytes: GIB + 4096 }),
      'lab.json: nodes[0].sizeBytes: 1073745920 is not a whole number of MiB. Use a multiple of 1 MiB, such as "1024M".',
    ],
    [
      { nodes: Array.from({ length: 33 }, (_, i) => ({ size: '1G', cpus: `${i}` })) },
      'lab.json: nodes: 33 nodes. At most 32.',
    ],
    [
      { hardware: { holeStart: '5G' } },
      'lab.json: hardware.holeStart: A hole that begins at 5 GiB. Devices lie at the top of the first 4 GiB: use a multiple of 1 MiB from 256 MiB to below 4 GiB, for example "3G".',
    ],
    [
      kernel({ kernelcore: '3T' }),
      'lab.json: kernel.kernelcore: 3 TiB on a machine with 4 GiB of RAM. Use at most 4 GiB.',
    ],
    [
      kernel({ kernelcore: 'mirror' }),
      'lab.json: kernel.kernelcore: No machine here has firmware that says which memory is mirrored: the kernel would ignore the option. Accepted: a size such as "1G", or a share such as "30%".',
    ],
    [
      kernel({ movablecore: 'mirror' }),
      'lab.json: kernel.movablecore: "mirror" is neither a size nor a share. Accepted: a size such as "1G", or a share such as "30%".',
    ],
    [
      kernel({ cmdline: 'quiet kernelcore=1G' }),
      'lab.json: kernel.cmdline: kernelcore= has its own field. Write it as kernel.kernelcore.',
    ],
    [
      {
        nodes: [
          { size: '2G', cpus: '0-1' },
          { size: '2G', cpus: '1-2' },
        ],
      },
      'lab.json: nodes[1].cpus: CPU 1 is in node 0 already. A CPU belongs to one node.',
    ],
    [
      { nodes: [{ size: '2G', cpus: '' }] },
      'lab.json: nodes[0].cpus: No node has a CPU. Give at least one, for example "cpus": "0".',
    ],
    [
      one({ size: '1G', cpus: '0,2' }),
      'lab.json: nodes: CPU 1 is in no node, though higher ones are. Number the CPUs 0 to 1 without gaps.',
    ],
    [{ distances: [[10, 20]] }, 'lab.json: distances: 1 rows for 2 nodes. Give 2 rows of 2.'],
    [{ distances: [[10], [20, 10]] }, 'lab.json: distances[0]: 1 numbers for 2 nodes. Give 2 rows of 2.'],
    [
      {
        distances: [
          [11, 20],
          [20, 10],
        ],
      },
      'lab.json: distances[0][0]: 11 on the diagonal. The distance of a node to itself is 10.',
    ],
    [
      {
        distances: [
          [10, 5],
          [20, 10],
        ],
      },
      'lab.json: distances[0][1]: 5 from node 0 to node 1. Use 11 to 254; 10 is a node itself, 255 means unreachable, less than 10 is invalid in ACPI.',
    ],
  ])('%j', (change, message) => {
    expect(fault(change)).toBe(message)
  })
})

describe('ranges, reservations and devices that contradict each other', () => {
  const range = (start: number, end: number) => ({ startBytes: start, endBytes: end })
  const ranges = (...list: object[]) => ({ nodes: [{ ranges: list, cpus: '0' }] })
  const disk = (more: object) => ({ devices: [{ path: '/dev/vdb', size: '1G', kind: 'nvme', use: 'swap', ...more }] })
  test.each([
    [
      ranges(range(0x100000, GIB), range(GIB / 2, 2 * GIB)),
      'lab.json: nodes[0].ranges[1]: [0x20000000, 0x80000000) overlaps nodes[0].ranges[0] [0x100000, 0x40000000). Each address belongs to one node.',
    ],
    [
      ranges(range(GIB, GIB / 2)),
      'lab.json: nodes[0].ranges[0]: [0x40000000, 0x20000000) ends before it begins. endBytes is the first byte behind the range.',
    ],
    [
      ranges(range(0x100001, GIB)),
      'lab.json: nodes[0].ranges[0]: [0x100001, 0x40000000) is not made of whole pages. Use multiples of 4096.',
    ],
    [
      { firmware: [{ ...range(0, GIB), type: 'usable' }] },
      "lab.json: firmware: The firmware's map is given, but the nodes give sizes. Give each node its ranges, or remove firmware.",
    ],
    [
      { ...ranges(range(0x100000, GIB)), firmware: [{ ...range(0x100000, GIB / 2), type: 'usable' }] },
      'lab.json: nodes[0].ranges[0]: [0x100000, 0x40000000): the firmware calls only 511 MiB of it usable. Keep node ranges inside usable firmware ranges.',
    ],
    [
      {
        ...ranges(range(0x100000, GIB)),
        reservations: [{ node: 0, zone: 'DMA32', managedPages: 300000, returnedLatePages: 0 }],
      },
      'lab.json: reservations[0].managedPages: 300000 pages in zone DMA32 of node 0, which has 258048 pages of RAM. A zone manages at most its RAM.',
    ],
    [
      {
        ...ranges(range(0x100000, GIB)),
        reservations: [{ node: 0, zone: 'DMA32', managedPages: 250000, returnedLatePages: 0 }],
      },
      'lab.json: reservations: Zone DMA of node 0 has RAM but no row. Give one row for each zone with RAM, or none at all.',
    ],
    [
      disk({ use: 'data', files: [{ path: '/big', size: '3T' }] }),
      'lab.json: devices[0].files[0].size: 3 TiB do not fit: /dev/vdb has 1G and 1 GiB of it are left. Make the file smaller or the device larger.',
    ],
    [
      disk({ use: 'data', swapPriority: 5 }),
      'lab.json: devices[0].swapPriority: /dev/vdb is not swap but data. Set "use": "swap", or remove swapPriority.',
    ],
    [
      disk({ swapPriority: 40000 }),
      'lab.json: devices[0].swapPriority: 40000 is not accepted. Accepted: 0 to 32767, or -1 for "by order".',
    ],
    [
      disk({ size: '4K' }),
      'lab.json: devices[0].size: 4 KiB for /dev/vdb. Use a multiple of 4 KiB of at least 40 KiB.',
    ],
  ])('%j', (change, message) => {
    expect(fault(change)).toBe(message)
  })
})

test('what a profile leaves open is decided when it boots: hole, distances, kernel, command line', () => {
  const loaded = loadMachine(JSON.stringify({ ...good, kernel: { series: '6.12', kernelcore: '50%' } }), 'lab.json')
  if (!loaded.ok) throw new Error(loaded.error.message)
  const config = toConfig(loaded.value)
  expect(config.nodes.map((n) => n.ranges.map((r) => `${r.start.toString(16)}-${r.end.toString(16)}`))).toEqual([
    ['1000-9f000', '100000-80000000'],
    ['80000000-bffdd000', '100000000-140000000'],
  ])
  expect(config.distances).toEqual([
    [10, 20],
    [20, 10],
  ])
  expect(config.kernelcoreBytes).toBe(2 * GIB)
  expect(config.cmdline).toBe(
    'BOOT_IMAGE=/boot/vmlinuz-6.12.95+deb12-cloud-amd64 root=/dev/vda1 ro quiet kernelcore=50%',
  )
  expect(config.mglru).toBe(true)
})

const MACHINES = 'resources/machines'

describe('every ready machine is valid, is named after its file, and lays out zones', () => {
  const names = readdirSync(MACHINES)
  test('there are at least six', () => expect(names.length).toBeGreaterThanOrEqual(6))
  test.each(names)('%s', (name) => {
    const text = readFileSync(join(MACHINES, name), 'utf8')
    const loaded = loadMachine(text, name)
    if (!loaded.ok) throw new Error(formatUserError(loaded.error))
    expect(`${loaded.value.name}.json`).toBe(name)
    expect(formatMachine(loaded.value)).toBe(text)
    const zones = layoutZones(toConfig(loaded.value)).filter((z) => z.managed > 0)
    expect(zones.length).toBeGreaterThanOrEqual(2)
    for (const zone of zones) expect(zone.managed).toBeLessThanOrEqual(zone.present)
  })
})

test('the published schemas are those of the code: npx tsx scripts/write-schemas.ts renews them', () => {
  for (const [name, text] of Object.entries(publishedSchemas())) {
    expect(readFileSync(join('resources/schemas', name), 'utf8')).toBe(text)
  }
})
