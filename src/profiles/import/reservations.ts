/**
 * What each zone owns, and which part of it came late. The sizes are printed by the kernel ("Freeing … memory"); the
 * zones are those of the kernel image and of the initial RAM disk.
 * @spec 01 §1.6a
 */
import { PAGE_SIZE, type Pages, type Pfn } from '../../util/units'
import type { ProfileReservation } from '../machine'
import type { ByteRange } from '../memory-map'
import type { BootLog } from './boot-log'
import type { ZoneText } from './zoneinfo'

export interface LateReturns {
  readonly reservations: ProfileReservation[]
  readonly notes: readonly string[]
}

export interface ReservationFacts {
  readonly zones: readonly ZoneText[]
  /** RAM by node. */
  readonly ram: readonly (readonly ByteRange[])[]
  readonly log: BootLog
  readonly release: string
  readonly kernelPfn: Pfn | undefined
}

const ZONES = ['DMA', 'DMA32', 'Normal', 'Movable']
/** Debian's kernels when the log is gone: decrypted + initmem + gaps, pages. */
const DEBIAN_IMAGE: readonly (readonly [pattern: RegExp, pages: Pages])[] = [
  [/^6\.12\..*deb.*cloud/, 1858],
  [/^6\.12\..*deb/, 1717],
  [/^6\.1\.0-.*cloud/, 2145],
]

export function lateReturns(facts: ReservationFacts): LateReturns {
  const populated = facts.zones.filter((z) => z.present > 0 && ZONES.includes(z.name))
  const late = new Map<ZoneText, Pages>()
  const add = (zone: ZoneText | undefined, pages: Pages): void => {
    if (zone) late.set(zone, (late.get(zone) ?? 0) + pages)
  }
  const notes: string[] = []
  const { log } = facts
  const image = log.imageFreed ?? DEBIAN_IMAGE.find(([pattern]) => pattern.test(facts.release))?.[1]
  if (image === undefined)
    notes.push(
      "The boot log with its 'Freeing … memory' lines is missing: watermarks may differ by up to 1 % until a sysctl is written.",
    )
  if (log.ramdisk && log.initrdFreed !== undefined)
    add(zoneAt(facts, populated, log.ramdisk.start / PAGE_SIZE), log.initrdFreed)
  if (image !== undefined) {
    const place = kernelZone(facts, populated, late, image)
    add(place.zone, image)
    if (place.note !== undefined) notes.push(place.note)
  }
  return {
    reservations: populated.map((z) => ({
      node: z.nid,
      zone: z.name as ProfileReservation['zone'],
      managedPages: z.managed,
      returnedLatePages: late.get(z) ?? 0,
    })),
    notes,
  }
}

function zoneAt(facts: ReservationFacts, zones: readonly ZoneText[], pfn: Pfn): ZoneText | undefined {
  const address = pfn * PAGE_SIZE
  const nid = facts.ram.findIndex((ranges) => ranges.some((r) => r.start <= address && address < r.end))
  return zones.find((z) => z.nid === nid && z.startPfn! <= pfn && pfn < z.startPfn! + z.spanned)
}

/** The kernel lies where iomem says; else in the only zone that can hold it; else where the boot-time protection shows. */
function kernelZone(
  facts: ReservationFacts,
  zones: readonly ZoneText[],
  late: ReadonlyMap<ZoneText, Pages>,
  image: Pages,
): { zone: ZoneText | undefined; note?: string } {
  if (facts.kernelPfn !== undefined) return { zone: zoneAt(facts, zones, facts.kernelPfn) }
  const possible = zones.filter((z) => z.name === 'DMA32' || z.name === 'Normal')
  if (possible.length <= 1) return { zone: possible[0] }
  const fitting = possible.filter((candidate) =>
    marksFit(zones, (z) => z.managed - (late.get(z) ?? 0) - (z === candidate ? image : 0)),
  )
  const zone = fitting[0] ?? possible[0]!
  const name = `zone ${zone.name} of node ${zone.nid}`
  return fitting.length === 1
    ? {
        zone,
        note: `The capture has no proc/iomem; its boot-time watermarks show that the kernel image lies in ${name}.`,
      }
    : { zone, note: `The capture has no proc/iomem; the kernel image is assumed in ${name}.` }
}

/**
 * Whether the captured min watermarks are those that boot computes from `managed`: proportional shares of one total.
 * @spec 01 §1.7
 */
function marksFit(zones: readonly ZoneText[], managed: (zone: ZoneText) => Pages): boolean {
  const lowmem = zones.filter((z) => z.name !== 'Movable')
  const total = lowmem.reduce((sum, z) => sum + managed(z), 0)
  const marks = lowmem.reduce((sum, z) => sum + z.min - z.boost, 0)
  for (let pages = marks; pages <= marks + lowmem.length; pages++) {
    if (lowmem.every((z) => Math.floor((pages * managed(z)) / total) === z.min - z.boost)) return true
  }
  return false
}
