/**
 * Free ranges of an address space, from the top down or from below.
 * @kernel  mm/mmap.c vm_unmapped_area(), mm/huge_memory.c __thp_get_unmapped_area(), arch/x86/kernel/sys_x86_64.c
 * @spec    04 §4.4
 */
import { HPAGE_PAGES, PAGE_SIZE, type Pages, type Vpn } from '../../util/units'
import type { KernelState } from '../state'
import { VM_GROWSDOWN, type Mm, type Vma } from './mm_types'
import { TASK_SIZE_VPN } from './vma'
import { findVmaIndex } from './vma_find'

/** Nothing is mapped below, so that a null pointer with an offset faults. @kernel CONFIG_LSM_MMAP_MIN_ADDR = 65536 */
const MMAP_MIN_VPN: Vpn = 16
/** Bottom-up search starts here when there is no room below mmap_base. @kernel TASK_UNMAPPED_BASE */
const UNMAPPED_BASE_VPN: Vpn = Math.ceil(TASK_SIZE_VPN / 3)
const LEGACY_MMAP_BASE = UNMAPPED_BASE_VPN * PAGE_SIZE
/** Pages between a stack and the mapping below it. @kernel stack_guard_gap */
export const GUARD_GAP_PAGES: Pages = 256
/** Lowest page of a mapping with the gap that a stack keeps below itself. @kernel vm_start_gap() */
export const startGap = (vma: Vma): Vpn =>
  (vma.flags & VM_GROWSDOWN) !== 0 ? Math.max(0, vma.start - GUARD_GAP_PAGES) : vma.start

/** Whether places are looked for downwards; not in programs that were started with legacy_va_layout. @kernel MMF_TOPDOWN */
const isTopDown = (mm: Mm): boolean => mm.mmapBase !== LEGACY_MMAP_BASE

/** Highest gap of that size up to `above` pages beyond mmap_base, else the lowest one. @returns −1 none @kernel vm_unmapped_area() */
function findGap(mm: Mm, pages: Pages, above: Pages): Vpn {
  let top = mm.mmapBase / PAGE_SIZE + above
  for (let i = isTopDown(mm) ? mm.vmas.length - 1 : -2; i >= -1; i--) {
    const floor = i < 0 ? MMAP_MIN_VPN : mm.vmas[i]!.end
    if (floor < top && top - pages >= floor) return top - pages
    if (i >= 0) top = Math.min(top, startGap(mm.vmas[i]!))
  }
  let bottom = UNMAPPED_BASE_VPN
  for (let i = findVmaIndex(mm, bottom); i < mm.vmas.length; i++) {
    if (startGap(mm.vmas[i]!) - bottom >= pages) return bottom
    bottom = Math.max(bottom, mm.vmas[i]!.end)
  }
  return TASK_SIZE_VPN + above - bottom >= pages ? bottom : -1
}

/**
 * A free range: the highest below mmap_base; upwards from a third of the address space with legacy_va_layout.
 * @returns first page, −1 when the address space is full
 * @kernel  mm_get_unmapped_area(), thp_get_unmapped_area() (6.7+: anonymous multiples of 2 MiB are aligned to 2 MiB)
 */
export function findFreeRange(state: KernelState, mm: Mm, pages: Pages, isAnonymous: boolean, above: Pages = 0): Vpn {
  if (state.config.series !== '6.1' && isAnonymous && pages % HPAGE_PAGES === 0) {
    // Room for one huge page more, so that an aligned range lies in it somewhere.
    const start = findGap(mm, pages + HPAGE_PAGES, above)
    const skip = isTopDown(mm) ? HPAGE_PAGES : HPAGE_PAGES - 1
    if (start >= 0) return Math.floor((start + skip) / HPAGE_PAGES) * HPAGE_PAGES
  }
  return findGap(mm, pages, above)
}

/**
 * A range in which huge pages of a file would lie as they do in the file, if one fits.
 * @kernel  mm/huge_memory.c __thp_get_unmapped_area(), get_unmapped_area of ext4's files
 */
export function findFileRange(mm: Mm, pages: Pages, offset: Pages): Vpn {
  const aligned = Math.ceil(offset / HPAGE_PAGES) * HPAGE_PAGES
  const start = offset + pages - aligned >= HPAGE_PAGES ? findGap(mm, pages + HPAGE_PAGES, 0) : -1
  if (start < 0) return findGap(mm, pages, 0)
  const shift = (((offset - start) % HPAGE_PAGES) + HPAGE_PAGES) % HPAGE_PAGES
  return start + (shift === 0 && isTopDown(mm) ? HPAGE_PAGES : shift)
}

/** As hugetlb_get_unmapped_area(): whole huge pages at a multiple of their size. */
export function findHugeRange(mm: Mm, pages: Pages, unit: Pages, above: Pages): Vpn {
  const start = findGap(mm, pages + unit - 1, above)
  return start < 0 ? -1 : Math.floor((start + unit - 1) / unit) * unit
}

/** First page that a person may lower or raise, but never below the kernel's own limit. @kernel security/min_addr.c update_mmap_min_addr() */
export const minMapVpn = (state: KernelState): Vpn =>
  Math.max(MMAP_MIN_VPN, Math.ceil(state.sysctl.mmapMinAddr / PAGE_SIZE))

/** A program that starts now gets its mappings from here on. @kernel arch/x86/mm/mmap.c arch_pick_mmap_layout() */
export function pickMmapLayout(state: KernelState, mm: Mm): void {
  if (state.sysctl.legacyVaLayout !== 0) mm.mmapBase = LEGACY_MMAP_BASE
}
