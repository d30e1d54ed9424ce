/**
 * When translations stop being true: switching address spaces, and telling the CPUs that use one to forget it.
 * @kernel  arch/x86/mm/tlb.c
 * @spec    04 §4.2 (PCID / ASID, Shootdown)
 */
import type { Pages } from '../../util/units'
import { charge } from '../exec'
import type { KernelState } from '../state'
import { PTE_DIRTY } from './pgtable'
import { SPACE_ASID, forgetPsc, settleRuns } from './tlb'
import { breakPass } from './tlb_pass'
import {
  FLUSHES_FULL,
  FLUSHES_PAGE,
  IPIS_RECEIVED,
  IPIS_SENT,
  NR_ASIDS,
  NR_ROUTES,
  ROUTE_COLUMNS,
  STRUCTURE_COLUMNS,
  SWITCHES_FLUSHED,
  SWITCHES_KEPT,
  type CpuTlb,
  type Tlb,
} from './tlb_state'

/** More pages than this are not flushed one by one. @kernel tlb_single_page_flush_ceiling */
export const SINGLE_PAGE_FLUSH_CEILING: Pages = 33

// ---------------------------------------------------------------- one CPU

/** A number that no entry carries yet; says which ASID it is of. */
const generation = (c: CpuTlb, asid: number): number => (++c.sequence * (SPACE_ASID + 1)) | asid

/** Everything cached of an ASID is dead from now on. @kernel invalidate_user_asid(), flush_tlb_local() */
function flushAsid(state: KernelState, c: CpuTlb, asid: number): void {
  const { tlb } = state
  breakPass(tlb, c, state.pgtables)
  const others = c.asidFilled & ~(1 << asid)
  if (others === 0) {
    // Nothing else is alive: what still was to be filled in is dead, too.
    c.runs = 0
    c.isWiped = false
    c.space.fill(0)
    c.mayHaveDead.fill(0)
  } else {
    if (c.runs !== 0) settleRuns(tlb, c)
    if ((c.asidFilled & (1 << asid)) !== 0) c.mayHaveDead.fill(1)
  }
  c.asidFilled = others
  c.asidSpace[asid] = generation(c, asid)
  forgetPsc(tlb, c, asid)
  c.counts[FLUSHES_FULL]!++
  if (asid === c.asid) useAsid(c, asid)
}

function useAsid(c: CpuTlb, asid: number): void {
  c.asid = asid
  c.curSpace = c.asidSpace[asid]!
  c.lastSlot = -1
  c.lastTable = -1
}

/** One page of the loaded address space. @kernel INVLPG */
function invlpg(tlb: Tlb, c: CpuTlb, slot: number): void {
  if (c.tag.length !== 0) {
    if (c.runs !== 0) settleRuns(tlb, c)
    for (let column = 0; column < NR_ROUTES * ROUTE_COLUMNS; column += STRUCTURE_COLUMNS) {
      const first = tlb.route[column]!
      if (first < 0) continue
      const from = first + (slot & tlb.route[column + 1]!) * tlb.route[column + 2]!
      for (let i = from; i < from + tlb.route[column + 2]!; i++)
        if (c.tag[i] === slot + 1 && c.space[i] === c.curSpace) {
          c.space[i] = 0
          c.mayHaveDead[tlb.route[column + 3]! + (slot & tlb.route[column + 1]!)] = 1
        }
    }
  }
}

/** Nothing is loaded. @kernel leave_mm() */
function leaveMm(tlb: Tlb, c: CpuTlb): void {
  if (c.mm >= 0) tlb.loaded[c.mm]!--
  c.mm = -1
  c.asid = -1
  c.curSpace = -1
  c.lastSlot = -1
  c.lastTable = -1
}

// ---------------------------------------------------------------- switching

/**
 * The CPU is about to use an address space.
 * @returns the CPU's caches
 * @kernel  switch_mm_irqs_off(), choose_new_asid()
 * @spec    04 §4.2
 */
export function switchMm(state: KernelState, mm: number): CpuTlb {
  const { tlb } = state
  const c = tlb.cpus[state.exec.cpu]!
  // Only a lazy CPU can have missed a flush: others are interrupted for it.
  if (c.mm === mm && !c.isLazy) return c
  load(state, c, mm)
  return c
}

function load(state: KernelState, c: CpuTlb, mm: number): void {
  const { tlb } = state
  c.isLazy = false
  const context = tlb.context[mm]!
  const gen = tlb.gen[mm]!
  if (c.mm === mm && c.asidContext[c.asid] === context) {
    if (c.asidGen[c.asid] !== gen) flushAsid(state, c, c.asid)
    c.asidGen[c.asid] = gen
    return
  }
  const known = tlb.pcid ? c.asidContext.indexOf(context) : -1
  const asid = known >= 0 ? known : tlb.pcid ? c.nextAsid : 0
  if (known < 0) c.nextAsid = (c.nextAsid + 1) % NR_ASIDS
  const isStale = known < 0 || c.asidGen[asid] !== gen
  if (isStale) flushAsid(state, c, asid)
  c.counts[isStale ? SWITCHES_FLUSHED : SWITCHES_KEPT]!++
  c.asidContext[asid] = context
  c.asidGen[asid] = gen
  breakPass(tlb, c, state.pgtables)
  if (c.mm >= 0) tlb.loaded[c.mm]!--
  tlb.loaded[mm]!++
  c.mm = mm
  useAsid(c, asid)
}

/** A kernel thread runs, or nothing: the address space stays loaded, and flushes of it can wait. @kernel enter_lazy_tlb() */
export function enterLazyTlb(tlb: Tlb, cpu: number): void {
  tlb.cpus[cpu]!.isLazy = true
}

/**
 * A program comes back from the kernel with page-table isolation and without PCID: CR3 was written without the bit that
 * keeps translations.
 * @kernel  arch/x86/entry/calling.h SWITCH_TO_USER_CR3
 */
export function flushOnReturn(state: KernelState, c: CpuTlb): void {
  if (c.asid >= 0) flushAsid(state, c, c.asid)
}

// ---------------------------------------------------------------- flushing an address space

/** Slots that a flush takes out one by one; of a range, filled by whoever calls, and of a single page. */
interface FlushSlots {
  readonly slots: Int32Array
  count: number
}
const range: FlushSlots = { slots: new Int32Array(SINGLE_PAGE_FLUSH_CEILING), count: 0 }
const single: FlushSlots = { slots: new Int32Array(1), count: 1 }

/** Starts a list of slots for flushTlbMm(). @kernel struct flush_tlb_info */
export function beginSlots(): void {
  range.count = 0
}

/** Beyond the ceiling nothing more is noted. @kernel get_flush_tlb_info() */
export function noteSlot(slot: number): void {
  if (range.count < SINGLE_PAGE_FLUSH_CEILING) range.slots[range.count] = slot
  range.count++
}

/** What a CPU does about a flush of its loaded address space. @kernel flush_tlb_func() */
function flushLoaded(state: KernelState, c: CpuTlb, mm: number, pages: Pages, { slots, count }: FlushSlots): void {
  const { tlb } = state
  const gen = tlb.gen[mm]!
  if (c.asidContext[c.asid] !== tlb.context[mm] || c.asidGen[c.asid] === gen) return
  if (pages <= SINGLE_PAGE_FLUSH_CEILING && c.asidGen[c.asid] === gen - 1) {
    breakPass(tlb, c, state.pgtables)
    for (let i = 0; i < count; i++) invlpg(tlb, c, slots[i]!)
    // INVLPG is executed for each page of the range, translated or not.
    c.counts[FLUSHES_PAGE]! += pages
    forgetPsc(tlb, c, c.asid)
    c.lastSlot = -1
  } else flushAsid(state, c, c.asid)
  c.asidGen[c.asid] = gen
}

/**
 * Translations of an address space changed: this CPU forgets them, and so do all others that use it now. Lazy ones catch
 * up when they use it again, unless tables are freed that they might walk.
 * @param pages        of the range; up to the ceiling the slots noted since beginSlots() go one by one
 * @param freedTables  the tables of the range go, too
 * @kernel  flush_tlb_mm_range(), native_flush_tlb_multi()
 * @spec    04 §4.2 (Shootdown)
 */
export function flushTlbMm(state: KernelState, mm: number, pages: Pages, freedTables: boolean): void {
  chargeIpis(state, flush(state, mm, pages, freedTables, range))
}

/** @returns CPUs that were interrupted */
function flush(state: KernelState, mm: number, pages: Pages, freedTables: boolean, slots: FlushSlots): number {
  const { tlb } = state
  tlb.gen[mm]!++
  const here = state.exec.cpu
  let others = 0
  let left = tlb.loaded[mm]!
  for (let cpu = 0; left > 0; cpu++) {
    const c = tlb.cpus[cpu]!
    if (c.mm !== mm) continue
    left--
    if (cpu === here) {
      if (!c.isLazy) flushLoaded(state, c, mm, pages, slots)
      else if (freedTables) leaveMm(tlb, c)
      continue
    }
    if (c.isLazy && !freedTables) continue
    others++
    c.counts[IPIS_RECEIVED]!++
    if (c.isLazy) leaveMm(tlb, c)
    else flushLoaded(state, c, mm, pages, slots)
  }
  if (others > 0) tlb.cpus[here]!.counts[IPIS_SENT]! += others
  return others
}

/** @spec 04 §4.3 (IPI + remote flush) */
function chargeIpis(state: KernelState, cpus: number): void {
  if (cpus > 0) charge(state, state.costs.tlbShootdown + (cpus - 1) * state.costs.tlbShootdownCpu)
}

/**
 * The address space is gone with its tables: nobody has it loaded any more. The CPU where it ends uses it lazily by then;
 * others that do so are interrupted, which is part of what an exit costs.
 * @kernel  exit_mm(), exit_mmap(), leave_mm()
 */
export function exitTlb(state: KernelState, mm: number): void {
  const own = state.tlb.cpus[state.exec.cpu]!
  if (own.mm === mm) own.isLazy = true
  flush(state, mm, Infinity, true, range)
}

/** The same as part of work whose cost covers it. @kernel flush_pmd_tlb_range() */
export function flushTlbWithin(state: KernelState, mm: number, pages: Pages): void {
  flush(state, mm, pages, false, range)
}

/** One page of an address space. @kernel flush_tlb_page() */
export function flushTlbPage(state: KernelState, mm: number, slot: number): void {
  single.slots[0] = slot
  chargeIpis(state, flush(state, mm, 1, false, single))
}

// ---------------------------------------------------------------- batches of reclaim

/**
 * Reclaim has taken a page out of an address space. When another CPU may hold the translation its interrupt waits for
 * those of the batch's other pages.
 * @param pte  that mapped it
 * @kernel  mm/rmap.c should_defer_flush(), set_tlb_ubc_flush_pending(), ptep_clear_flush()
 */
export function flushUnmapped(state: KernelState, mm: number, slot: number, pte: number): void {
  const { tlb } = state
  const own = tlb.cpus[state.exec.cpu]!.mm === mm ? 1 : 0
  if (tlb.loaded[mm] === own) flushTlbPage(state, mm, slot)
  else {
    if (!tlb.batch.includes(mm)) tlb.batch.push(mm)
    if ((pte & PTE_DIRTY) !== 0) tlb.batchIsDirty = true
  }
}

/** Before a page is written: whoever may still write to it through a translation is stopped. @kernel try_to_unmap_flush_dirty() */
export function tryToUnmapFlushDirty(state: KernelState): void {
  if (state.tlb.batchIsDirty) tryToUnmapFlush(state)
}

/**
 * One round of interrupts for everything that was unmapped: before pages are freed, or written. Its time is part of what
 * reclaim costs a page: that row of spec 04 §4.3 was measured with its flushes.
 * @kernel  mm/rmap.c try_to_unmap_flush(), arch_tlbbatch_flush()
 */
export function tryToUnmapFlush(state: KernelState): void {
  const { tlb } = state
  if (tlb.batch.length === 0) return
  for (const mm of tlb.batch) tlb.gen[mm]!++
  const here = state.exec.cpu
  let others = 0
  for (let cpu = 0; cpu < tlb.cpus.length; cpu++) {
    const c = tlb.cpus[cpu]!
    if (c.isLazy || c.mm < 0 || !tlb.batch.includes(c.mm)) continue
    if (cpu !== here) {
      others++
      c.counts[IPIS_RECEIVED]!++
    }
    flushLoaded(state, c, c.mm, Infinity, range)
  }
  tlb.batch.length = 0
  tlb.batchIsDirty = false
  tlb.cpus[here]!.counts[IPIS_SENT]! += others
}
