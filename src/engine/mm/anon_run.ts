/**
 * First writes to private anonymous pages, one after the other. What such a fault asks the machine before it gets its
 * page is not changed by the fault itself: policy, watermarks, listeners, waiting work. So it is asked once for as many
 * faults as this CPU has pages charged in advance, and what they count is added at the end (measured: 90 ns a fault
 * instead of 330). What happens to each page, list, table and to time happens here page by page and in the same order;
 * the ordinary path serves the fault that finds the stock or the per-CPU list empty.
 */
import type { Ns, Pages, Vpn } from '../../util/units'
import { taskMemcg } from '../cgroup'
import { charge } from '../exec'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { isWanted, TRACE_PAGE_FAULT } from '../trace'
import { refill } from '../translate'
import { countAllocs } from './freelist'
import { GFP_ANON_FAULT, GFP_KERNEL, gfpMigratetype } from './gfp'
import { NEW_ANON_PAGE } from './fault'
import { setFlags, setPageMemcg } from './memmap'
import { MEMCG_ANON, MEMCG_PGFAULT } from './memcg_stat'
import { stockedFor } from './memcg_stock'
import { memcgCharge, modMemcgState } from './memcontrol'
import { MM_ANONPAGES, VM_LOCKED, VM_WRITE, type Mm, type Vma } from './mm_types'
import type { Zone } from './mmzone'
import { vmaPagesZone } from './page_alloc'
import { allocationEnded } from './page_alloc_retry'
import { rmqueueListed } from './pcp'
import { PTE_ACCESSED, PTE_DIRTY, PTE_WRITE, findPteSlot, makePte, pteAt, setPte } from './pgtable'
import { addFirstMapping } from './rmap_chain'
import { addMmCounterSteps } from './rss'
import { folioAddLru } from './swap'
import type { CpuTlb } from './tlb_state'
import { NR_ANON_PAGES, PGFAULT, countVmEvents, modStat } from './vmstat'

/** Accesses that a task makes: pages first, first + 1 … or first + pages[0], first + pages[1] … */
export interface AccessSpan {
  readonly first: Vpn
  readonly count: number
  readonly pages: readonly number[] | undefined
  readonly perPageNs: Ns
  /** Value of exec.ns at which the slice ends. */
  readonly endNs: Ns
}

/**
 * As many of the next write accesses as are such faults and find their pages at hand.
 * @param from   the first of them: its page lies in `vma`, and its entry at `slot` is empty
 * @returns how many were made; 0 = the ordinary path has to look at the first of them
 * @kernel  mm/memory.c handle_mm_fault(), do_anonymous_page()
 * @spec    04 §4.5
 */
export function anonRun(
  state: KernelState,
  task: Task,
  mm: Mm,
  vma: Vma,
  c: CpuTlb,
  slot: number,
  span: AccessSpan,
  from: number,
): number {
  if (vma.ino !== 0 || vma.anonVma === 0 || (vma.flags & (VM_WRITE | VM_LOCKED)) !== VM_WRITE) return 0
  if (!isUndisturbed(state, task)) return 0
  const memcg = taskMemcg(state, task)
  const stocked = stockedFor(state, memcg)
  if (stocked === 0) return 0
  const zone = vmaPagesZone(state, GFP_ANON_FAULT, vma)
  if (zone === undefined) return 0
  const nr = installRun(state, mm, vma, c, zone, memcg, slot, span, from, Math.min(stocked, span.count - from))
  if (nr > 0) accountRun(state, task, mm, zone, memcg, nr)
  return nr
}

/** Nobody watches faults, and nothing is left over from an operation that had to wait. */
const isUndisturbed = (state: KernelState, task: Task): boolean =>
  !isWanted(TRACE_PAGE_FAULT) &&
  state.reclaim.direct.length === 0 &&
  state.compaction.direct.length === 0 &&
  task.overHigh === 0 &&
  !task.retry.faultWasMajor

function installRun(
  state: KernelState,
  mm: Mm,
  vma: Vma,
  c: CpuTlb,
  zone: Zone,
  memcg: number,
  firstSlot: number,
  span: AccessSpan,
  from: number,
  max: Pages,
): number {
  const { memmap, pgtables, exec } = state
  const { first, pages, perPageNs, endNs } = span
  const type = gfpMigratetype(GFP_ANON_FAULT)
  let slot = firstSlot
  let nr = 0
  while (exec.ns < endNs) {
    const pfn = rmqueueListed(state, zone, 0, type)
    if (pfn === 0) break
    setPageMemcg(memmap, pfn, memcg)
    setFlags(memmap, pfn, NEW_ANON_PAGE)
    setPte(pgtables, slot, makePte(pfn, PTE_ACCESSED | PTE_DIRTY | PTE_WRITE))
    addFirstMapping(memmap, pfn, slot)
    folioAddLru(state, pfn, true)
    charge(state, state.costs.anonFault)
    refill(state, c, slot, -1, true)
    exec.ns += perPageNs
    if (++nr === max) break
    const vpn = first + (pages === undefined ? from + nr : pages[from + nr]!)
    if (vpn < vma.start || vpn >= vma.end) break
    if (pages === undefined && (slot & 511) !== 511) slot++
    else slot = findPteSlot(state, mm, vpn)
    if (slot < 0 || pteAt(pgtables, slot) !== 0) break
  }
  return nr
}

/** What that many faults count: events, statistics, charges. */
function accountRun(state: KernelState, task: Task, mm: Mm, zone: Zone, memcg: number, nr: number): void {
  state.exec.mayStop = false
  countAllocs(state, zone, zone, nr, 0)
  allocationEnded(state, GFP_ANON_FAULT, 0)
  memcgCharge(state, memcg, nr, GFP_KERNEL)
  modStat(state.nodes[zone.nid]!.stat, NR_ANON_PAGES, nr)
  modMemcgState(state, memcg, MEMCG_ANON, nr, zone.nid)
  addMmCounterSteps(state, mm.id, MM_ANONPAGES, nr)
  countVmEvents(state.vmstat, PGFAULT, nr)
  modMemcgState(state, memcg, MEMCG_PGFAULT, nr)
  task.minFlt += nr
}
