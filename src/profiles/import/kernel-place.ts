/**
 * Where in its zone the kernel image lies when the capture has no /proc/iomem. Address randomisation puts it anywhere;
 * what matters is whether that part of memory was set up late, because then the pageblocks of the image are Unmovable,
 * and the first /proc/pagetypeinfo counts 22 more of them.
 * @spec the engine's mm/deferred_init.ts
 */
import type { Pages, Pfn } from '../../util/units'
import { findProc, type CaptureFiles } from './files'
import type { LateReturns } from './reservations'
import type { ZoneText } from './zoneinfo'

const PAGEBLOCK_PAGES: Pages = 512
/** More than an initial RAM disk's share: the image is in this zone. */
const IMAGE_RETURNED_MIN: Pages = 1000

/** A frame of the image, somewhere in the part that is set up late; undefined when it lies low or nothing tells. */
export function kernelPlace(files: CaptureFiles, zones: readonly ZoneText[], late: LateReturns): Pfn | undefined {
  const text = findProc(files, 'pagetypeinfo')?.text
  const row = late.reservations.find((r) => (r.returnedLatePages ?? 0) >= IMAGE_RETURNED_MIN)
  const zone = zones.find((z) => row !== undefined && z.nid === row.node && z.name === row.zone)
  if (text === undefined || zone?.startPfn === undefined) return undefined
  const counts = text.slice(Math.max(0, text.indexOf('Number of blocks type')))
  const line = new RegExp(`^Node ${zone.nid}, zone\\s+${zone.name}\\s+(\\d+)`, 'm').exec(counts)
  if (line === null) return undefined
  // All reserved frames of the zone, the image's too: without them there are fewer Unmovable pageblocks than that.
  if (Number(line[1]) * PAGEBLOCK_PAGES < zone.present - zone.managed) return undefined
  const end = zone.startPfn + zone.spanned
  return Math.floor((end - zone.spanned / 4) / PAGEBLOCK_PAGES) * PAGEBLOCK_PAGES
}
