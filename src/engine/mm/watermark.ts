/**
 * How high the marks are: min_free_kbytes, the watermarks and reserves that follow from it, and the sysctls that move
 * them. Apart from mmzone.ts, because it runs at boot and when a person writes a file, never in an allocation.
 * @kernel  mm/page_alloc.c __setup_per_zone_wmarks(), mm/khugepaged.c set_recommended_min_free_kbytes()
 * @spec    01 §1.5–§1.8
 */
import type { Errno } from '../../util/errno'
import type { Kib, Pages } from '../../util/units'
import type { KernelState } from '../state'
import { MAX_NR_ZONES, ZONE_MOVABLE, ZONE_NORMAL } from './gfp'
import { mulFrac, WMARK_HIGH, WMARK_LOW, WMARK_MIN, WMARK_PROMO, wmark, type Zone } from './mmzone'
import { updatePcpHigh } from './pcp_size'

const PAGEBLOCK_PAGES = 512
/** Types of the per-CPU lists: unmovable, movable, reclaimable. */
const PCP_TYPES = 3
/** Below 512 MiB huge pages are switched off at boot. @kernel mm/huge_memory.c hugepage_init() */
const THP_MIN_PAGES = 131072

/**
 * Pages of zones up to Normal above their high mark.
 * @kernel  mm/page_alloc.c nr_free_buffer_pages()
 * @spec    01 §1.6
 */
export function nrFreeBufferPages(state: KernelState): Pages {
  let sum = 0
  for (const zone of state.zones) {
    if (zone.idx <= ZONE_NORMAL) sum += Math.max(0, zone.managed - wmark(zone, WMARK_HIGH))
  }
  return sum
}

/**
 * Floor of the square root; exact, because Math.sqrt is correctly rounded and the numbers stay far below 2^53.
 * @kernel  lib/math/int_sqrt.c
 */
export const intSqrt = (n: number): number => Math.floor(Math.sqrt(n))

/**
 * min_free_kbytes from the square root of low memory, unless the user asked for more.
 * @kernel  mm/page_alloc.c calculate_min_free_kbytes()
 * @spec    01 §1.6 steps 1–2
 */
export function calculateMinFreeKbytes(state: KernelState): void {
  const wanted = intSqrt(nrFreeBufferPages(state) * 4 * 16)
  if (wanted > state.sysctl.userMinFreeKbytes) state.sysctl.minFreeKbytes = Math.min(262144, Math.max(128, wanted))
}

/**
 * Everything that boot computes from zone sizes, with the pages that were managed then: memory of the initrd and of the
 * kernel's init sections comes back later, and nothing is computed again.
 * @kernel  mm/page_alloc.c init_per_zone_wmark_min(), mm/huge_memory.c hugepage_init()
 * @spec    01 §1.6, §1.6a
 */
export function initMinFreeKbytes(state: KernelState): void {
  const final = state.zones.map((zone) => zone.managed)
  let total = 0
  for (const zone of state.zones) {
    zone.managed = zone.managedAtBoot
    total += zone.managed
  }
  calculateMinFreeKbytes(state)
  setupPerZoneWmarks(state)
  setupPerZoneLowmemReserve(state)
  if (total < THP_MIN_PAGES) state.thpEnabled = 'never'
  else khugepagedMinFree(state)
  state.zones.forEach((zone, i) => {
    zone.managed = final[i]!
  })
}

/**
 * khugepaged wants two pageblocks a zone and migrate type free. Runs at boot and at every write to
 * /sys/kernel/mm/transparent_hugepage/enabled, even of the value it has.
 * @kernel  mm/khugepaged.c set_recommended_min_free_kbytes()
 * @spec    01 §1.6 steps 3 and 5
 */
export function khugepagedMinFree(state: KernelState): void {
  if (state.thpEnabled === 'never') {
    calculateMinFreeKbytes(state)
  } else {
    const wanted = Math.min(thpMinFreePages(populatedLowZones(state)), Math.floor(nrFreeBufferPages(state) / 20))
    if (wanted * 4 > state.sysctl.minFreeKbytes) state.sysctl.minFreeKbytes = wanted * 4
  }
  setupPerZoneWmarks(state)
}

/** 2 + 3 × 3 pageblocks for each zone, pages. @kernel mm/khugepaged.c set_recommended_min_free_kbytes() @spec 01 §1.6 */
export const thpMinFreePages = (zones: number): Pages => PAGEBLOCK_PAGES * zones * (2 + PCP_TYPES * PCP_TYPES)

const populatedLowZones = (state: KernelState): number =>
  state.zones.filter((zone) => zone.present > 0 && zone.idx <= ZONE_NORMAL).length

/**
 * min, low, high and promo of all zones; boosts end. Per-CPU list sizes follow from `low`.
 * @kernel  mm/page_alloc.c setup_per_zone_wmarks()
 * @spec    01 §1.7
 */
export function setupPerZoneWmarks(state: KernelState): void {
  const pagesMin = Math.floor(state.sysctl.minFreeKbytes / 4)
  // 6.1 treats Movable like any other zone.
  const isLow = (zone: Zone): boolean => zone.idx !== ZONE_MOVABLE || zone.series === '6.1'
  let lowmem = 0
  for (const zone of state.zones) if (isLow(zone)) lowmem += zone.managed
  for (const zone of state.zones) {
    const share = lowmem === 0 ? 0 : Math.floor((pagesMin * zone.managed) / lowmem)
    const min = isLow(zone) ? share : Math.min(128, Math.max(32, Math.floor(zone.managed / 1024)))
    const gap = Math.max(Math.floor(share / 4), mulFrac(zone.managed, state.sysctl.watermarkScaleFactor, 10000))
    zone.watermark[WMARK_MIN] = min
    zone.watermark[WMARK_LOW] = min + gap
    zone.watermark[WMARK_HIGH] = min + 2 * gap
    zone.watermark[WMARK_PROMO] = min + 3 * gap
    zone.watermarkBoost = 0
  }
  calculateTotalreserve(state)
  for (const zone of state.zones) updatePcpHigh(state, zone)
}

/**
 * Pages that a zone keeps from allocations that could use a higher one.
 * @kernel  mm/page_alloc.c setup_per_zone_lowmem_reserve()
 * @spec    01 §1.5
 */
export function setupPerZoneLowmemReserve(state: KernelState): void {
  for (const node of state.nodes) {
    for (let i = 0; i < MAX_NR_ZONES; i++) {
      const zone = state.zones[node.zones[i]!]!
      const ratio = state.sysctl.lowmemReserveRatio[i] ?? 0
      let above = 0
      for (let j = 0; j < MAX_NR_ZONES; j++) {
        if (j > i) above += state.zones[node.zones[j]!]!.managed
        zone.lowmemReserve[j] = j <= i || ratio < 1 || zone.managed === 0 ? 0 : Math.floor(above / ratio)
      }
    }
  }
  calculateTotalreserve(state)
}

/**
 * Pages that no user page will ever get, used for MemAvailable and dirty limits.
 * @kernel  mm/page_alloc.c calculate_totalreserve_pages()
 * @spec    01 §1.5
 */
export function calculateTotalreserve(state: KernelState): void {
  let total = 0
  for (const node of state.nodes) {
    node.totalreservePages = 0
    for (const index of node.zones) {
      const zone = state.zones[index]!
      let max = 0
      for (let j = zone.idx; j < MAX_NR_ZONES; j++) max = Math.max(max, zone.lowmemReserve[j]!)
      const reserve = Math.min(zone.managed, max + wmark(zone, WMARK_HIGH))
      node.totalreservePages += reserve
      total += reserve
    }
  }
  state.totalreservePages = total
}

/** vm.min_free_kbytes. EINVAL below 0. @kernel mm/page_alloc.c min_free_kbytes_sysctl_handler() @spec 01 §1.6 step 4 */
export function writeMinFreeKbytes(state: KernelState, kb: Kib): Errno | undefined {
  if (!Number.isSafeInteger(kb) || kb < 0) return 'EINVAL'
  state.sysctl.minFreeKbytes = kb
  state.sysctl.userMinFreeKbytes = kb
  setupPerZoneWmarks(state)
  return undefined
}

/** vm.watermark_scale_factor, 1…3000. @kernel watermark_scale_factor_sysctl_handler() @spec 01 §1.7 */
export function writeWatermarkScaleFactor(state: KernelState, factor: number): Errno | undefined {
  if (!Number.isSafeInteger(factor) || factor < 1 || factor > 3000) return 'EINVAL'
  state.sysctl.watermarkScaleFactor = factor
  setupPerZoneWmarks(state)
  return undefined
}

/**
 * vm.lowmem_reserve_ratio: as many values as were written, the rest stays; values below 1 become 0.
 * @kernel  mm/page_alloc.c lowmem_reserve_ratio_sysctl_handler()
 * @spec    01 §1.5
 */
export function writeLowmemReserveRatio(state: KernelState, values: readonly number[]): Errno | undefined {
  if (values.length > MAX_NR_ZONES || values.some((v) => !Number.isSafeInteger(v))) return 'EINVAL'
  values.forEach((value, i) => {
    state.sysctl.lowmemReserveRatio[i] = value
  })
  touchLowmemReserve(state)
  return undefined
}

/**
 * The handler of vm.lowmem_reserve_ratio does not look at the direction: reading the file recomputes the reserves too.
 * @kernel  mm/page_alloc.c lowmem_reserve_ratio_sysctl_handler()
 * @spec    01 §1.5 (c)
 */
export function touchLowmemReserve(state: KernelState): void {
  const ratio = state.sysctl.lowmemReserveRatio
  for (let i = 0; i < MAX_NR_ZONES; i++) if ((ratio[i] ?? 0) < 1) ratio[i] = 0
  setupPerZoneLowmemReserve(state)
}

/** vm.percpu_pagelist_high_fraction: 0, or at least 8. @kernel percpu_pagelist_high_fraction_sysctl_handler() @spec 01 §1.8 */
export function writePercpuPagelistHighFraction(state: KernelState, fraction: number): Errno | undefined {
  if (!Number.isSafeInteger(fraction) || (fraction !== 0 && fraction < 8)) return 'EINVAL'
  state.sysctl.percpuPagelistHighFraction = fraction
  for (const zone of state.zones) updatePcpHigh(state, zone)
  return undefined
}
