/**
 * Memory accesses of programs in an order of their own. Apart from touch.ts, because nothing here follows from the page
 * before: every access looks its entry up.
 * @spec    04 §4.1
 */
import type { Ns, Vpn } from '../util/units'
import { isSuspended } from './exec'
import { anonRun, type AccessSpan } from './mm/anon_run'
import type { Mm } from './mm/mm_types'
import { PTE_ACCESSED, PTE_DIRTY, PTE_PRESENT, PTE_WRITE, findPteSlot, pteAt, setPte } from './mm/pgtable'
import { mmOf } from './mm/rss'
import { switchMm } from './mm/tlb_flush'
import { breakPass } from './mm/tlb_pass'
import { DATA_4K, type CpuTlb } from './mm/tlb_state'
import { findVma } from './mm/vma_find'
import type { KernelState } from './state'
import type { Task } from './task'
import { STEP_BLOCKED, STEP_DONE, STEP_MORE, noMemoryMap, reachPage } from './touch'
import { countAccesses, translate } from './translate'

/**
 * Leaf tables that were found since the last fault, by groups of 512 pages: a walk down the tables of the simulated machine
 * was a quarter of an access that the TLB serves. Good for one call of touchSpan() up to its next fault, in which tables
 * may come and go; `since` numbers these stretches.
 */
const NR_LEAVES = 1024
const leafGroup = new Int32Array(NR_LEAVES)
const leafSlot = new Int32Array(NR_LEAVES)
const leafSince = new Int32Array(NR_LEAVES)
let since = 0

function forgetLeaves(): void {
  since = (since + 1) | 0
  if (since !== 0) return
  leafSince.fill(0)
  since = 1
}

/** As findPteSlot(). Pages beyond 4 TiB of the list's first one do not fit the arithmetic below. */
const GROUPED_PAGES = 2 ** 30

function slotOf(state: KernelState, mm: Mm, first: Vpn, offset: number, page: number): number {
  if (page >= GROUPED_PAGES) return findPteSlot(state, mm, first + page)
  const at = page + offset
  const group = at >> 9
  const i = group & (NR_LEAVES - 1)
  if (leafGroup[i] === group && leafSince[i] === since) return leafSlot[i]! + (at & 511)
  const slot = findPteSlot(state, mm, first + page)
  if (slot < 0) return slot
  leafGroup[i] = group
  leafSince[i] = since
  leafSlot[i] = slot - (at & 511)
  return slot
}

/** Accesses pages in a given order. */
export function touchList(
  state: KernelState,
  task: Task,
  first: Vpn,
  pages: readonly number[],
  isWrite: boolean,
  perPageNs: Ns,
  endNs: Ns,
): number {
  const mm = mmOf(state, task)
  if (mm === undefined) return noMemoryMap(task)
  const from = task.opDone
  const step = touchSpan(state, task, mm, { first, count: pages.length, pages, perPageNs, endNs }, pages, isWrite)
  countAccesses(state, task.opDone - from, isWrite)
  return step
}

function touchSpan(
  state: KernelState,
  task: Task,
  mm: Mm,
  span: AccessSpan,
  pages: readonly number[],
  isWrite: boolean,
): number {
  const { exec, pgtables: t } = state
  const { first, perPageNs, endNs } = span
  const c = switchMm(state, mm.id)
  const needed = isWrite ? PTE_PRESENT | PTE_WRITE : PTE_PRESENT
  const bits = isWrite ? PTE_ACCESSED | PTE_DIRTY : PTE_ACCESSED
  const offset = first % 512
  let last = -1
  breakPass(state.tlb, c, state.pgtables)
  forgetLeaves()
  while (task.opDone < pages.length) {
    if (exec.ns >= endNs) return STEP_MORE
    const page = pages[task.opDone]!
    // Else nothing came in between: the entry has its bits, and the first level of the TLB the translation.
    if (page !== last) {
      const slot = slotOf(state, mm, first, offset, page)
      const pte = slot < 0 ? 0 : pteAt(t, slot)
      if ((pte & needed) === needed) {
        if ((pte & bits) !== bits) setPte(t, slot, pte | bits)
        translate(state, c, slot, isWrite, DATA_4K)
      } else {
        forgetLeaves()
        if (pte === 0 && slot >= 0 && isWrite && listedRun(state, task, mm, c, slot, span) > 0) continue
        const step = reachPage(state, task, mm, c, first + page, isWrite)
        if (step !== STEP_DONE) return step
      }
      last = page
    }
    exec.ns += perPageNs
    task.opDone++
    if (isSuspended(state)) return STEP_BLOCKED
  }
  return STEP_DONE
}

/** First writes that follow each other on a list, this one included. */
function listedRun(state: KernelState, task: Task, mm: Mm, c: CpuTlb, slot: number, span: AccessSpan): number {
  const vma = findVma(mm, span.first + span.pages![task.opDone]!)
  const faults = vma === undefined ? 0 : anonRun(state, task, mm, vma, c, slot, span, task.opDone)
  task.opDone += faults
  return faults
}
