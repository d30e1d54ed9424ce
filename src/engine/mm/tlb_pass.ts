/**
 * The same pages touched again and again, in order, to read or to write: how each of them is translated, kept for the next
 * pass over them.
 *
 * Under true LRU a pass that nobody disturbs leaves the structures as it found them. After one pass the first level holds
 * what the pass makes of it, so that from the second on its misses are the same ones; after two of those so does the
 * second level, and after two more the paging-structure caches. From the fourth on every pass is like the one before, so
 * that its accesses need not be looked up (measured: 10 to 30 times faster). The structures then stay as they were at the
 * beginning of the pass; whoever needs them in the middle of one has them brought up to date first (settlePass).
 * @model   hardware of spec 04 §4.2
 */
import type { Ns, Pages, Vpn } from '../../util/units'
import type { KernelState } from '../state'
import type { AccessSpan } from './anon_run'
import { findHugePmd, hugeEntryPages } from './huge_pmd'
import type { Mm } from './mm_types'
import {
  ENTRIES_PER_TABLE,
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_PRESENT,
  PTE_WRITE,
  findPteSlot,
  type PageTables,
} from './pgtable'
import { TLB_L1, TLB_L2, tlbAccess } from './tlb'
import {
  DATA_2M,
  DATA_4K,
  NR_TLB_COUNTS,
  STLB_HITS,
  WALKS_COLD,
  WALKS_LOAD,
  WALKS_STORE,
  WALK_NS,
  WALK_READS,
} from './tlb_state'
import type { CpuTlb, Tlb, TlbPass } from './tlb_state'

/** Passes in a row after which the next one changes nothing any more. */
const STEADY = 3
/** What is kept of an access: 0 and 1 hits of the first and second level, 1 + n a walk that read n entries. */
const HOW_L1 = 0
const HOW_L2 = 1
const HOW_WALK = 2

/** A copy of what accesses change, for accesses that are not to happen. */
export const copyOfTlb = (c: CpuTlb): CpuTlb => ({
  ...c,
  tag: c.tag.slice(),
  space: c.space.slice(),
  head: c.head.slice(),
  mayHaveDead: c.mayHaveDead.slice(),
  psc: c.psc.slice(),
  counts: c.counts.slice(),
  pass: { ...c.pass },
})

/**
 * Pages [first + from, first + count) are about to be touched in order.
 * @returns whether the pass is known, so that followPass() can make it
 */
export function beginPass(state: KernelState, mm: Mm, c: CpuTlb, first: Vpn, count: Pages, from: Pages): boolean {
  const { pass } = c
  const isSame = pass.first === first && pass.count === count && pass.space === c.curSpace && pass.streak >= 0
  if (!isSame || pass.at !== from || c.runs !== 0) {
    breakPass(state.tlb, c, state.pgtables)
    pass.first = first
    pass.count = count
    pass.space = c.curSpace
    if (from === 0) pass.streak = 0
  }
  if (from === 0 && pass.streak >= STEADY && !pass.isKnown) learnPass(state, mm, c)
  return pass.isKnown
}

/**
 * Slot of the entry through which a page is reached: its PTE, or −1 − the slot of a huge entry; NaN when there is none, or
 * when the huge page is one of 1 GiB.
 */
function leafOf(state: KernelState, mm: Mm, vpn: Vpn): number {
  const slot = findPteSlot(state, mm, vpn)
  if (slot >= 0) return slot
  const huge = findHugePmd(state, mm, vpn)
  return huge < 0 || hugeEntryPages(state.pgtables, huge) !== ENTRIES_PER_TABLE ? NaN : -1 - huge
}

const indexInTable = (vpn: Vpn): number => vpn % ENTRIES_PER_TABLE
/** Which of a pass's tables a page belongs to. */
const tableOf = ({ first }: TlbPass, page: Pages): number =>
  Math.floor((indexInTable(first) + page) / ENTRIES_PER_TABLE)

/** Makes the pass on a copy. Pages in the order of their tables; of a huge page only the first one is looked up. */
function learnPass(state: KernelState, mm: Mm, c: CpuTlb): void {
  const { pass } = c
  pass.streak = -1
  const leaves: number[] = []
  for (let page = 0; page < pass.count; page += ENTRIES_PER_TABLE - indexInTable(pass.first + page)) {
    const leaf = leafOf(state, mm, pass.first + page)
    if (Number.isNaN(leaf)) return
    leaves.push(leaf)
  }
  pass.leaves = leaves
  pass.totals = new Int32Array(leaves.length * COLUMNS)
  if (pass.how.length < pass.count) pass.how = new Uint8Array(pass.count)
  pass.how.fill(HOW_L1)
  const copy = copyOfTlb(c)
  for (let page = 0; page < pass.count; page = nextAccess(pass, page)) {
    const reads = copy.counts[WALK_READS]!
    const how = accessAgain(state.tlb, copy, state.pgtables, page)
    pass.how[page] = how === TLB_L1 ? HOW_L1 : how === TLB_L2 ? HOW_L2 : 1 + copy.counts[WALK_READS]! - reads
    count(pass.totals, tableOf(pass, page) * COLUMNS, pass.how[page]!)
  }
  pass.streak = STEADY
  pass.isKnown = true
}

/** The page after this one that is not in the same huge page. */
function nextAccess(pass: TlbPass, page: Pages): Pages {
  const isHuge = pass.leaves[tableOf(pass, page)]! < 0
  return isHuge ? page + ENTRIES_PER_TABLE - indexInTable(pass.first + page) : page + 1
}

/** What leafOf() says of a page of a known pass. */
function leafAt(pass: TlbPass, page: Pages): number {
  const at = tableOf(pass, page)
  const leaf = pass.leaves[at]!
  return leaf < 0 ? leaf : leaf + (at === 0 ? page : indexInTable(pass.first + page))
}

function accessAgain(tlb: Tlb, c: CpuTlb, t: PageTables, page: Pages): number {
  const leaf = leafAt(c.pass, page)
  return leaf < 0 ? tlbAccess(tlb, c, t, -1 - leaf, DATA_2M) : tlbAccess(tlb, c, t, leaf, DATA_4K)
}

/** What the page-table entry must have, so that the access changes nothing in it. */
const neededBits = (isWrite: boolean): number =>
  isWrite ? PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY : PTE_PRESENT | PTE_ACCESSED

/** What accesses of a known pass were; pass.totals has these columns for each table. */
const HITS = 0
const WALKS = 1
const COLD = 2
const COLD_READS = 3
const COLUMNS = 4
const tally = new Int32Array(COLUMNS)

function count(counted: Int32Array, at: number, how: number): void {
  if (how === HOW_L1) return
  if (how <= HOW_WALK) counted[at + how - HOW_L2]!++
  else {
    counted[at + COLD]!++
    counted[at + COLD_READS]! += how - 1
  }
}

/** Time of accesses beyond the accesses themselves. */
const translationNs = ({ costs }: KernelState, counted: Int32Array, at: number): Ns =>
  counted[at + HITS]! * costs.tlbL2Hit +
  counted[at + WALKS]! * costs.pageWalk +
  counted[at + COLD]! * costs.pageWalkCold

/**
 * Goes on with a known pass until it is over, the time is up, or a page is not mapped as an access needs it: then the
 * structures are up to date, and the pass is known no more. Time and counts are added up.
 * @param span  the pass; its end in exec.ns
 * @returns  pages of it that have been touched
 */
export function followPass(state: KernelState, mm: Mm, c: CpuTlb, span: AccessSpan, isWrite: boolean): Pages {
  const { pass } = c
  const { exec } = state
  const bits = neededBits(isWrite)
  let isMapped = true
  tally.fill(0)
  pass.isAhead = true
  while (isMapped && pass.at < pass.count && exec.ns < span.endNs) {
    const leaf = leafAt(pass, pass.at)
    isMapped = leafOf(state, mm, pass.first + pass.at) === leaf
    if (isMapped && !takeTable(state, pass, leaf, span, bits)) isMapped = takePages(state, pass, leaf, span, bits)
  }
  c.counts[STLB_HITS]! += tally[HITS]!
  c.counts[isWrite ? WALKS_STORE : WALKS_LOAD]! += tally[WALKS]! + tally[COLD]!
  c.counts[WALKS_COLD]! += tally[COLD]!
  c.counts[WALK_READS]! += tally[WALKS]! + tally[COLD_READS]!
  tally[HITS] = 0
  c.counts[WALK_NS]! += translationNs(state, tally, 0)
  const done = pass.at
  pass.isAhead = done > 0 && done < pass.count
  if (done === pass.count) pass.at = 0
  if (!isMapped) breakPass(state.tlb, c, state.pgtables)
  return done
}

/** The page of the pass that begins the next table. */
const endOfTable = ({ first, count: pages, at }: TlbPass): Pages =>
  Math.min(pages, at + ENTRIES_PER_TABLE - indexInTable(first + at))

/** All pages of the pass in one table, or one huge page. @returns false = not all of them are mapped so, or the time is short */
function takeTable(state: KernelState, pass: TlbPass, leaf: number, span: AccessSpan, bits: number): boolean {
  if (pass.at > 0 && indexInTable(pass.first + pass.at) !== 0) return false
  const { exec } = state
  const { entries } = state.pgtables
  const pages = endOfTable(pass) - pass.at
  const column = tableOf(pass, pass.at) * COLUMNS
  const ns = pages * span.perPageNs + translationNs(state, pass.totals, column)
  if (exec.ns + ns > span.endNs) return false
  let common = bits
  if (leaf < 0) common &= entries[-1 - leaf]!
  else for (let slot = leaf; slot < leaf + pages; slot++) common &= entries[slot]!
  if (common !== bits) return false
  for (let i = 0; i < COLUMNS; i++) tally[i]! += pass.totals[column + i]!
  exec.ns += ns
  pass.at += pages
  return true
}

/** The same page by page, as far as time permits. @returns false = a page is not mapped so */
function takePages(state: KernelState, pass: TlbPass, leaf: number, span: AccessSpan, bits: number): boolean {
  const { exec, costs } = state
  const { entries } = state.pgtables
  const end = endOfTable(pass)
  let slot = leaf < 0 ? -1 - leaf : leaf
  while (pass.at < end && exec.ns < span.endNs) {
    if ((entries[slot]! & bits) !== bits) return false
    const how = pass.how[pass.at]!
    count(tally, 0, how)
    if (how === HOW_L2) exec.ns += costs.tlbL2Hit
    else if (how !== HOW_L1) exec.ns += how === HOW_WALK ? costs.pageWalk : costs.pageWalkCold
    exec.ns += span.perPageNs
    pass.at++
    if (leaf >= 0) slot++
  }
  return true
}

/** The time slice ended before page `at` of a pass that was not known. */
export const leavePass = ({ pass }: CpuTlb, at: Pages): void => {
  pass.at = at
}

/** A pass that was not known went through all of its pages, without a fault. */
export function endPass({ pass }: CpuTlb): void {
  pass.at = 0
  if (pass.streak >= 0) pass.streak++
}

/** Something else is about to use or change the caches. */
export function breakPass(tlb: Tlb, c: CpuTlb, t: PageTables): void {
  settlePass(tlb, c, t)
  c.pass.streak = -1
  c.pass.isKnown = false
}

const keptCounts = new Float64Array(NR_TLB_COUNTS)

/** Makes the accesses of a known pass that the structures have not seen; they have been counted. */
export function settlePass(tlb: Tlb, c: CpuTlb, t: PageTables): void {
  const { pass } = c
  if (!pass.isAhead) return
  pass.isAhead = false
  keptCounts.set(c.counts)
  for (let page = 0; page < pass.at; page = nextAccess(pass, page)) accessAgain(tlb, c, t, page)
  c.counts.set(keptCounts)
}
