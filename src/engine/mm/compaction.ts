/**
 * Compaction: a scanner walks up a zone and takes pages that can move, another walks down and takes free frames for them.
 * @kernel  mm/compaction.c compact_zone(), isolate_migratepages()
 * @spec    08 §8.7
 */
import type { Ns, Pfn } from '../../util/units'
import { currentTask, now } from '../exec'
import type { KernelState } from '../state'
import { emit, isTracing } from '../trace'
import { beginCapture, endCapture, freeListHead } from './buddy'
import { canTakeFallback } from './buddy_fallback'
import { compactionAlloc } from './compaction_free'
import { keepFreepages, releaseFreepages, resumeFreepages } from './compaction_freepages'
import { isolateMigratepages, nextMigratepage, nrMigratepages, scannersMet } from './compaction_isolate'
import { resetIsolationSuitable } from './compaction_reset'
import { fragmentationScoreWmark, fragmentationScoreZone, isKswapdRunning } from './compaction_score'
import {
  PAGEBLOCK_PAGES,
  compactionRestarting,
  pageblockStart,
  resetCachedPositions,
  zoneCompaction,
  type CompactControl,
  type ZoneCompaction,
} from './compaction_state'
import {
  COMPACT_COMPLETE,
  COMPACT_CONTENDED,
  COMPACT_CONTINUE,
  COMPACT_NO_SUITABLE_PAGE,
  COMPACT_PARTIAL_SKIPPED,
  COMPACT_SUCCESS,
  compactionSuitAllocationOrder,
} from './compaction_suitable'
import { GFP_KERNEL, MAX_NR_ZONES, NR_PAGE_ORDERS, gfpMigratetype } from './gfp'
import { migratePage, putbackMovablePage } from './migrate'
import type { Zone } from './mmzone'
import { drainZonePcp, freeUnrefPage } from './pcp'
import { lruAddDrain } from './swap'
import {
  COMPACT_FREE_SCANNED,
  COMPACT_MIGRATE_SCANNED,
  PGMIGRATE_FAIL,
  PGMIGRATE_SUCCESS,
  countVmEvent,
  countVmEvents,
} from './vmstat'

type ControlWish = Pick<CompactControl, 'zone' | 'order' | 'mode' | 'by'> & Partial<CompactControl>

/** A run over a zone that has not begun. @kernel struct compact_control initialisers */
export const createCompactControl = (wish: ControlWish): CompactControl => ({
  gfp: GFP_KERNEL,
  highestZoneidx: MAX_NR_ZONES - 1,
  allocFlags: 0,
  ignoreSkipHint: false,
  ignoreBlockSuitable: false,
  wholeZone: false,
  migratePfn: 0,
  freePfn: 0,
  lastMigratedPfn: 0,
  finishPageblock: false,
  updateCached: false,
  searchOrder: wish.order,
  fastSearchFail: 0,
  fastStartPfn: 0,
  captured: 0,
  migrateScanned: 0,
  freeScanned: 0,
  isPaused: false,
  freepages: [],
  ...wish,
})

const zoneOf = (state: KernelState, cc: CompactControl): Zone => state.zones[cc.zone]!
const zoneEnd = (zone: Zone): Pfn => zone.startPfn + zone.spanned
const lastPageblock = (zone: Zone): Pfn => pageblockStart(zoneEnd(zone) - 1)

/**
 * Looks whether there is anything to do and puts the scanners in place.
 * @returns COMPACT_CONTINUE = go on with continueCompactZone()
 * @kernel  mm/compaction.c compact_zone(), first part
 */
export function beginCompactZone(state: KernelState, cc: CompactControl): number {
  const zone = zoneOf(state, cc)
  if (cc.order >= 0) {
    const suits = compactionSuitAllocationOrder(state, zone, cc.order, cc.highestZoneidx, cc.allocFlags)
    if (suits !== COMPACT_CONTINUE) return suits
  }
  const z = zoneCompaction(state, zone)
  if (cc.order >= 0 && compactionRestarting(z, cc.order)) resetIsolationSuitable(state, zone)
  cc.migratePfn = zone.startPfn
  cc.freePfn = lastPageblock(zone)
  if (!cc.wholeZone) resumeScanners(zone, z, cc)
  cc.updateCached = cc.mode === 'async' && z.cachedMigratePfn[0] === z.cachedMigratePfn[1]
  emit(state, 'mm_compaction_begin', [
    zone.startPfn,
    cc.migratePfn,
    cc.freePfn,
    zoneEnd(zone),
    cc.mode === 'async' ? 0 : 1,
  ])
  lruAddDrain(state)
  return COMPACT_CONTINUE
}

/** Where the last run stopped, or at the ends of the zone. */
function resumeScanners(zone: Zone, z: ZoneCompaction, cc: CompactControl): void {
  const isInside = (pfn: Pfn): boolean => pfn >= zone.startPfn && pfn < zoneEnd(zone)
  if (!isInside(z.cachedFreePfn)) z.cachedFreePfn = lastPageblock(zone)
  cc.freePfn = z.cachedFreePfn
  const cached = z.cachedMigratePfn[cc.mode === 'async' ? 0 : 1]
  if (isInside(cached)) cc.migratePfn = cached
  else z.cachedMigratePfn.fill(zone.startPfn)
  if (cc.migratePfn <= z.initMigratePfn) cc.wholeZone = true
}

/**
 * Goes on with a run that has begun.
 * @param endNs  value of exec.ns at which it pauses
 * @returns COMPACT_CONTINUE = paused
 * @kernel  mm/compaction.c compact_zone(), the loop
 */
export function continueCompactZone(state: KernelState, cc: CompactControl, endNs: Ns): number {
  if (cc.by === 'direct' && currentTask(state)?.isKthread !== true) beginCapture(cc)
  try {
    return compactUntil(state, zoneOf(state, cc), cc, endNs)
  } finally {
    endCapture()
  }
}

function compactUntil(state: KernelState, zone: Zone, cc: CompactControl, endNs: Ns): number {
  resumeFreepages(state, cc)
  let result = cc.isPaused ? COMPACT_CONTINUE : compactFinished(state, zone, cc)
  while (result === COMPACT_CONTINUE && state.exec.ns < endNs) {
    result = compactTurn(state, zone, cc)
    if (result === COMPACT_CONTINUE) result = compactFinished(state, zone, cc)
  }
  cc.isPaused = result === COMPACT_CONTINUE
  if (cc.isPaused) keepFreepages(state, cc)
  else endCompactZone(state, zone, cc, result)
  return result
}

/** @kernel mm/compaction.c compact_zone() out: */
function endCompactZone(state: KernelState, zone: Zone, cc: CompactControl, result: number): void {
  releaseFreepages(state, zone)
  countVmEvents(state.vmstat, COMPACT_MIGRATE_SCANNED, cc.migrateScanned)
  countVmEvents(state.vmstat, COMPACT_FREE_SCANNED, cc.freeScanned)
  const { by, order, migratePfn, freePfn } = cc
  zoneCompaction(state, zone).last = { by, order, result, migratePfn, freePfn, atNs: Math.floor(now(state)) }
  const sync = cc.mode === 'async' ? 0 : 1
  emit(state, 'mm_compaction_end', [zone.startPfn, migratePfn, freePfn, zoneEnd(zone), sync, result])
}

/** A paused run whose task goes no further: what it holds goes back. @kernel fatal_signal_pending() in __compact_finished() */
export function abandonCompactZone(state: KernelState, cc: CompactControl): void {
  resumeFreepages(state, cc)
  cc.isPaused = false
  endCompactZone(state, zoneOf(state, cc), cc, COMPACT_CONTENDED)
  if (cc.captured !== 0) freeUnrefPage(state, cc.captured, cc.order)
  cc.captured = 0
}

/**
 * Takes up to 32 pages and moves them.
 * @returns COMPACT_CONTINUE; COMPACT_CONTENDED no frames left to move into although the scanners have not met;
 *   COMPACT_SUCCESS what it freed has become the block that was asked for
 */
function compactTurn(state: KernelState, zone: Zone, cc: CompactControl): number {
  const from = cc.migratePfn
  cc.finishPageblock = pageblockStart(cc.lastMigratedPfn) === pageblockStart(from)
  isolateMigratepages(state, zone, cc)
  if (nrMigratepages() > 0) {
    cc.updateCached = false
    cc.lastMigratedPfn = zone.series === '6.1' ? from : Math.max(zone.startPfn, pageblockStart(cc.migratePfn - 1))
    if (!migrateAll(state, zone, cc) && !scannersMet(cc)) return COMPACT_CONTENDED
    if (cc.captured !== 0) return COMPACT_SUCCESS
  } else if (cc.updateCached) {
    const { cachedMigratePfn } = zoneCompaction(state, zone)
    cachedMigratePfn[1] = cachedMigratePfn[0]
  }
  // A pageblock of the wanted order is behind the scanner: what it freed must be able to merge.
  if (cc.order > 0 && cc.lastMigratedPfn > 0 && cc.lastMigratedPfn < (cc.migratePfn & ~((1 << cc.order) - 1))) {
    lruAddDrain(state)
    drainZonePcp(state, zone, state.exec.cpu)
    cc.lastMigratedPfn = 0
  }
  return COMPACT_CONTINUE
}

/**
 * @returns whether every page found a frame; the first one that finds none is counted as failed and ends it
 * @kernel  mm/migrate.c migrate_pages(), case -ENOMEM of migrate_pages_batch()
 */
function migrateAll(state: KernelState, zone: Zone, cc: CompactControl): boolean {
  const nr = nrMigratepages()
  let moved = 0
  let from = nextMigratepage(state)
  for (; from !== 0; from = nextMigratepage(state), moved++) {
    const to = compactionAlloc(state, zone, cc, zone.series === '6.1' ? nr : nr - moved)
    if (to === 0) break
    migratePage(state, from, to)
  }
  countVmEvents(state.vmstat, PGMIGRATE_SUCCESS, moved)
  if (from !== 0) countVmEvent(state.vmstat, PGMIGRATE_FAIL)
  for (; from !== 0; from = nextMigratepage(state)) putbackMovablePage(state, from)
  if (isTracing()) emit(state, 'mm_compaction_migratepages', [moved, nr - moved])
  return moved === nr
}

// ---------------------------------------------------------------- end

/**
 * @returns COMPACT_CONTINUE = not yet
 * @kernel  mm/compaction.c compact_finished()
 */
function compactFinished(state: KernelState, zone: Zone, cc: CompactControl): number {
  const result = finishedBecause(state, zone, cc)
  if (isTracing()) emit(state, 'mm_compaction_finished', [zone.nid, zone.idx, cc.order, result])
  if (result === COMPACT_NO_SUITABLE_PAGE) return COMPACT_CONTINUE
  return result
}

function finishedBecause(state: KernelState, zone: Zone, cc: CompactControl): number {
  if (scannersMet(cc)) {
    resetCachedPositions(state, zone)
    if (cc.by === 'direct') zoneCompaction(state, zone).blockskipFlush = true
    return cc.wholeZone ? COMPACT_COMPLETE : COMPACT_PARTIAL_SKIPPED
  }
  if (cc.by === 'proactive') {
    if (isKswapdRunning(state, zone.nid)) return COMPACT_PARTIAL_SKIPPED
    const { low } = fragmentationScoreWmark(state.sysctl.compactionProactiveness)
    return fragmentationScoreZone(zone) > low ? COMPACT_CONTINUE : COMPACT_SUCCESS
  }
  const isKilled = currentTask(state)?.killSignal === 9
  if (cc.order < 0) return isKilled ? COMPACT_CONTENDED : COMPACT_CONTINUE
  if ((cc.migratePfn & (PAGEBLOCK_PAGES - 1)) !== 0) return COMPACT_CONTINUE
  const type = gfpMigratetype(cc.gfp)
  for (let order = cc.order; order < NR_PAGE_ORDERS; order++) {
    if (freeListHead(zone, order, type) !== 0 || canTakeFallback(zone, order, type)) return COMPACT_SUCCESS
  }
  return isKilled ? COMPACT_CONTENDED : COMPACT_NO_SUITABLE_PAGE
}
