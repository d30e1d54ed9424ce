/**
 * What boot keeps for itself when a machine description does not say: the memory map, the kernel image, hash tables,
 * bounce buffers, per-CPU areas. Apart from the layout, because these are sizes of one distribution's kernels, read off
 * their boot logs, while the layout follows from the kernel's code alone.
 * @spec    01 §1.2, §1.6a
 */
import { bytesToPagesCeil, MIB, type Pages, type Pfn } from '../util/units'
import type { MachineConfig, ZoneReservation } from './config'
import { clipRanges, ramRanges, type PfnRange, type ZoneSpan } from './machine_spans'
import { ZONE_DMA, ZONE_NAMES } from './mm/gfp'

/** Sizes of Debian's cloud kernels, pages. @spec 01 §1.6a and the boot logs of the captured machines */
export const DEBIAN_KERNELS = {
  '6.12': { image: 11264, returned: 1858, initrd: 393, percpuPerCpu: 66 },
  '6.1': { image: 10240, returned: 2145, initrd: 445, percpuPerCpu: 61 },
} as const
/** One section of 128 MiB is described by 2 MiB of struct page. */
const SECTION_PAGES = 32768
const SECTION_MEMMAP_PAGES = 512
/** Bounce buffers for devices that cannot reach above 4 GiB, and the table of their slots (24 bytes for each 2 KiB). */
const SWIOTLB_PAGES = bytesToPagesCeil(64 * MIB)
const SWIOTLB_SLOT_PAGES = 192
/** Early page tables, NODE_DATA, small tables: 312 on the node whose memory ends highest, 48 on the others. */
const EARLY_PAGES = 312
const EARLY_PAGES_OTHER = 48
const PAGES_64_GIB = 16777216
const FIRST_PFN_ABOVE_4G = 1048576
/** Where the image is loaded without address randomisation: 16 MiB. */
const DEFAULT_KERNEL_PFN = 4096

/** Pages that a bootmem hash table of 8-byte buckets takes. @kernel mm/mm_init.c alloc_large_system_hash() @spec 01 §1.2 */
export function hashTablePages(nrKernelPages: Pages, scale: number): Pages {
  let adapted = scale
  for (let limit = PAGES_64_GIB; limit < nrKernelPages; limit *= 4) adapted++
  const entries = Math.floor((Math.ceil(nrKernelPages / 256) * 256) / 2 ** (adapted - 12))
  return bytesToPagesCeil(8 * roundupPow2(entries))
}

function roundupPow2(n: number): number {
  let p = 1
  while (p < n) p *= 2
  return p
}

/** Pages of struct page for these frames. @spec 01 §1.2 "memmap cost" */
export function memmapPages(ranges: readonly PfnRange[]): Pages {
  const sections = new Set<number>()
  for (const range of ranges) {
    for (let s = Math.floor(range.start / SECTION_PAGES); s * SECTION_PAGES < range.end; s++) sections.add(s)
  }
  return sections.size * SECTION_MEMMAP_PAGES
}

/**
 * One row for each populated zone. On the captured machines it is within 64 pages of what their kernels kept.
 * @model  sums the reservations of spec 01 §1.2; the kernel's come out of memblock one by one
 */
export function modelReservations(config: MachineConfig, spans: readonly ZoneSpan[]): ZoneReservation[] {
  const kernel = DEBIAN_KERNELS[config.series]
  const taken = new Map<ZoneSpan, Pages>()
  const returned = new Map<ZoneSpan, Pages>()
  const add = (to: Map<ZoneSpan, Pages>, span: ZoneSpan, pages: Pages): void => {
    to.set(span, (to.get(span) ?? 0) + pages)
  }
  const top = highestZone(spans)
  for (const span of spans) if (span.idx === ZONE_DMA && span.present > 0) add(taken, span, firstMebibyte(config, span))
  for (const node of config.nodes) {
    const zone = highestZone(spans.filter((s) => s.nid === node.nid)) ?? top
    if (zone === undefined) continue
    add(taken, zone, memmapPages(ramRanges(config, node.nid)) + kernel.percpuPerCpu * node.cpus.length)
    if (node.ranges.length > 0) add(taken, zone, zone === top ? EARLY_PAGES : EARLY_PAGES_OTHER)
  }
  const kernelZone = zoneAt(spans, config.kernelStartPfn ?? DEFAULT_KERNEL_PFN) ?? top
  if (kernelZone !== undefined) {
    add(taken, kernelZone, kernel.image - kernel.returned)
    add(returned, kernelZone, kernel.returned)
  }
  const lowTop = zoneAt(spans, lastPfnBelow4G(config))
  if (lowTop !== undefined) add(returned, lowTop, config.initrdPages ?? kernel.initrd)
  const hasHighRam = spans.some((s) => s.present > 0 && s.startPfn + s.spanned > FIRST_PFN_ABOVE_4G)
  if (hasHighRam && lowTop !== undefined) add(taken, lowTop, SWIOTLB_PAGES)
  if (hasHighRam && top !== undefined) add(taken, top, SWIOTLB_SLOT_PAGES)
  const memoryNodes = config.nodes.filter((n) => n.ranges.length > 0).length
  // With several nodes the tables are spread by vmalloc, from pages that are managed already.
  if (top !== undefined && memoryNodes === 1) {
    const present = spans.reduce((sum, s) => sum + s.present, 0)
    add(taken, top, hashTablePages(present, 13) + hashTablePages(present, 14))
  }
  return spans
    .filter((s) => s.present > 0)
    .map((span) => {
      const managed = Math.max(0, span.present - (taken.get(span) ?? 0))
      const zone = ZONE_NAMES[span.idx] as ZoneReservation['zone']
      return { nid: span.nid, zone, managed, returnedLate: Math.min(managed, returned.get(span) ?? 0) }
    })
}

function firstMebibyte(config: MachineConfig, span: ZoneSpan): Pages {
  return clipRanges(ramRanges(config, span.nid), 0, 0x100).reduce((sum, r) => sum + r.end - r.start, 0)
}

/** The populated zone whose memory ends highest. */
function highestZone(spans: readonly ZoneSpan[]): ZoneSpan | undefined {
  let best: ZoneSpan | undefined
  for (const s of spans) {
    if (s.present > 0 && (best === undefined || s.startPfn + s.spanned > best.startPfn + best.spanned)) best = s
  }
  return best
}

const zoneAt = (spans: readonly ZoneSpan[], pfn: Pfn): ZoneSpan | undefined =>
  spans.find((s) => s.present > 0 && pfn >= s.startPfn && pfn < s.startPfn + s.spanned)

function lastPfnBelow4G(config: MachineConfig): Pfn {
  let last = 0
  for (const node of config.nodes) {
    for (const r of clipRanges(ramRanges(config, node.nid), 0, FIRST_PFN_ABOVE_4G)) last = Math.max(last, r.end - 1)
  }
  return last
}
