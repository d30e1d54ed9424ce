/**
 * LRU lists: per-CPU batches of pages on their way to a list, and moving between lists. Both reclaim policies are
 * served: with MGLRU on, a page enters a generation instead of one of the four classic lists.
 * @kernel  mm/swap.c, include/linux/mm_inline.h
 * @spec    05 §5.2
 */
import { AssertionError } from '../../util/assert'
import type { Pfn } from '../../util/units'
import { currentTask } from '../exec'
import type { KernelState } from '../state'
import { folioNrPages } from './folio'
import {
  LRU_UNEVICTABLE,
  folioIsFileLru,
  folioLruvec,
  folioZonenum,
  updateLruSize,
  workingsetAgeNonresident,
  type Lruvec,
} from './lruvec'
import {
  PG_ACTIVE,
  PG_ANON,
  PG_DIRTY,
  PG_HEAD,
  PG_LOCKED,
  PG_LRU,
  PG_LRU_BATCH,
  PG_MLOCKED,
  PG_REFERENCED,
  PG_SWAPBACKED,
  PG_SWAPCACHE,
  PG_UNEVICTABLE,
  clearFlag,
  hasFlag,
  listAddHead,
  listAddTail,
  listDel,
  pageFlags,
  pageMemcg,
  pageZoneIndex,
  setFlag,
  setFlags,
  type MemMap,
} from './memmap'
import { MEMCG_STAT_PGACTIVATE, MEMCG_STAT_PGDEACTIVATE, MEMCG_STAT_PGLAZYFREE, modMemcgState } from './memcg_stat'
import { folioIncRefs, lruGenAddAlike, lruGenAddFolio, lruGenDelFolio } from './reclaim/lru_gen'
import { noteAccessed } from './reclaim/reclaim_log'
import { PGACTIVATE, PGDEACTIVATE, PGLAZYFREE, PGROTATED, countVmEvents } from './vmstat'

export {
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  LRU_UNEVICTABLE,
  NR_LRU_LISTS,
  createLruvec,
  lruNoteCost,
  lruvecOf,
  type LruGen,
  type Lruvec,
} from './lruvec'

/** Pages a CPU collects before it takes the LRU lock. @kernel include/linux/pagevec.h PAGEVEC_SIZE: 15, 31 since 6.9 */
const batchSize = (state: KernelState): number => (state.config.series === '6.1' ? 15 : 31)

/** One batch a CPU. @kernel struct cpu_fbatches */
export const createLruBatches = (nrCpus: number): KernelState['lruBatches'] =>
  Array.from({ length: nrCpus }, () => ({ pages: new Int32Array(31), count: 0 }))

const isMglru = (state: KernelState): boolean => (state.mglruEnabled & 1) !== 0

/** Classic list that the page's flags name. @kernel include/linux/mm_inline.h folio_lru_list() */
export function folioLruList(state: KernelState, pfn: Pfn): number {
  const flags = pageFlags(state.memmap, pfn)
  if (flags & PG_UNEVICTABLE) return LRU_UNEVICTABLE
  return folioIsFileLru(state, pfn) * 2 + ((flags & PG_ACTIVE) === 0 ? 0 : 1)
}

/**
 * Links a page that is on no list where its flags say: the head of its list, or its tail.
 * @kernel  include/linux/mm_inline.h lruvec_add_folio(), lruvec_add_folio_tail()
 */
export function lruvecAddFolio(state: KernelState, lruvec: Lruvec, pfn: Pfn, atTail: boolean): void {
  if (isMglru(state) && !hasFlag(state.memmap, pfn, PG_UNEVICTABLE)) {
    lruGenAddFolio(state, lruvec, pfn, atTail)
    return
  }
  const lru = folioLruList(state, pfn)
  updateLruSize(state, lruvec, lru, folioZonenum(state, pfn), folioNrPages(state.memmap, pfn))
  if (lru === LRU_UNEVICTABLE) return
  if (atTail) listAddTail(state.memmap, lruvec.lists, lru, pfn)
  else listAddHead(state.memmap, lruvec.lists, lru, pfn)
}

/** Unlinks a page from whichever list it is on. @kernel include/linux/mm_inline.h lruvec_del_folio() */
export function lruvecDelFolio(state: KernelState, lruvec: Lruvec, pfn: Pfn): void {
  if (lruGenDelFolio(state, lruvec, pfn, false)) return
  const lru = folioLruList(state, pfn)
  if (lru !== LRU_UNEVICTABLE) listDel(state.memmap, lruvec.lists, lru, pfn)
  updateLruSize(state, lruvec, lru, folioZonenum(state, pfn), -folioNrPages(state.memmap, pfn))
}

/**
 * A charged, flagged page starts on its way to the LRU lists.
 * @param inFault  brought in by a user fault: MGLRU then puts it into the youngest generation
 * @kernel  mm/swap.c folio_add_lru()
 */
export function folioAddLru(state: KernelState, pfn: Pfn, inFault: boolean): void {
  const flags = pageFlags(state.memmap, pfn)
  if ((flags & (PG_LRU | PG_LRU_BATCH)) !== 0) throw new AssertionError(`pfn ${pfn} is added to the LRU twice`)
  const isYoung = inFault && isMglru(state) && (flags & PG_UNEVICTABLE) === 0 && currentTask(state)?.memalloc !== true
  setFlags(state.memmap, pfn, flags | PG_LRU_BATCH | (isYoung ? PG_ACTIVE : 0))
  const batch = state.lruBatches[state.exec.cpu]!
  batch.pages[batch.count++] = pfn
  // A large folio waits for nobody.
  if (batch.count >= batchSize(state) || (flags & PG_HEAD) !== 0) lruAddDrain(state)
}

/** Empties one CPU's batch onto the lists. @kernel mm/swap.c lru_add_drain_cpu() */
export function lruAddDrain(state: KernelState, cpu: number = state.exec.cpu): void {
  const batch = state.lruBatches[cpu]!
  for (let from = 0; from < batch.count;) {
    from = addAlike(state, batch.pages, from, alikeUntil(state.memmap, batch.pages, from, batch.count))
  }
  batch.count = 0
}

/** Where the single pages end that have the flags, the group and the zone of the one at `from`. */
function alikeUntil(m: MemMap, pages: Int32Array, from: number, count: number): number {
  const first = pages[from]!
  const flags = pageFlags(m, first)
  let to = from + 1
  if ((flags & PG_HEAD) !== 0) return to
  while (to < count && pageFlags(m, pages[to]!) === flags && isSameLruvec(m, pages[to]!, first)) to++
  return to
}

const isSameLruvec = (m: MemMap, a: Pfn, b: Pfn): boolean =>
  pageMemcg(m, a) === pageMemcg(m, b) && pageZoneIndex(m, a) === pageZoneIndex(m, b)

/**
 * Pages of a batch that look alike go to the head of one list, whose counters then change once: most batches are filled
 * by one task's faults (measured: an anonymous fault takes a tenth less). Says where it got to.
 */
function addAlike(state: KernelState, pages: Int32Array, from: number, to: number): number {
  const first = pages[from]!
  const before = pageFlags(state.memmap, first)
  const gone = (before & PG_UNEVICTABLE) === 0 ? PG_LRU_BATCH : PG_LRU_BATCH | PG_ACTIVE
  const flags = (before & ~gone) | PG_LRU
  const lruvec = folioLruvec(state, first)
  if (to - from > 1 && isMglru(state) && (flags & PG_UNEVICTABLE) === 0) {
    lruGenAddAlike(state, lruvec, pages, from, to, flags)
    return to
  }
  for (let i = from; i < to; i++) {
    setFlags(state.memmap, pages[i]!, flags)
    lruvecAddFolio(state, lruvec, pages[i]!, false)
  }
  return to
}

/** @kernel  mm/swap.c lru_add_drain_all() */
export function lruAddDrainAll(state: KernelState): void {
  for (let cpu = 0; cpu < state.lruBatches.length; cpu++) lruAddDrain(state, cpu)
}

function removeFromBatch(state: KernelState, pfn: Pfn): void {
  for (const batch of state.lruBatches) {
    const i = batch.pages.subarray(0, batch.count).indexOf(pfn)
    if (i < 0) continue
    batch.pages.copyWithin(i, i + 1, batch.count)
    batch.count--
    return
  }
  throw new AssertionError(`pfn ${pfn} is marked as waiting in a batch and is in none`)
}

/**
 * Takes a page off its list, or out of the batch it waits in. Nothing happens to a page that is on neither.
 * @kernel  mm/swap.c __page_cache_release(), folio_isolate_lru()
 */
export function lruDel(state: KernelState, pfn: Pfn): void {
  if (hasFlag(state.memmap, pfn, PG_LRU_BATCH)) {
    clearFlag(state.memmap, pfn, PG_LRU_BATCH)
    removeFromBatch(state, pfn)
  } else if (hasFlag(state.memmap, pfn, PG_LRU)) {
    lruvecDelFolio(state, folioLruvec(state, pfn), pfn)
    clearFlag(state.memmap, pfn, PG_LRU)
  }
}

/**
 * Back to the lists after isolation, without a batch.
 * @kernel  mm/vmscan.c folio_putback_lru(), move_folios_to_lru()
 */
export function folioPutback(state: KernelState, pfn: Pfn, atTail = false): void {
  if (hasFlag(state.memmap, pfn, PG_UNEVICTABLE)) clearFlag(state.memmap, pfn, PG_ACTIVE)
  setFlag(state.memmap, pfn, PG_LRU)
  lruvecAddFolio(state, folioLruvec(state, pfn), pfn, atTail)
}

/**
 * The page was used through a file descriptor, or its PTE was young when it was unmapped.
 * @kernel  mm/swap.c folio_mark_accessed()
 */
export function folioMarkAccessed(state: KernelState, pfn: Pfn): void {
  if (isMglru(state)) {
    if (!hasFlag(state.memmap, pfn, PG_UNEVICTABLE)) folioIncRefs(state, pfn)
    return
  }
  const flags = pageFlags(state.memmap, pfn)
  if ((flags & PG_REFERENCED) === 0) {
    setFlag(state.memmap, pfn, PG_REFERENCED)
    return
  }
  if ((flags & (PG_UNEVICTABLE | PG_ACTIVE)) !== 0) return
  if (flags & PG_LRU) folioActivate(state, pfn)
  else setFlag(state.memmap, pfn, PG_ACTIVE)
  clearFlag(state.memmap, pfn, PG_REFERENCED)
  workingsetAgeNonresident(state, folioLruvec(state, pfn), folioNrPages(state.memmap, pfn))
}

/**
 * @kernel      mm/swap.c folio_activate()
 * @simplifies  at once instead of through a per-CPU batch
 */
export function folioActivate(state: KernelState, pfn: Pfn): void {
  const flags = pageFlags(state.memmap, pfn)
  if ((flags & PG_LRU) === 0 || (flags & (PG_ACTIVE | PG_UNEVICTABLE)) !== 0) return
  const lruvec = folioLruvec(state, pfn)
  lruvecDelFolio(state, lruvec, pfn)
  setFlag(state.memmap, pfn, PG_ACTIVE)
  lruvecAddFolio(state, lruvec, pfn, false)
  const nr = folioNrPages(state.memmap, pfn)
  noteAccessed(lruvec, folioIsFileLru(state, pfn), nr)
  countVmEvents(state.vmstat, PGACTIVATE, nr)
  modMemcgState(state, lruvec.memcg, MEMCG_STAT_PGACTIVATE, nr)
}

/**
 * Writeback of a page that reclaim wants has ended: to the tail, to be freed next.
 * @kernel  mm/swap.c folio_rotate_reclaimable()
 */
export function folioRotateReclaimable(state: KernelState, pfn: Pfn): void {
  const flags = pageFlags(state.memmap, pfn)
  if ((flags & (PG_LOCKED | PG_DIRTY | PG_UNEVICTABLE)) !== 0 || (flags & PG_LRU) === 0) return
  const lruvec = folioLruvec(state, pfn)
  lruvecDelFolio(state, lruvec, pfn)
  clearFlag(state.memmap, pfn, PG_ACTIVE)
  lruvecAddFolio(state, lruvec, pfn, true)
  countVmEvents(state.vmstat, PGROTATED, folioNrPages(state.memmap, pfn))
}

/** MADV_COLD. @kernel mm/swap.c lru_deactivate_fn() */
export function folioDeactivate(state: KernelState, pfn: Pfn): void {
  const flags = pageFlags(state.memmap, pfn)
  if ((flags & PG_LRU) === 0 || (flags & PG_UNEVICTABLE) !== 0) return
  if ((flags & PG_ACTIVE) === 0 && !isMglru(state)) return
  const lruvec = folioLruvec(state, pfn)
  lruvecDelFolio(state, lruvec, pfn)
  clearFlag(state.memmap, pfn, PG_ACTIVE | PG_REFERENCED)
  lruvecAddFolio(state, lruvec, pfn, false)
  const nr = folioNrPages(state.memmap, pfn)
  countVmEvents(state.vmstat, PGDEACTIVATE, nr)
  modMemcgState(state, lruvec.memcg, MEMCG_STAT_PGDEACTIVATE, nr)
}

/**
 * MADV_FREE: a clean anonymous page that may be dropped without swap joins the file lists.
 * @kernel  mm/swap.c lru_lazyfree_fn()
 */
export function folioMarkLazyfree(state: KernelState, pfn: Pfn): void {
  if (hasFlag(state.memmap, pfn, PG_LRU_BATCH)) lruAddDrainAll(state)
  const flags = pageFlags(state.memmap, pfn)
  const wanted = PG_ANON | PG_SWAPBACKED | PG_LRU
  if ((flags & wanted) !== wanted || (flags & (PG_SWAPCACHE | PG_UNEVICTABLE)) !== 0) return
  const lruvec = folioLruvec(state, pfn)
  lruvecDelFolio(state, lruvec, pfn)
  clearFlag(state.memmap, pfn, PG_ACTIVE | PG_REFERENCED | PG_SWAPBACKED)
  lruvecAddFolio(state, lruvec, pfn, false)
  const nr = folioNrPages(state.memmap, pfn)
  countVmEvents(state.vmstat, PGLAZYFREE, nr)
  modMemcgState(state, pageMemcg(state.memmap, pfn) || 1, MEMCG_STAT_PGLAZYFREE, nr)
}

/**
 * mlock and munlock: the page changes to or from the unevictable count.
 * @kernel  mm/mlock.c mlock_folio(), munlock_folio()
 */
export function folioSetMlocked(state: KernelState, pfn: Pfn, locked: boolean): void {
  const wasOnLru = hasFlag(state.memmap, pfn, PG_LRU)
  if (wasOnLru) lruvecDelFolio(state, folioLruvec(state, pfn), pfn)
  if (locked) {
    setFlag(state.memmap, pfn, PG_MLOCKED | PG_UNEVICTABLE)
    clearFlag(state.memmap, pfn, PG_ACTIVE)
  } else clearFlag(state.memmap, pfn, PG_MLOCKED | PG_UNEVICTABLE)
  if (wasOnLru) lruvecAddFolio(state, folioLruvec(state, pfn), pfn, false)
}
