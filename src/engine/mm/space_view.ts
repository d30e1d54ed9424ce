/**
 * A process's address space as a reader from outside sees it: its mappings in order, with what of them is in memory.
 * @kernel  fs/proc/task_mmu.c smap_gather_stats()
 * @spec    04 §4.4, §4.10
 */
import { HPAGE_PAGES, PAGE_SIZE, type Bytes, type Pages } from '../../util/units'
import type { KernelState } from '../state'
import { forEachHugeEntry, forEachHugePmd, pmdPfn } from './huge_pmd'
import { vmaUnit } from './hugetlb_pool'
import { VM_EXEC, VM_GROWSDOWN, VM_LOCKED, VM_READ, VM_SHARED, VM_WRITE, type Mm, type Vma } from './mm_types'
import { forEachPte, isSwapPte, ptePfn } from './pgtable'
import { pteKind } from './raw_pte'

export interface VmaView {
  /** First byte and the byte behind the last. */
  readonly start: number
  readonly end: number
  /** As in /proc/<pid>/maps: 'rw-p'. */
  readonly perms: string
  /** '[heap]', '[stack]', a path, or '' for anonymous memory. */
  readonly name: string
  readonly kind: 'anonymous' | 'file' | 'shared' | 'stack' | 'heap'
  readonly isLocked: boolean
  /** Pages that a page-table entry maps; the zero page counts apart. */
  readonly residentPages: Pages
  readonly zeroPages: Pages
  readonly swappedPages: Pages
  /** Part of the resident pages that entries of 2 MiB or 1 GiB map. */
  readonly hugePages: Pages
}

export interface SpaceView {
  readonly vmas: readonly VmaView[]
  /** Page tables of levels PTE, PMD and PUD: VmPTE. */
  readonly tableBytes: Bytes
  /** First address that no mapping may have. */
  readonly taskSize: number
  /** Where new mappings go down from, and the heap's two ends. */
  readonly mmapBase: number
  readonly startBrk: number
  readonly brk: number
}

/**
 * Walks all page tables of the process: as slow as it is large.
 * @kernel  show_smap()
 */
export function spaceView(state: KernelState, mm: Mm, taskSize: number): SpaceView {
  return {
    vmas: mm.vmas.map((vma) => vmaView(state, mm, vma)),
    tableBytes: mm.pgtablesBytes,
    taskSize,
    mmapBase: mm.mmapBase,
    startBrk: mm.startBrk,
    brk: mm.brk,
  }
}

function vmaView(state: KernelState, mm: Mm, vma: Vma): VmaView {
  let resident = 0
  let zero = 0
  let swapped = 0
  forEachPte(state, mm, vma.start, vma.end, (_slot, pte) => {
    if (isSwapPte(pte)) swapped++
    else if (pteKind(pte) === 'page' && ptePfn(pte) === state.zeroPfn) zero++
    else resident++
  })
  let huge = 0
  forEachHugePmd(state, mm, vma.start, vma.end, (_slot, entry, first) => {
    const pages = Math.min(first + HPAGE_PAGES, vma.end) - Math.max(first, vma.start)
    if (pmdPfn(entry) === state.thp.hugeZeroPfn) zero += pages
    else huge += pages
  })
  forEachHugeEntry(state, mm, { start: vma.start, end: vma.end, level: 3 }, () => (huge += vmaUnit(vma)))
  const has = (flag: number, letter: string): string => ((vma.flags & flag) !== 0 ? letter : '-')
  const isShared = (vma.flags & VM_SHARED) !== 0
  return {
    start: vma.start * PAGE_SIZE,
    end: vma.end * PAGE_SIZE,
    perms: `${has(VM_READ, 'r')}${has(VM_WRITE, 'w')}${has(VM_EXEC, 'x')}${isShared ? 's' : 'p'}`,
    name: vma.name,
    kind: kindOf(vma, isShared),
    isLocked: (vma.flags & VM_LOCKED) !== 0,
    residentPages: resident + huge,
    zeroPages: zero,
    swappedPages: swapped,
    hugePages: huge,
  }
}

function kindOf(vma: Vma, isShared: boolean): VmaView['kind'] {
  if ((vma.flags & VM_GROWSDOWN) !== 0) return 'stack'
  if (vma.name === '[heap]') return 'heap'
  if (vma.ino === 0) return 'anonymous'
  return isShared ? 'shared' : 'file'
}
