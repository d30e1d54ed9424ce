/**
 * The machine profile as people write and keep it, today's version. Sizes are text ('4G'); what a real machine's capture
 * brings (ranges, reservations) is in exact numbers with the unit in the name. Turned into the engine's MachineConfig by
 * machine-config.ts, judged as a machine by machine-check.ts.
 */
import { DEFAULT_COSTS, type CostName } from '../engine/costs'
import { ok, type Result } from '../util/result'
import { DEVICE_KINDS } from './devices'
import { loadDocument, readDocument, type FileFormat } from './load'
import { checkMachine } from './machine-check'
import { parseCpuList, parseSize } from './sizes'
import { tlbSchema } from './tlb'
import { MACHINE_UPGRADES } from './versions'
import { field, z } from './zod'

const size = (description: string) =>
  field(
    z.string().refine((text) => parseSize(text) !== undefined, 'This is no size.'),
    'a size such as "512M" or "4 GiB"',
    description,
  )
const whole = (accepts: string, description: string) => field(z.int().nonnegative(), accepts, description)
const text = (description: string) => field(z.string(), 'text', description)
const bytes = (description: string) => whole('a whole number of bytes', description)
const ns = (description: string) => whole('a whole number of nanoseconds', description)

const kernel = z.strictObject({
  series: field(z.enum(['6.1', '6.12']), '"6.1" or "6.12"', 'Which generation of the kernel is followed.'),
  release: text('What uname -r prints.').optional(),
  build: text('What uname -v prints.').optional(),
  cmdline: text('The kernel command line, without the options below.').optional(),
  transparentHugepage: field(
    z.enum(['always', 'madvise', 'never']),
    '"always", "madvise" or "never"',
    'transparent_hugepage= on the command line.',
  ).optional(),
  kernelcore: text('kernelcore=: memory that must not become Movable, a size or a share such as "30%".').optional(),
  movablecore: text('movablecore=: memory that becomes Movable, a size or a share such as "30%".').optional(),
  mglru: field(
    z.boolean(),
    'true or false',
    'Whether the multi-generational LRU is on. Debian: true on 6.12, false on 6.1.',
  ).optional(),
  pti: field(
    z.enum(['on', 'off']),
    '"on" or "off"',
    'pti= on the command line: page tables of the kernel and of programs are kept apart (KPTI). Default: off, as on processors without Meltdown.',
  ).optional(),
  startPfn: whole('a page frame number', 'First page of the kernel image, from a capture.').optional(),
  initrdPages: whole('a number of pages', 'Size of the initial RAM disk, from a capture.').optional(),
})

const hardware = z.strictObject({
  kind: field(
    z.enum(['pc', 'q35', 'i440fx', 'firecracker']),
    '"pc", "q35", "i440fx" or "firecracker"',
    'Where RAM below 4 GiB ends when nothing else says so: pc 2 GiB; q35 2 GiB from 2.75 GiB on; i440fx 3 GiB from 3.5 GiB on; firecracker 3 GiB.',
  ).optional(),
  name: text('Maker, model and firmware, as the kernel log prints them.').optional(),
  cpuModel: text('The processor, as /proc/cpuinfo prints it.').optional(),
  fiveLevelPaging: field(
    z.boolean(),
    'true or false',
    'Whether page tables have five levels, so that virtual addresses have 57 bits (LA57), and not four.',
  ).optional(),
  tlb: field(
    tlbSchema,
    'an object such as {"preset": "zen4"}',
    'TLBs and paging-structure caches of each CPU.',
  ).optional(),
  holeStart: size('Where RAM below 4 GiB ends and devices begin; the rest of RAM lies above 4 GiB.').optional(),
})

const range = z.strictObject({
  startBytes: bytes('First byte.'),
  endBytes: bytes('First byte behind the range.'),
})

const node = z.strictObject({
  size: size('RAM of the node, a multiple of 1 MiB; "0" for a node with CPUs only.').optional(),
  sizeBytes: bytes('The same in bytes.').optional(),
  ranges: field(
    z.array(range),
    'a list of {"startBytes", "endBytes"}',
    'Or its exact RAM ranges, from a capture.',
  ).optional(),
  cpus: field(
    z.string().refine((list) => parseCpuList(list) !== undefined, 'This is no list of CPUs.'),
    'an ascending list such as "0-3,8", or "" for none',
    'CPUs of the node.',
  ),
})

const firmware = z.strictObject({
  startBytes: bytes('First byte.'),
  endBytes: bytes('First byte behind the range.'),
  type: field(
    z.enum(['usable', 'reserved', 'ACPI data', 'ACPI NVS', 'unusable']),
    '"usable", "reserved", "ACPI data", "ACPI NVS" or "unusable"',
    "The range's type.",
  ),
})

const reservation = z.strictObject({
  node: whole('a node number', 'Node of the zone.'),
  zone: field(z.enum(['DMA', 'DMA32', 'Normal', 'Movable']), '"DMA", "DMA32", "Normal" or "Movable"', 'The zone.'),
  managedPages: whole('a number of pages', 'Pages that the allocator owns after boot.'),
  returnedLatePages: whole(
    'a number of pages',
    'Those of them that boot gave back after the watermarks were computed.',
  ),
})

const device = z.strictObject({
  path: field(z.string().regex(/^\/dev\/\w+$/), 'a path such as "/dev/vdb"', 'Device node.'),
  size: size('Size of the device.'),
  kind: field(z.enum(DEVICE_KINDS), '"nvme", "ssd", "hdd" or "virtio"', 'Sets the latencies.'),
  readNs: ns('Latency of reading 4 KiB, if it is not that of the kind.').optional(),
  writeNs: ns('Latency of writing 4 KiB, if it is not that of the kind.').optional(),
  perPageNs: ns('Time of each further page of a request, if it is not that of the kind.').optional(),
  use: field(
    z.enum(['raw', 'swap', 'data']),
    '"raw", "swap" or "data"',
    'swap: has a swap signature. data: carries a file system with the files below.',
  ),
  swapOnAtBoot: field(z.boolean(), 'true or false', 'Swap is switched on at boot (default true).').optional(),
  swapPriority: field(z.int().min(-1).max(32767), '0 to 32767, or -1 for "by order"', 'Swap priority.').optional(),
  files: field(
    z.array(
      z.strictObject({
        path: field(z.string().regex(/^(\/[\w.-]+)+$/), 'an absolute path such as "/f64"', 'Path on the file system.'),
        size: size('Size of the file.'),
      }),
    ),
    'a list of {"path", "size"}',
    'Files of a data disk.',
  ).optional(),
})

const cost = ns('Nanoseconds.').optional()
const costs = z.strictObject(
  Object.fromEntries(Object.keys(DEFAULT_COSTS).map((name) => [name, cost])) as Record<CostName, typeof cost>,
)

export const machineSchema = z.strictObject({
  format: z.literal('pagewalk-machine'),
  version: z.literal(1),
  name: field(
    z.string().regex(/^[a-z0-9][a-z0-9._-]*$/),
    'lower-case letters, digits, "-", "_" and "."',
    'Short name, as typed.',
  ),
  title: text('Name in menus.').optional(),
  description: text('What the machine is good for.').optional(),
  hostname: field(
    z.string().regex(/^(?:\(none\)|[a-zA-Z0-9][a-zA-Z0-9.-]{0,63})$/),
    'a host name',
    'Host name.',
  ).optional(),
  userland: field(
    z.enum(['debian', 'initramfs']),
    '"debian" or "initramfs"',
    'What runs on it: a Debian with system services, or the bare initial RAM disk of the captures.',
  ).optional(),
  kernel,
  hardware: hardware.optional(),
  nodes: field(z.array(node), 'a list of nodes', 'NUMA nodes, node 0 first.'),
  distances: field(
    z.array(z.array(z.int())),
    'a square table of numbers, one row a node',
    'NUMA distances: 10 on the diagonal, default 20 elsewhere.',
  ).optional(),
  firmware: field(z.array(firmware), 'a list of ranges', "The firmware's memory map, from a capture.").optional(),
  reservations: field(
    z.array(reservation),
    'a list of zones',
    'What each zone owns after boot, from a capture.',
  ).optional(),
  devices: field(z.array(device), 'a list of devices', 'Block devices.').optional(),
  sysctls: field(
    z.record(z.string(), field(z.string(), 'the text that one would write to the file', 'Value.')),
    'an object such as {"vm.swappiness": "60"}',
    'Written after boot, as /etc/sysctl.conf is.',
  ).optional(),
  costs: field(costs, 'nanoseconds by name of the cost', 'Costs that differ from the reference machine.').optional(),
  notes: field(z.array(z.string()), 'a list of texts', 'What the importer had to assume.').optional(),
})

export type MachineProfile = z.infer<typeof machineSchema>
export type ProfileNode = MachineProfile['nodes'][number]
export type ProfileDevice = NonNullable<MachineProfile['devices']>[number]
export type ProfileReservation = NonNullable<MachineProfile['reservations']>[number]

export const MACHINE_FORMAT: FileFormat<MachineProfile> = {
  format: 'pagewalk-machine',
  noun: 'machine profile',
  version: 1,
  schema: machineSchema,
  upgrades: MACHINE_UPGRADES,
}

/** A machine profile's text → the profile, if it describes a machine that can exist. */
export function loadMachine(source: string, fileName: string): Result<MachineProfile> {
  return checked(loadDocument(MACHINE_FORMAT, source, fileName), fileName)
}

/** The same for a profile inside another document. */
export function readMachine(value: unknown, fileName: string): Result<MachineProfile> {
  return checked(readDocument(MACHINE_FORMAT, value, fileName), fileName)
}

function checked(loaded: Result<MachineProfile>, fileName: string): Result<MachineProfile> {
  if (!loaded.ok) return loaded
  const fault = checkMachine(loaded.value, fileName)
  return fault ?? ok(loaded.value)
}

/** The file's text; lists of numbers stay on one line. */
export const formatMachine = (profile: MachineProfile): string =>
  `${JSON.stringify(profile, undefined, 2).replace(/\[\s+(\d+(?:,\s+\d+)*)\s+\]/g, (_, list: string) => `[${list.split(/,\s+/).join(', ')}]`)}\n`
