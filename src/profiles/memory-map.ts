/**
 * Where a profile's RAM lies: the firmware's ranges and each node's share of them, either as captured or laid out by
 * the rules that boards and hypervisors follow.
 */
import type { FirmwareRange } from '../engine/config'
import type { Bytes } from '../util/units'
import { GIB, MIB, PAGE_SIZE } from '../util/units'
import type { MachineProfile, ProfileNode } from './machine'
import { parseSize } from './sizes'

export interface ByteRange {
  readonly start: Bytes
  /** Exclusive. */
  readonly end: Bytes
}

/** End of conventional memory; the extended BIOS data area lies above it. */
const EBDA_START = 0x9fc00
const LEGACY_START = 0xa0000
const BIOS_START = 0xf0000
const FLASH_START = 0xfffc0000
const FOUR_GIB = 4 * GIB
/** ACPI tables that a virtual board puts at the top of low RAM, and what a real one keeps there. */
const QEMU_TABLES = 35 * PAGE_SIZE
const PC_TABLES = 64 * MIB

type HardwareKind = NonNullable<NonNullable<MachineProfile['hardware']>['kind']>

export const nodeSize = (node: ProfileNode): Bytes =>
  node.ranges
    ? node.ranges.reduce((sum, r) => sum + r.endBytes - r.startBytes, 0)
    : (node.sizeBytes ?? parseSize(node.size ?? '0') ?? 0)

/** RAM of all nodes. */
export const totalSize = (profile: MachineProfile): Bytes => profile.nodes.reduce((sum, n) => sum + nodeSize(n), 0)

export const hardwareKind = (profile: MachineProfile): HardwareKind => profile.hardware?.kind ?? 'pc'

/**
 * How much RAM lies below 4 GiB.
 * @spec 01 §1.2.4, §1.2.5
 */
export function lowMemory(profile: MachineProfile): Bytes {
  const total = totalSize(profile)
  const given = profile.hardware?.holeStart
  if (given !== undefined) return Math.min(total, parseSize(given) ?? 0)
  switch (hardwareKind(profile)) {
    case 'q35':
      return total >= 2.75 * GIB ? 2 * GIB : total
    case 'i440fx':
      return total >= 3.5 * GIB ? 3 * GIB : total
    case 'firecracker':
      return Math.min(total, 3 * GIB)
    case 'pc':
      return Math.min(total, 2 * GIB)
  }
}

/** The firmware's memory map, ascending. */
export function firmwareRanges(profile: MachineProfile): FirmwareRange[] {
  if (profile.firmware) return profile.firmware.map((r) => ({ start: r.startBytes, end: r.endBytes, type: r.type }))
  const captured = profile.nodes.flatMap((n) => n.ranges ?? [])
  if (captured.length > 0) {
    return captured
      .map((r): FirmwareRange => ({ start: r.startBytes, end: r.endBytes, type: 'usable' }))
      .sort((a, b) => a.start - b.start)
  }
  const low = lowMemory(profile)
  const high = totalSize(profile) - low
  const kind = hardwareKind(profile)
  const tables = kind === 'firecracker' ? 0 : kind === 'pc' ? PC_TABLES : QEMU_TABLES
  const map: FirmwareRange[] = [
    { start: 0, end: EBDA_START, type: 'usable' },
    { start: EBDA_START, end: LEGACY_START, type: 'reserved' },
    { start: BIOS_START, end: MIB, type: 'reserved' },
    { start: MIB, end: low - tables, type: 'usable' },
  ]
  if (tables > 0) map.push({ start: low - tables, end: low, type: 'reserved' })
  map.push({ start: FLASH_START, end: FOUR_GIB, type: 'reserved' })
  if (high > 0) map.push({ start: FOUR_GIB, end: FOUR_GIB + high, type: 'usable' })
  return map
}

/** RAM that the kernel finds: whole usable pages, without page 0 and without 0xA0000–0xFFFFF (spec 01 §1.2.2). */
export function usableRanges(firmware: readonly FirmwareRange[]): ByteRange[] {
  const allowed: readonly ByteRange[] = [
    { start: PAGE_SIZE, end: LEGACY_START },
    { start: MIB, end: Number.MAX_SAFE_INTEGER },
  ]
  const wholePages = firmware
    .filter((r) => r.type === 'usable')
    .map((r) => ({ start: Math.ceil(r.start / PAGE_SIZE) * PAGE_SIZE, end: Math.floor(r.end / PAGE_SIZE) * PAGE_SIZE }))
  return intersect(wholePages, allowed)
}

/** Each node's RAM, in the order of the nodes. */
export function nodeRanges(profile: MachineProfile): ByteRange[][] {
  if (profile.nodes.some((n) => n.ranges)) {
    return profile.nodes.map((n) => (n.ranges ?? []).map((r) => ({ start: r.startBytes, end: r.endBytes })))
  }
  const usable = usableRanges(firmwareRanges(profile))
  const low = lowMemory(profile)
  let taken = 0
  return profile.nodes.map((node) => {
    const from = taken
    taken += nodeSize(node)
    return intersect(usable, segments(from, taken, low))
  })
}

/** Bytes [from, to) of the RAM as addresses: what does not fit below the hole lies above 4 GiB. */
function segments(from: Bytes, to: Bytes, low: Bytes): ByteRange[] {
  const out: ByteRange[] = []
  if (from < low) out.push({ start: from, end: Math.min(to, low) })
  if (to > low) out.push({ start: FOUR_GIB + Math.max(from, low) - low, end: FOUR_GIB + to - low })
  return out
}

/** The parts that both lists cover, ascending if they are. */
export function intersect(a: readonly ByteRange[], b: readonly ByteRange[]): ByteRange[] {
  const out: ByteRange[] = []
  for (const x of a) {
    for (const y of b) {
      const start = Math.max(x.start, y.start)
      const end = Math.min(x.end, y.end)
      if (start < end) out.push({ start, end })
    }
  }
  return out.sort((x, y) => x.start - y.start)
}
