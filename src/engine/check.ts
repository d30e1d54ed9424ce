/**
 * Invariants, seen from outside: walks the whole machine and says what does not fit. Slow by intent; run after every
 * event in tests and on demand in the app.
 * @spec    02 §2.11, 04 §4.11, 07 §7.10
 */
import { checkBuddy } from './mm/buddy_check'
import { checkLru } from './mm/lru_check'
import { checkMemcg } from './mm/memcg_check'
import { PG_OWNER_MASK, PG_TAIL, mapcount, pageFlags, pageZoneIndex } from './mm/memmap'
import { MM_ANONPAGES, MM_FILEPAGES, MM_SHMEMPAGES, MM_SWAPENTS } from './mm/mm_types'
import { forEachPte, isPresent, isSwapPte, mmOfSlot, pteAt, ptePfn } from './mm/pgtable'
import { forEachMapping, rssCounter } from './mm/rmap'
import { exactRss } from './mm/rss'
import { checkSlabs } from './mm/slub_check'
import type { KernelState } from './state'

/** One sentence for each broken invariant; empty when the machine is sound. */
export function checkInvariants(state: KernelState): string[] {
  const found: string[] = [...checkBuddy(state), ...checkLru(state), ...checkMemcg(state), ...checkSlabs(state)]
  checkOwners(state, found)
  checkAddressSpaces(state, found)
  checkRmap(state, found)
  return found
}

/** Each managed frame has exactly one owner flag. */
function checkOwners(state: KernelState, found: string[]): void {
  for (let pfn = 1; pfn < state.memmap.endPfn; pfn++) {
    if (pageZoneIndex(state.memmap, pfn) < 0) continue
    const owner = pageFlags(state.memmap, pfn) & PG_OWNER_MASK
    if ((owner & (owner - 1)) !== 0) found.push(`pfn ${pfn} has two owners: flags 0x${owner.toString(16)}`)
    if (mapcount(state.memmap, pfn) > 0 && (owner === 0 || (owner & PG_TAIL) !== 0))
      found.push(`pfn ${pfn} is mapped but owned by nobody`)
  }
}

/** RSS counters equal what the page tables hold. */
function checkAddressSpaces(state: KernelState, found: string[]): void {
  for (const mm of state.mms) {
    if (mm.users === 0 || mm.pgd < 0) continue
    const seen = [0, 0, 0, 0]
    forEachPte(state, mm, 0, Number.MAX_SAFE_INTEGER, (_slot, pte) => {
      if (isSwapPte(pte)) seen[MM_SWAPENTS]!++
      else if (isPresent(pte) && ptePfn(pte) !== state.zeroPfn)
        seen[rssCounter(pageFlags(state.memmap, ptePfn(pte)))]!++
    })
    for (const counter of [MM_FILEPAGES, MM_ANONPAGES, MM_SHMEMPAGES, MM_SWAPENTS]) {
      const counted = exactRss(state, mm.id, counter)
      if (counted !== seen[counter])
        found.push(`mm ${mm.id} counter ${counter} says ${counted}, its page tables hold ${seen[counter]}`)
    }
  }
}

/** Each mapping in the reverse map is a PTE of that frame, and there are as many as mapcount says. */
function checkRmap(state: KernelState, found: string[]): void {
  for (let pfn = 1; pfn < state.memmap.endPfn; pfn++) {
    if (mapcount(state.memmap, pfn) === 0) continue
    let n = 0
    forEachMapping(state, pfn, (slot) => {
      n++
      const pte = pteAt(state.pgtables, slot)
      if (!isPresent(pte) || ptePfn(pte) !== pfn)
        found.push(
          `rmap of pfn ${pfn} names slot ${slot} of mm ${mmOfSlot(state.pgtables, slot)}, which holds 0x${pte.toString(16)}`,
        )
    })
    if (n !== mapcount(state.memmap, pfn))
      found.push(`pfn ${pfn} has mapcount ${mapcount(state.memmap, pfn)} and ${n} mappings`)
  }
}
