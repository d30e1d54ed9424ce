/**
 * Pageblocks that are Unmovable from the start although nobody asked for them. The struct pages behind the first section
 * of a node's last zone are set up late and only for frames that are free: a pageblock that begins with a frame which
 * boot had reserved keeps type 0, and so do frames in it that are given back later (the kernel's init sections, the
 * initial RAM disk). Movable requests must break into them, which raises the watermarks.
 * @kernel  mm/mm_init.c defer_init(), deferred_init_memmap()
 * @spec    01 §1.2; the captured machines' first /proc/pagetypeinfo
 */
import type { Pages, Pfn } from '../../util/units'
import { DEBIAN_KERNELS } from '../machine_reservations'
import { clipRanges, ramRanges } from '../machine_spans'
import type { KernelState } from '../state'
import { PAGEBLOCK_ORDER } from './gfp'
import type { Zone } from './mmzone'

/** 128 MiB. @kernel PAGES_PER_SECTION */
const SECTION_PAGES: Pages = 32768
const PAGEBLOCK_PAGES: Pages = 1 << PAGEBLOCK_ORDER
/** More than an initial RAM disk's share: the kernel image lies in this zone. */
const IMAGE_RETURNED_MIN: Pages = 1000

/**
 * First frame of the zone whose struct page is set up late: a section boundary after one section's worth of RAM.
 * @returns the zone's end when there is none: it is small, or not the node's last
 * @kernel  mm/mm_init.c defer_init()
 */
export function firstDeferredPfn(state: KernelState, zone: Zone): Pfn {
  const end = zone.startPfn + zone.spanned
  const isLast = state.zones.every((z) => z.nid !== zone.nid || z.present === 0 || z.startPfn <= zone.startPfn)
  if (!isLast) return end
  let seen = 0
  for (const range of clipRanges(ramRanges(state.config, zone.nid), zone.startPfn, end)) {
    const enough = range.start + Math.max(0, SECTION_PAGES - seen)
    const first = Math.ceil(enough / SECTION_PAGES) * SECTION_PAGES
    if (first < range.end) return first
    seen += range.end - range.start
  }
  return end
}

/**
 * From here on the zone's pageblocks begin with frames that boot had reserved, so they are Unmovable.
 * @param reservedStart  first frame of the zone that stays reserved: all of them lie at its end (buddy.ts)
 * @returns a pageblock's first frame, or the zone's end
 */
export function unmovableFrom(state: KernelState, zone: Zone, reservedStart: Pfn): Pfn {
  const { config } = state
  const end = zone.startPfn + zone.spanned
  const first = firstDeferredPfn(state, zone)
  if (first >= end) return end
  const late = zone.managed - zone.managedAtBoot
  const kernel = DEBIAN_KERNELS[config.series]
  // A last pageblock that is shared with another node keeps the type that this one's frames had.
  if (end % PAGEBLOCK_PAGES !== 0 && reservedStart > end - (end % PAGEBLOCK_PAGES)) return end
  let from = reservedStart - late
  if (late >= IMAGE_RETURNED_MIN) {
    const at = config.kernelStartPfn
    const isDeferred = at !== undefined && at >= first && at < end
    // An image that lies low was set up early: its frames are Movable, those above it are not.
    if (!isDeferred) from = reservedStart + kernel.image - kernel.returned
  }
  return Math.min(end, Math.ceil(Math.max(from, first) / PAGEBLOCK_PAGES) * PAGEBLOCK_PAGES)
}
