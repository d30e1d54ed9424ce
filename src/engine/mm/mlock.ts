/**
 * Locked pages: onto the unevictable list and back, with their counters.
 * @kernel  mm/mlock.c
 * @spec    04 §4.8
 */
import type { Pages, Pfn } from '../../util/units'
import type { KernelState } from '../state'
import { folioNrPages } from './folio'
import { PG_MLOCKED, PG_UNEVICTABLE, clearFlag, hasFlag, pageZoneIndex } from './memmap'
import { folioSetMlocked } from './swap'
import {
  NR_MLOCK,
  UNEVICTABLE_PGS_CLEARED,
  UNEVICTABLE_PGS_CULLED,
  UNEVICTABLE_PGS_MLOCKED,
  UNEVICTABLE_PGS_MUNLOCKED,
  UNEVICTABLE_PGS_RESCUED,
  countVmEvents,
  modStat,
} from './vmstat'

/** @returns pages of the folio */
function count(state: KernelState, pfn: Pfn, sign: number): Pages {
  const nr = folioNrPages(state.memmap, pfn)
  modStat(state.zones[pageZoneIndex(state.memmap, pfn)]!.stat, NR_MLOCK, sign * nr)
  return nr
}

/** @kernel mlock_folio() */
export function mlockFolio(state: KernelState, pfn: Pfn): void {
  if (hasFlag(state.memmap, pfn, PG_MLOCKED)) return
  folioSetMlocked(state, pfn, true)
  const nr = count(state, pfn, 1)
  countVmEvents(state.vmstat, UNEVICTABLE_PGS_MLOCKED, nr)
  countVmEvents(state.vmstat, UNEVICTABLE_PGS_CULLED, nr)
}

/** @kernel munlock_folio() */
export function munlockFolio(state: KernelState, pfn: Pfn): void {
  if (!hasFlag(state.memmap, pfn, PG_MLOCKED)) return
  folioSetMlocked(state, pfn, false)
  const nr = count(state, pfn, -1)
  countVmEvents(state.vmstat, UNEVICTABLE_PGS_MUNLOCKED, nr)
  countVmEvents(state.vmstat, UNEVICTABLE_PGS_RESCUED, nr)
}

/** A locked page is being freed; it is off its list already. @kernel __folio_clear_mlocked() in free_pages_prepare() */
export function clearMlocked(state: KernelState, pfn: Pfn): void {
  if (!hasFlag(state.memmap, pfn, PG_MLOCKED)) return
  clearFlag(state.memmap, pfn, PG_MLOCKED | PG_UNEVICTABLE)
  countVmEvents(state.vmstat, UNEVICTABLE_PGS_CLEARED, count(state, pfn, -1))
}
