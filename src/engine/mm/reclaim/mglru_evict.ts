/**
 * One batch of MGLRU's eviction: the oldest generation is sorted, up to 64 pages are isolated, reclaimed, and put back.
 * @kernel  mm/vmscan.c evict_folios(), isolate_folios(), scan_folios(), sort_folio(), isolate_folio()
 * @spec    05 §5.10
 */
import type { Pages, Pfn } from '../../../util/units'
import type { KernelState } from '../../state'
import { emit, isTracing } from '../../trace'
import { folioNrPages } from '../folio'
import { GFP_BIT_IO, MAX_NR_ZONES } from '../gfp'
import {
  LRU_GEN_ANON,
  LRU_GEN_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  MAX_NR_TIERS,
  MIN_NR_GENS,
  type Lruvec,
} from '../lruvec'
import {
  PG_ACTIVE,
  PG_ANON,
  PG_DIRTY,
  PG_LOCKED,
  PG_LRU,
  PG_RECLAIM,
  PG_REFERENCED,
  PG_SWAPCACHE,
  PG_UNEVICTABLE,
  PG_WORKINGSET,
  PG_WRITEBACK,
  clearFlag,
  listAddHead,
  listDel,
  listTail,
  mapcount,
  pageFlags,
  setFlag,
} from '../memmap'
import { MEMCG_STAT_PGREFILL, modMemcgState } from '../memcg_stat'
import { folioPutback, lruvecAddFolio } from '../swap'
import { PGREFILL, PGSKIP_DMA, UNEVICTABLE_PGS_CULLED, countVmEvents } from '../vmstat'
import {
  clearRefs,
  folioIncGen,
  folioLruGen,
  folioLruRefs,
  genFromSeq,
  genList,
  lruGenDelFolio,
  lruTierFromRefs,
  moveBetweenGens,
  nrGens,
} from './lru_gen'
import { countScanned, countStolen } from './lru_lists'
import { tryToIncMinSeq } from './mglru_aging'
import { getTierIdx, getTypeToScan } from './mglru_pid'
import { MIN_LRU_BATCH } from './mglru_swappiness'
import { noteBatch, noteSorted } from './reclaim_log'
import { cgroupReclaim, createReclaimStat, type ScanControl } from './scan_control'
import { shrinkFolioList } from './shrink_folio_list'

/** Most pages looked at for one batch. @kernel MAX_LRU_BATCH */
const MAX_LRU_BATCH: Pages = 4096
/** 3 counted accesses and the workingset flag: as often used as can be told. @kernel BIT(LRU_REFS_WIDTH) */
const REFS_MAX = 4

const taken = new Int32Array(MIN_LRU_BATCH)
const clean = new Int32Array(MIN_LRU_BATCH)
const moved = new Int32Array(MIN_LRU_BATCH)
const stat = createReclaimStat()

/**
 * Moves a page that is not for now: promoted since, protected by its tier, in a zone too high, or busy.
 * @returns whether it was moved
 * @kernel  mm/vmscan.c sort_folio()
 */
function sortFolio(
  state: KernelState,
  sc: ScanControl,
  lruvec: Lruvec,
  pfn: Pfn,
  at: { readonly list: number; readonly type: number; readonly zone: number; readonly tier: number },
): boolean {
  const g = lruvec.gen
  const { list, type, zone } = at
  const flags = pageFlags(state.memmap, pfn)
  if (flags & PG_UNEVICTABLE) {
    lruGenDelFolio(state, lruvec, pfn, true)
    lruvecAddFolio(state, lruvec, pfn, false)
    countVmEvents(state.vmstat, UNEVICTABLE_PGS_CULLED, folioNrPages(state.memmap, pfn))
    return true
  }
  const gen = folioLruGen(flags)
  if (gen !== genFromSeq(g.minSeq[type]!)) {
    moveBetweenGens(state, g, pfn, list, genList(gen, type, zone), false)
    return true
  }
  const refs = folioLruRefs(flags)
  const tier = lruTierFromRefs(refs)
  if (tier > at.tier || refs === REFS_MAX) {
    const next = folioIncGen(state, lruvec, pfn, type, false)
    moveBetweenGens(state, g, pfn, list, genList(next, type, zone), true)
    if (refs !== REFS_MAX) g.protectedPages[type * MAX_NR_TIERS + tier]! += folioNrPages(state.memmap, pfn)
    return true
  }
  if (zone > sc.reclaimIdx) {
    moveBetweenGens(state, g, pfn, list, genList(folioIncGen(state, lruvec, pfn, type, false), type, zone), true)
    return true
  }
  const isDirtyFile = type === LRU_GEN_FILE && (flags & PG_DIRTY) !== 0
  if (isDirtyFile) {
    sc.nrFileTaken++
    if ((flags & PG_WRITEBACK) === 0) sc.nrUnqueuedDirty++
  }
  if ((flags & (PG_LOCKED | PG_WRITEBACK)) !== 0 || isDirtyFile) {
    moveBetweenGens(state, g, pfn, list, genList(folioIncGen(state, lruvec, pfn, type, true), type, zone), false)
    return true
  }
  return false
}

/** @kernel  mm/vmscan.c isolate_folio() */
function isolateFolio(state: KernelState, sc: ScanControl, lruvec: Lruvec, pfn: Pfn): boolean {
  const m = state.memmap
  const flags = pageFlags(m, pfn)
  if ((sc.gfp & GFP_BIT_IO) === 0) {
    const needsIo = (flags & PG_DIRTY) !== 0 || ((flags & PG_ANON) !== 0 && (flags & PG_SWAPCACHE) === 0)
    if (needsIo) return false
  }
  if ((flags & PG_REFERENCED) === 0) clearRefs(state, pfn)
  clearFlag(m, pfn, PG_RECLAIM | PG_REFERENCED)
  lruGenDelFolio(state, lruvec, pfn, true)
  clearFlag(m, pfn, PG_LRU)
  return true
}

/** What one scan found: one object, reused. */
const found = { type: 0, scanned: 0, isolated: 0, folios: 0 }

/**
 * Collects up to 64 pages of the oldest generation into `taken`.
 * @returns pages looked at; 0 = nothing to be had from this type
 * @kernel  mm/vmscan.c scan_folios()
 */
function scanFolios(state: KernelState, sc: ScanControl, lruvec: Lruvec, type: number, tier: number): Pages {
  const g = lruvec.gen
  found.isolated = 0
  found.folios = 0
  if (nrGens(g, type) === MIN_NR_GENS) return 0
  const gen = genFromSeq(g.minSeq[type]!)
  let scanned = 0
  let sorted = 0
  let skipped = 0
  let remaining = MAX_LRU_BATCH
  for (let i = MAX_NR_ZONES; i > 0; i--) {
    const zone = (sc.reclaimIdx + i) % MAX_NR_ZONES
    const at = { list: genList(gen, type, zone), type, zone, tier }
    let nrMoved = 0
    let nrSkipped = 0
    for (let pfn: Pfn; (pfn = listTail(g.lists, at.list)) !== 0;) {
      const size = folioNrPages(state.memmap, pfn)
      scanned += size
      if (sortFolio(state, sc, lruvec, pfn, at)) sorted += size
      else if (isolateFolio(state, sc, lruvec, pfn)) {
        taken[found.folios++] = pfn
        found.isolated += size
      } else {
        listDel(state.memmap, g.lists, at.list, pfn)
        moved[nrMoved++] = pfn
        nrSkipped += size
      }
      if (--remaining === 0 || Math.max(found.isolated, nrSkipped) >= MIN_LRU_BATCH) break
    }
    for (let k = 0; k < nrMoved; k++) listAddHead(state.memmap, g.lists, at.list, moved[k]!)
    if (nrMoved > 0) countVmEvents(state.vmstat, PGSKIP_DMA + zone, nrSkipped)
    skipped += nrSkipped
    if (remaining === 0 || found.isolated >= MIN_LRU_BATCH) break
  }
  countScanned(state, sc, lruvec, type, found.isolated)
  if (!cgroupReclaim(sc)) countVmEvents(state.vmstat, PGREFILL, sorted)
  modMemcgState(state, lruvec.memcg, MEMCG_STAT_PGREFILL, sorted)
  noteSorted(state, sc, sorted)
  if (type === LRU_GEN_FILE) sc.nrFileTaken += found.isolated
  if (isTracing()) {
    const lru = type === LRU_GEN_FILE ? LRU_INACTIVE_FILE : LRU_INACTIVE_ANON
    emit(state, 'mm_vmscan_lru_isolate', [
      sc.reclaimIdx,
      sc.order,
      MAX_LRU_BATCH,
      scanned,
      skipped,
      found.isolated,
      lru,
    ])
  }
  return found.isolated > 0 || remaining === 0 ? scanned : 0
}

/** Which type first, then the other one unless anonymous pages are out of reach. @kernel mm/vmscan.c isolate_folios() */
function isolateFolios(state: KernelState, sc: ScanControl, lruvec: Lruvec, swappiness: number): Pages {
  const g = lruvec.gen
  let tier = -1
  let type: number
  if (swappiness === 0) type = LRU_GEN_FILE
  else if (g.minSeq[LRU_GEN_ANON]! < g.minSeq[LRU_GEN_FILE]!) type = LRU_GEN_ANON
  else if (swappiness === 1) type = LRU_GEN_FILE
  else if (swappiness === 200) type = LRU_GEN_ANON
  else if ((sc.gfp & GFP_BIT_IO) === 0) type = LRU_GEN_FILE
  else ({ type, tier } = getTypeToScan(g, swappiness))
  let scanned = 0
  for (let i = swappiness === 0 ? 1 : 0; i < 2; i++) {
    if (tier < 0) tier = getTierIdx(g, type)
    scanned = scanFolios(state, sc, lruvec, type, tier)
    if (scanned > 0) break
    type = 1 - type
    tier = -1
  }
  found.type = type
  found.scanned = scanned
  return scanned
}

/**
 * Kept pages: those that may be clean by now are collected for one more try, the others are marked for their place.
 * @returns pages in `clean`
 * @kernel  mm/vmscan.c evict_folios(), after shrink_folio_list()
 */
function sortKept(state: KernelState, kept: number, isRetry: boolean): number {
  const m = state.memmap
  let nrClean = 0
  for (let i = 0; i < kept; i++) {
    const pfn = taken[i]!
    const flags = pageFlags(m, pfn)
    if (flags & PG_UNEVICTABLE) {
      folioPutback(state, pfn)
      continue
    }
    if ((flags & PG_RECLAIM) !== 0 && (flags & (PG_DIRTY | PG_WRITEBACK)) !== 0) {
      if (flags & PG_WORKINGSET) setFlag(m, pfn, PG_REFERENCED)
      folioPutback(state, pfn)
      continue
    }
    const busy = PG_ACTIVE | PG_REFERENCED | PG_LOCKED | PG_DIRTY | PG_WRITEBACK
    if (isRetry || (flags & busy) !== 0 || mapcount(m, pfn) > 0) {
      clearRefs(state, pfn)
      setFlag(m, pfn, PG_ACTIVE)
      folioPutback(state, pfn)
      continue
    }
    clean[nrClean++] = pfn
  }
  return nrClean
}

/**
 * One batch: isolates, reclaims, puts back.
 * @returns pages looked at; 0 = nothing more to get
 * @kernel  mm/vmscan.c evict_folios()
 */
export function evictFolios(state: KernelState, sc: ScanControl, lruvec: Lruvec, swappiness: number): Pages {
  let scanned = isolateFolios(state, sc, lruvec, swappiness)
  const type = found.type
  let count = found.folios
  if (tryToIncMinSeq(lruvec, swappiness !== 0)) scanned++
  if (nrGens(lruvec.gen, swappiness === 0 ? LRU_GEN_FILE : LRU_GEN_ANON) === MIN_NR_GENS) scanned = 0
  for (let isRetry = false; count > 0; isRetry = true) {
    const batch = { list: taken, count, ignoreReferences: false }
    const reclaimed = shrinkFolioList(state, sc, lruvec.nid, batch, stat)
    sc.nrUnqueuedDirty += stat.unqueuedDirty
    sc.nrReclaimed += reclaimed
    countStolen(state, sc, lruvec, type, reclaimed)
    noteBatch(state, sc, lruvec, type, { scanned: isRetry ? 0 : found.isolated, reclaimed, stat })
    if (isTracing()) {
      const activated = stat.activateAnon + stat.activateFile
      const args = [lruvec.nid, scanned, reclaimed, stat.dirty, stat.writeback, activated, stat.refKeep, sc.priority]
      emit(state, 'mm_vmscan_lru_shrink_inactive', args)
    }
    count = sortKept(state, stat.kept, isRetry)
    taken.set(clean.subarray(0, count))
  }
  return scanned
}
