/**
 * MGLRU's aging: a new youngest generation, after all page tables of the group were walked for accessed bits; and old
 * generations that have run empty are given up.
 * @kernel  mm/vmscan.c try_to_inc_max_seq(), inc_max_seq(), inc_min_seq(), try_to_inc_min_seq()
 * @spec    05 §5.10
 */
import { charge, now } from '../../exec'
import type { KernelState } from '../../state'
import {
  LRU_GEN_ANON,
  LRU_GEN_FILE,
  LRU_INACTIVE_FILE,
  MAX_NR_GENS,
  MIN_NR_GENS,
  folioIsFileLru,
  folioNid,
  updateLruSize,
  type LruGen,
  type Lruvec,
} from '../lruvec'
import { compoundHead } from '../folio'
import { MAX_NR_ZONES } from '../gfp'
import { forEachHugePmd, pmdPfn } from '../huge_pmd'
import { PG_ANON, PG_FILE, hasFlag, listTail, pageMemcg } from '../memmap'
import { VM_HUGETLB, VM_LOCKED, VM_RAND_READ, VM_SEQ_READ, type Mm, type Vma } from '../mm_types'
import { PTE_ACCESSED, forEachPte, isPresent, ptePfn, setPte } from '../pgtable'
import { folioIncGen, folioUpdateGen, genFromSeq, genList, genSize, moveBetweenGens, nrGens } from './lru_gen'
import { resetCtrlPos } from './mglru_pid'

/** Most pages one call of inc_min_seq moves. @kernel MAX_LRU_BATCH */
const MAX_LRU_BATCH = 4096
/** Entries of a table line that one nanosecond looks at. @kernel walk_pte_range() touches 8 entries a cache line */
const PTES_PER_NS = 1

/** A generation list is empty in all zones. */
function isEmpty(g: LruGen, gen: number, type: number): boolean {
  for (let zone = 0; zone < MAX_NR_ZONES; zone++) if (listTail(g.lists, genList(gen, type, zone)) !== 0) return false
  return true
}

/**
 * Moves min_seq past generations that are empty.
 * @returns whether one advanced
 * @kernel  mm/vmscan.c try_to_inc_min_seq()
 */
export function tryToIncMinSeq(lruvec: Lruvec, canSwap: boolean): boolean {
  const g = lruvec.gen
  const min = [g.minSeq[LRU_GEN_ANON]!, g.minSeq[LRU_GEN_FILE]!]
  const first = canSwap ? LRU_GEN_ANON : LRU_GEN_FILE
  for (let type = first; type <= LRU_GEN_FILE; type++) {
    while (min[type]! + MIN_NR_GENS <= g.maxSeq && isEmpty(g, genFromSeq(min[type]!), type)) min[type]!++
  }
  if (canSwap) {
    min[LRU_GEN_ANON] = Math.min(min[LRU_GEN_ANON]!, min[LRU_GEN_FILE]!)
    min[LRU_GEN_FILE] = Math.max(min[LRU_GEN_ANON]!, g.minSeq[LRU_GEN_FILE]!)
  }
  let advanced = false
  for (let type = first; type <= LRU_GEN_FILE; type++) {
    if (min[type] === g.minSeq[type]) continue
    resetCtrlPos(g, type)
    g.minSeq[type] = min[type]!
    advanced = true
  }
  return advanced
}

/**
 * A type already has four generations: its oldest joins the next one.
 * @returns false when there is more to move than one call may
 * @kernel  mm/vmscan.c inc_min_seq()
 */
function incMinSeq(state: KernelState, lruvec: Lruvec, type: number, canSwap: boolean): boolean {
  const g = lruvec.gen
  const oldest = genFromSeq(g.minSeq[type]!)
  let remaining = MAX_LRU_BATCH
  for (let zone = 0; zone < MAX_NR_ZONES && (type === LRU_GEN_FILE || canSwap); zone++) {
    const list = genList(oldest, type, zone)
    for (let pfn = listTail(g.lists, list); pfn !== 0; pfn = listTail(g.lists, list)) {
      const gen = folioIncGen(state, lruvec, pfn, type, false)
      moveBetweenGens(state, g, pfn, list, genList(gen, type, zone), true)
      if (--remaining === 0) return false
    }
  }
  resetCtrlPos(g, type)
  g.minSeq[type]!++
  return true
}

/** The two youngest generations count as active: the counters follow max_seq. @kernel mm/vmscan.c inc_max_seq() */
function incMaxSeq(state: KernelState, lruvec: Lruvec, canSwap: boolean): void {
  const g = lruvec.gen
  for (let type = LRU_GEN_FILE; type >= LRU_GEN_ANON; type--) {
    if (nrGens(g, type) !== MAX_NR_GENS) continue
    while (!incMinSeq(state, lruvec, type, canSwap));
  }
  const leaving = genFromSeq(g.maxSeq - 1)
  const next = genFromSeq(g.maxSeq + 1)
  for (let type = LRU_GEN_ANON; type <= LRU_GEN_FILE; type++) {
    for (let zone = 0; zone < MAX_NR_ZONES; zone++) {
      const delta = g.nrPages[genList(leaving, type, zone)]! - g.nrPages[genList(next, type, zone)]!
      if (delta === 0) continue
      updateLruSize(state, lruvec, type * LRU_INACTIVE_FILE, zone, delta)
      updateLruSize(state, lruvec, type * LRU_INACTIVE_FILE + 1, zone, -delta)
    }
  }
  g.bornNs[next] = now(state)
  g.maxSeq++
}

/** @kernel  mm/vmscan.c should_skip_vma() */
function shouldSkipVma(vma: Vma, canSwap: boolean): boolean {
  if (vma.flags & (VM_LOCKED | VM_HUGETLB | VM_SEQ_READ | VM_RAND_READ)) return true
  return vma.ino === 0 && !canSwap
}

/** Young pages of one address space join the youngest generation. @kernel mm/vmscan.c walk_mm() */
function walkMm(state: KernelState, mm: Mm, lruvec: Lruvec, canSwap: boolean): void {
  const gen = genFromSeq(lruvec.gen.maxSeq)
  const m = state.memmap
  let seen = 0
  for (const vma of mm.vmas) {
    if (shouldSkipVma(vma, canSwap)) continue
    if (mm.hugePmds > 0) walkHugePmds(state, mm, vma, lruvec)
    forEachPte(state, mm, vma.start, vma.end, (slot, pte) => {
      seen++
      if (!isPresent(pte) || (pte & PTE_ACCESSED) === 0) return
      const pfn = compoundHead(m, ptePfn(pte))
      if (!hasFlag(m, pfn, PG_ANON | PG_FILE) || (pageMemcg(m, pfn) || 1) !== lruvec.memcg) return
      if (folioNid(state, pfn) !== lruvec.nid || (!canSwap && folioIsFileLru(state, pfn) === 0)) return
      setPte(state.pgtables, slot, pte & ~PTE_ACCESSED)
      folioUpdateGen(state, lruvec, pfn, gen)
    })
  }
  charge(state, Math.floor(seen / PTES_PER_NS))
}

/** The same for pages that PMDs map. @kernel mm/vmscan.c walk_pmd_range_locked() */
function walkHugePmds(state: KernelState, mm: Mm, vma: Vma, lruvec: Lruvec): void {
  const gen = genFromSeq(lruvec.gen.maxSeq)
  forEachHugePmd(state, mm, vma.start, vma.end, (slot, entry) => {
    const pfn = pmdPfn(entry)
    if ((entry & PTE_ACCESSED) === 0 || (pageMemcg(state.memmap, pfn) || 1) !== lruvec.memcg) return
    if (folioNid(state, pfn) !== lruvec.nid || pfn === state.thp.hugeZeroPfn) return
    setPte(state.pgtables, slot, (entry & ~PTE_ACCESSED) >>> 0)
    folioUpdateGen(state, lruvec, pfn, gen)
  })
}

/**
 * Walks the page tables of the group's tasks and opens a new generation.
 * @kernel      mm/vmscan.c try_to_inc_max_seq()
 * @simplifies  no bloom filter: tables without young entries are visited, too
 */
export function tryToIncMaxSeq(state: KernelState, lruvec: Lruvec, canSwap: boolean): boolean {
  const done: number[] = []
  for (const pid of state.taskList) {
    const task = state.tasks[pid]
    if (task === undefined || task.mm < 0 || done.includes(task.mm)) continue
    if ((state.cgroups[task.cgroup]?.memcg ?? 1) !== lruvec.memcg) continue
    const mm = state.mms[task.mm]
    if (mm === undefined || mm.pgd < 0) continue
    done.push(task.mm)
    walkMm(state, mm, lruvec, canSwap)
  }
  incMaxSeq(state, lruvec, canSwap)
  return true
}

/**
 * Whether the lists are short of cold pages, and how many pages there are.
 * @returns total pages of the types considered; shouldAge
 * @kernel  mm/vmscan.c should_run_aging()
 */
export function shouldRunAging(lruvec: Lruvec, canSwap: boolean): { shouldAge: boolean; total: number } {
  const g = lruvec.gen
  const first = canSwap ? LRU_GEN_ANON : LRU_GEN_FILE
  if (g.minSeq[first]! + MIN_NR_GENS > g.maxSeq) return { shouldAge: true, total: 0 }
  let old = 0
  let young = 0
  let total = 0
  for (let type = first; type <= LRU_GEN_FILE; type++) {
    for (let seq = g.minSeq[type]!; seq <= g.maxSeq; seq++) {
      const size = genSize(g, genFromSeq(seq), type)
      total += size
      if (seq === g.maxSeq) young += size
      else if (seq + MIN_NR_GENS === g.maxSeq) old += size
    }
  }
  if (g.minSeq[first]! + MIN_NR_GENS < g.maxSeq) return { shouldAge: false, total }
  return { shouldAge: young * MIN_NR_GENS > total || old * (MIN_NR_GENS + 2) < total, total }
}
