/**
 * Invariants, seen from outside: walks the whole machine and says what does not fit. Slow by intent; run after every
 * event in tests and on demand in the app.
 * @spec    02 §2.11, 04 §4.11, 05 §5.16, 07 §7.10
 */
import { freeBlockOrder, managedRanges } from './mm/buddy'
import { checkBuddy } from './mm/buddy_check'
import { controlsUnderWay } from './mm/compaction_state'
import { compoundHead } from './mm/folio'
import { checkHandPages } from './mm/by_hand_pages'
import { checkDcache } from './fs/dcache_check'
import { checkLru } from './mm/lru_check'
import { checkMemcg } from './mm/memcg_check'
import {
  PG_ANON,
  PG_OWNER_MASK,
  PG_PCP,
  PG_SWAPCACHE,
  PG_TAIL,
  hasFlag,
  mapcount,
  pageFlags,
  pageOrder,
} from './mm/memmap'
import { checkMm } from './mm/mm_check'
import { checkSlabs } from './mm/slub_check'
import { checkVmAreas } from './mm/vm_area_check'
import type { KernelState } from './state'
import { checkTasks } from './task_check'

/** One sentence for each broken invariant; empty when the machine is sound. */
export function checkInvariants(state: KernelState): string[] {
  const found: string[] = [
    ...checkBuddy(state),
    ...checkLru(state),
    ...checkMemcg(state),
    ...checkMm(state),
    ...checkSlabs(state),
    ...checkVmAreas(state),
    ...checkHandPages(state),
    ...checkDcache(state),
  ]
  checkOwners(state, found)
  checkTasks(state, found)
  return found
}

/** Frames that paused compaction holds: off the free lists, and nobody's yet. Each only once, and not free. */
function compactionFrames(state: KernelState, found: string[]): ReadonlySet<number> {
  const held = new Set<number>()
  for (const { captured, order } of controlsUnderWay(state))
    for (let at = captured; captured !== 0 && at < captured + (1 << order); at++) held.add(at)
  for (const { freepages } of controlsUnderWay(state)) {
    for (let i = 0; i < freepages.length; i += 2) {
      const pfn = freepages[i]!
      for (let at = pfn; at < pfn + (1 << freepages[i + 1]!); at++) {
        if (held.has(at)) found.push(`pfn ${at} is held by two compactions`)
        if (freeBlockOrder(state, at) >= 0 || (pageFlags(state.memmap, at) & PG_OWNER_MASK) !== 0)
          found.push(`pfn ${at} is held by compaction and has another owner`)
        held.add(at)
      }
    }
  }
  return held
}

/** Tails are mapped as part of anonymous memory only. */
const isMappable = (state: KernelState, pfn: number): boolean =>
  !hasFlag(state.memmap, pfn, PG_TAIL) || hasFlag(state.memmap, compoundHead(state.memmap, pfn), PG_ANON)

/** Each frame is free, or has exactly one owner. */
function checkOwners(state: KernelState, found: string[]): void {
  const held = compactionFrames(state, found)
  for (const zone of state.zones)
    for (const { start, end } of managedRanges(state, zone)) checkOwnersOf(state, { start, end }, held, found)
}

function checkOwnersOf(
  state: KernelState,
  range: { start: number; end: number },
  held: ReadonlySet<number>,
  found: string[],
): void {
  const m = state.memmap
  let coveredTo = 0
  for (let pfn = range.start; pfn < range.end; pfn++) {
    const order = freeBlockOrder(state, pfn)
    if (order >= 0) coveredTo = pfn + (1 << order)
    const flags = pageFlags(m, pfn)
    const owner = flags & PG_OWNER_MASK
    if ((owner & (owner - 1)) !== 0) found.push(`pfn ${pfn} has two owners: flags 0x${owner.toString(16)}`)
    // The rest of a larger block on a per-CPU list carries no flag of its own.
    if ((owner & PG_PCP) !== 0) coveredTo = Math.max(coveredTo, pfn + (1 << pageOrder(m, pfn)))
    // A tmpfs page on its way to or from swap has left its file: the swap cache holds it.
    if (owner === 0 && pfn >= coveredTo && (flags & PG_SWAPCACHE) === 0 && !held.has(pfn))
      found.push(`pfn ${pfn} is allocated and nobody's`)
    if (mapcount(m, pfn) > 0 && (owner === 0 || !isMappable(state, pfn)))
      found.push(`pfn ${pfn} is mapped but owned by nobody`)
  }
}
