/**
 * Locked pages: onto the unevictable list and back, with their counters.
 * @kernel  mm/mlock.c
 * @spec    04 §4.8
 */
import type { Pfn } from '../../util/units'
import type { KernelState } from '../state'
import { PG_MLOCKED, PG_UNEVICTABLE, clearFlag, hasFlag, pageZoneIndex } from './memmap'
import { folioSetMlocked } from './swap'
import {
  NR_MLOCK,
  UNEVICTABLE_PGS_CLEARED,
  UNEVICTABLE_PGS_MLOCKED,
  UNEVICTABLE_PGS_MUNLOCKED,
  UNEVICTABLE_PGS_RESCUED,
  countVmEvent,
  modStat,
} from './vmstat'

const count = (state: KernelState, pfn: Pfn, delta: number): void =>
  modStat(state.zones[pageZoneIndex(state.memmap, pfn)]!.stat, NR_MLOCK, delta)

/** @kernel mlock_folio() */
export function mlockFolio(state: KernelState, pfn: Pfn): void {
  if (hasFlag(state.memmap, pfn, PG_MLOCKED)) return
  folioSetMlocked(state, pfn, true)
  count(state, pfn, 1)
  countVmEvent(state.vmstat, UNEVICTABLE_PGS_MLOCKED)
}

/** @kernel munlock_folio() */
export function munlockFolio(state: KernelState, pfn: Pfn): void {
  if (!hasFlag(state.memmap, pfn, PG_MLOCKED)) return
  folioSetMlocked(state, pfn, false)
  count(state, pfn, -1)
  countVmEvent(state.vmstat, UNEVICTABLE_PGS_MUNLOCKED)
  countVmEvent(state.vmstat, UNEVICTABLE_PGS_RESCUED)
}

/** A locked page is being freed; it is off its list already. @kernel __folio_clear_mlocked() in free_pages_prepare() */
export function clearMlocked(state: KernelState, pfn: Pfn): void {
  if (!hasFlag(state.memmap, pfn, PG_MLOCKED)) return
  clearFlag(state.memmap, pfn, PG_MLOCKED | PG_UNEVICTABLE)
  count(state, pfn, -1)
  countVmEvent(state.vmstat, UNEVICTABLE_PGS_CLEARED)
}
