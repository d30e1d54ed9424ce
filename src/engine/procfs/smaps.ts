/**
 * /proc/<pid>/smaps and smaps_rollup: what each mapping holds in memory, shared and alone, small and huge.
 * @kernel  fs/proc/task_mmu.c show_smap(), show_smaps_rollup()
 * @spec    09 §9.8
 */
import { HPAGE_PAGES, PAGE_SIZE, type Bytes, type Pages, type Pfn } from '../../util/units'
import { isShmem, shmemSwapSlot } from '../mm/filemap'
import { compoundHead, pageMapcount } from '../mm/folio'
import { forEachHugePmd, hugeStart, pmdPfn } from '../mm/huge_pmd'
import { forEachHugetlb } from '../mm/hugetlb_map'
import { vmaUnit } from '../mm/hugetlb_pool'
import { PG_ANON, PG_DIRTY, PG_FILE, PG_REFERENCED, PG_SWAPBACKED, mapcount, pageFlags } from '../mm/memmap'
import { VM_GROWSDOWN, VM_LOCKED, VM_SHARED, VM_WRITE, type Mm, type Vma } from '../mm/mm_types'
import { PTE_ACCESSED, PTE_DIRTY, findPteSlot, forEachPte, isSwapPte, pteAt, ptePfn, pteSwapSlot } from '../mm/pgtable'
import { mmOf } from '../mm/rss'
import { swapCount } from '../mm/swapfile'
import { thpEnabledFor, thpVmaAllowed } from '../mm/thp'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { mapsLine } from './maps'

/** Bytes; proportional shares in 2^-12 bytes, as the kernel adds them up. @kernel struct mem_size_stats */
const createStats = () => ({
  resident: 0,
  pss: 0,
  pssDirty: 0,
  pssAnon: 0,
  pssFile: 0,
  pssShmem: 0,
  pssLocked: 0,
  sharedClean: 0,
  sharedDirty: 0,
  privateClean: 0,
  privateDirty: 0,
  referenced: 0,
  anonymous: 0,
  lazyfree: 0,
  anonymousThp: 0,
  sharedHugetlb: 0,
  privateHugetlb: 0,
  swap: 0,
  swapPss: 0,
})
type MemSizeStats = ReturnType<typeof createStats>

/** @kernel PSS_SHIFT */
const PSS_SHIFT = 12
const PSS_ONE = 2 ** PSS_SHIFT

/** `nr` pages that one entry maps. @kernel fs/proc/task_mmu.c smaps_account() */
function account(state: KernelState, mss: MemSizeStats, vma: Vma, pfn: Pfn, entry: number, nr: Pages): void {
  const m = state.memmap
  const size: Bytes = nr * PAGE_SIZE
  const flags = pageFlags(m, compoundHead(m, pfn))
  const isDirty = (entry & PTE_DIRTY) !== 0 || (flags & PG_DIRTY) !== 0
  if (flags & PG_ANON) {
    mss.anonymous += size
    if ((flags & PG_SWAPBACKED) === 0 && !isDirty) mss.lazyfree += size
  }
  mss.resident += size
  if ((entry & PTE_ACCESSED) !== 0 || (flags & PG_REFERENCED) !== 0) mss.referenced += size
  for (let i = 0; i < nr; i++) {
    const mapcount = pageMapcount(m, pfn + i)
    const pss = Math.floor((PAGE_SIZE * PSS_ONE) / Math.max(1, mapcount))
    mss.pss += pss
    if (flags & PG_ANON) mss.pssAnon += pss
    else if ((flags & (PG_FILE | PG_SWAPBACKED)) === (PG_FILE | PG_SWAPBACKED)) mss.pssShmem += pss
    else mss.pssFile += pss
    if (isDirty) mss.pssDirty += pss
    if ((vma.flags & VM_LOCKED) !== 0) mss.pssLocked += pss
    if (mapcount >= 2) mss[isDirty ? 'sharedDirty' : 'sharedClean'] += PAGE_SIZE
    else mss[isDirty ? 'privateDirty' : 'privateClean'] += PAGE_SIZE
  }
}

/**
 * Pages of a tmpfs file that are in swap, behind a mapping of it: all of its range, or, where the mapping has copies of its
 * own, those that no entry stands for.
 * @kernel  fs/proc/task_mmu.c smap_gather_stats(), smaps_pte_hole(); mm/shmem.c shmem_partial_swap_usage()
 */
function shmemSwapped(state: KernelState, mm: Mm, vma: Vma): Pages {
  const inode = state.inodes[vma.ino]
  if (vma.ino === 0 || inode === undefined || !isShmem(inode)) return 0
  const hasCopies = (vma.flags & VM_SHARED) === 0 && (vma.flags & VM_WRITE) !== 0
  const end = Math.min(vma.pgoff + vma.end - vma.start, inode.pages.length)
  let pages = 0
  for (let index = vma.pgoff; index < end; index++) {
    if (shmemSwapSlot(inode, index) < 0) continue
    const slot = hasCopies ? findPteSlot(state, mm, vma.start + index - vma.pgoff) : -1
    if (slot < 0 || pteAt(state.pgtables, slot) === 0) pages++
  }
  return pages
}

/** @kernel fs/proc/task_mmu.c smap_gather_stats() */
function gather(state: KernelState, mm: Mm, vma: Vma, mss: MemSizeStats): void {
  if (vma.hugeOrder !== undefined) return gatherHugetlb(state, mm, vma, mss)
  mss.swap += shmemSwapped(state, mm, vma) * PAGE_SIZE
  forEachHugePmd(state, mm, vma.start, vma.end, (_slot, entry) => {
    if (pmdPfn(entry) === state.thp.hugeZeroPfn) return
    mss.anonymousThp += HPAGE_PAGES * PAGE_SIZE
    account(state, mss, vma, pmdPfn(entry), entry, HPAGE_PAGES)
  })
  forEachPte(state, mm, vma.start, vma.end, (_slot, pte) => {
    if (isSwapPte(pte)) {
      mss.swap += PAGE_SIZE
      mss.swapPss += Math.floor((PAGE_SIZE * PSS_ONE) / Math.max(1, swapCount(state, pteSwapSlot(pte))))
    } else if (ptePfn(pte) !== state.zeroPfn) account(state, mss, vma, ptePfn(pte), pte, 1)
  })
}

/** In none of the other rows. @kernel fs/proc/task_mmu.c smaps_hugetlb_range() */
function gatherHugetlb(state: KernelState, mm: Mm, vma: Vma, mss: MemSizeStats): void {
  forEachHugetlb(state, mm, { vma, start: vma.start, end: vma.end }, (_slot, entry) => {
    const isShared = mapcount(state.memmap, pmdPfn(entry)) >= 2
    mss[isShared ? 'sharedHugetlb' : 'privateHugetlb'] += vmaUnit(vma) * PAGE_SIZE
  })
}

const row = (name: string, bytes: Bytes): string =>
  `${`${name}:`.padEnd(16)}${String(Math.floor(bytes / 1024)).padStart(8)} kB\n`
const share = (name: string, pss: number): string => row(name, Math.floor(pss / PSS_ONE))

/** @kernel fs/proc/task_mmu.c __show_smap() */
function statRows(state: KernelState, mss: MemSizeStats, isRollup: boolean): string {
  const byKind = share('Pss_Anon', mss.pssAnon) + share('Pss_File', mss.pssFile) + share('Pss_Shmem', mss.pssShmem)
  return (
    row('Rss', mss.resident) +
    share('Pss', mss.pss) +
    share('Pss_Dirty', mss.pssDirty) +
    (isRollup ? byKind : '') +
    row('Shared_Clean', mss.sharedClean) +
    row('Shared_Dirty', mss.sharedDirty) +
    row('Private_Clean', mss.privateClean) +
    row('Private_Dirty', mss.privateDirty) +
    row('Referenced', mss.referenced) +
    row('Anonymous', mss.anonymous) +
    (state.config.series === '6.1' ? '' : row('KSM', 0)) +
    row('LazyFree', mss.lazyfree) +
    row('AnonHugePages', mss.anonymousThp) +
    row('ShmemPmdMapped', 0) +
    row('FilePmdMapped', 0) +
    row('Shared_Hugetlb', mss.sharedHugetlb) +
    row('Private_Hugetlb', mss.privateHugetlb) +
    row('Swap', mss.swap) +
    share('SwapPss', mss.swapPss) +
    share('Locked', mss.pssLocked)
  )
}

/** Mnemonics by bit; '' = a bit that is not shown. @kernel fs/proc/task_mmu.c show_smap_vma_flags() */
const MNEMONICS = 'rd wr ex sh mr mw me ms gd - pf - - lo io sr rr dc de lf ac nr ht sf ar wf dd sd mm hg nh mg'.split(
  ' ',
)

/** @model  all mappings but stacks are new since nobody asked for soft-dirty bits to be cleared */
const SOFT_DIRTY = 1 << 27

function vmFlagsRow(vma: Vma): string {
  const flags = (vma.flags & VM_GROWSDOWN) === 0 ? vma.flags | SOFT_DIRTY : vma.flags
  const names = MNEMONICS.filter((name, bit) => name !== '-' && ((flags >>> bit) & 1) === 1)
  return `VmFlags: ${names.map((name) => `${name} `).join('')}\n`
}

/** Some 2 MiB of the mapping may be a huge page. @kernel thp_vma_allowable_orders() with TVA_SMAPS */
function isThpEligible(state: KernelState, vma: Vma): boolean {
  const first = hugeStart(vma.start + HPAGE_PAGES - 1)
  return thpVmaAllowed(vma) && thpEnabledFor(state, vma) && first + HPAGE_PAGES <= vma.end
}

/** @kernel fs/proc/task_mmu.c show_smap() */
function smapText(state: KernelState, mm: Mm, vma: Vma): string {
  const mss = createStats()
  gather(state, mm, vma, mss)
  const eligible = isThpEligible(state, vma) ? '1' : '0'
  return (
    mapsLine(vma) +
    row('Size', (vma.end - vma.start) * PAGE_SIZE) +
    row('KernelPageSize', vmaUnit(vma) * PAGE_SIZE) +
    row('MMUPageSize', vmaUnit(vma) * PAGE_SIZE) +
    statRows(state, mss, false) +
    `THPeligible:    ${state.config.series === '6.1' ? eligible : eligible.padStart(8)}\n` +
    `ProtectionKey:  ${'0'.padStart(8)}\n` +
    vmFlagsRow(vma)
  )
}

export function smapsText(state: KernelState, task: Task): string {
  const mm = mmOf(state, task)
  return mm === undefined ? '' : mm.vmas.map((vma) => smapText(state, mm, vma)).join('')
}

/** All mappings as one. @kernel fs/proc/task_mmu.c show_smaps_rollup() */
export function smapsRollupText(state: KernelState, task: Task): string {
  const mm = mmOf(state, task)
  const first = mm?.vmas[0]
  if (mm === undefined || first === undefined) return ''
  const mss = createStats()
  for (const vma of mm.vmas) gather(state, mm, vma, mss)
  const { end } = mm.vmas.at(-1)!
  return mapsLine({ ...first, end, flags: 0, ino: 0, name: '[rollup]' }) + statRows(state, mss, true)
}
