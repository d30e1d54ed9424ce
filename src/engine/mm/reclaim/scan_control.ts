/**
 * What one reclaim wants and has got so far, and how far it has come on a node. Plain data, because kswapd keeps both
 * between two steps while others run.
 * @kernel  mm/vmscan.c struct scan_control, struct reclaim_stat
 * @spec    05 §5.3, §5.4
 */
import type { Pages } from '../../../util/units'
import { MAX_NR_ZONES } from '../gfp'

export const DEF_PRIORITY = 12
export const SWAP_CLUSTER_MAX: Pages = 32
export const MAX_RECLAIM_RETRIES = 16

/** Node flags. @kernel PGDAT_DIRTY, PGDAT_WRITEBACK */
export const PGDAT_DIRTY = 1
export const PGDAT_WRITEBACK = 2

export interface ScanControl {
  /** Who reclaims: decides counters, throttling and when to stop. */
  kind: 'kswapd' | 'direct' | 'memcg' | 'node'
  isProactive: boolean
  /** Group that is reclaimed from, 0 = the whole machine. */
  target: number
  nrToReclaim: Pages
  order: number
  gfp: number
  reclaimIdx: number
  priority: number
  /** Instead of vm.swappiness; −1 none. */
  swappiness: number
  mayWritepage: boolean
  mayUnmap: boolean
  maySwap: boolean
  forceDeactivate: boolean
  skippedDeactivate: boolean
  memcgLowReclaim: boolean
  memcgLowSkipped: boolean
  memcgFullWalk: boolean
  noCacheTrimMode: boolean
  cacheTrimMode: boolean
  cacheTrimModeFailed: boolean
  fileIsTiny: boolean
  compactionReady: boolean
  /** Bit 0 anonymous, bit 1 file: active lists may be shrunk. */
  mayDeactivate: number
  anonCost: number
  fileCost: number
  nrScanned: Pages
  nrReclaimed: Pages
  /** Pages that shrinkers gave back since they were last added to nrReclaimed. @kernel current->reclaim_state */
  slabReclaimed: Pages
  /** Since this node's shrinking began. */
  nrDirty: Pages
  nrUnqueuedDirty: Pages
  nrCongested: Pages
  nrWriteback: Pages
  nrImmediate: Pages
  nrFileTaken: Pages
  nrTaken: Pages
  /** In the record of reclaim: number of this run and of its visit under way, −1 none. Owner: reclaim_log.ts */
  run: number
  visit: number
}

type ScanWish = Pick<ScanControl, 'kind' | 'target' | 'nrToReclaim' | 'order' | 'gfp' | 'reclaimIdx'>

/** May do everything, has done nothing. Fields one by one: a spread would make a slow object of it. */
export const createScanControl = (wish: ScanWish): ScanControl => ({
  kind: wish.kind,
  target: wish.target,
  nrToReclaim: wish.nrToReclaim,
  order: wish.order,
  gfp: wish.gfp,
  reclaimIdx: wish.reclaimIdx,
  isProactive: false,
  priority: DEF_PRIORITY,
  swappiness: -1,
  mayWritepage: true,
  mayUnmap: true,
  maySwap: true,
  forceDeactivate: false,
  skippedDeactivate: false,
  memcgLowReclaim: false,
  memcgLowSkipped: false,
  memcgFullWalk: false,
  noCacheTrimMode: false,
  cacheTrimMode: false,
  cacheTrimModeFailed: false,
  fileIsTiny: false,
  compactionReady: false,
  mayDeactivate: 0,
  anonCost: 0,
  fileCost: 0,
  nrScanned: 0,
  nrReclaimed: 0,
  slabReclaimed: 0,
  nrDirty: 0,
  nrUnqueuedDirty: 0,
  nrCongested: 0,
  nrWriteback: 0,
  nrImmediate: 0,
  nrFileTaken: 0,
  nrTaken: 0,
  run: -1,
  visit: -1,
})

/** @kernel memset(&sc->nr, 0, sizeof(sc->nr)) */
export function clearNodeCounts(sc: ScanControl): void {
  sc.nrDirty = 0
  sc.nrUnqueuedDirty = 0
  sc.nrCongested = 0
  sc.nrWriteback = 0
  sc.nrImmediate = 0
  sc.nrFileTaken = 0
  sc.nrTaken = 0
}

/** @kernel cgroup_reclaim(): because of a group's limit, not for the machine */
export const cgroupReclaim = (sc: ScanControl): boolean => sc.target > 1
/** @kernel compact_gap() */
export const compactGap = (order: number): Pages => 2 * (1 << order)
/** Offset of the vm event for this reclaimer. @kernel reclaimer_offset() */
export const reclaimerOffset = (sc: ScanControl): number => (sc.kind === 'kswapd' ? 0 : 1)

/** Where shrink_node is. */
export type ShrinkStage = 'begin' | 'visit' | 'batch' | 'end' | 'done'

/** Progress of shrink_node on one node. */
export interface ShrinkRun {
  nid: number
  stage: ShrinkStage
  /** Reclaimed when this pass began. */
  reclaimedBefore: Pages
  /** Something was reclaimed in one of the passes. */
  isReclaimable: boolean
  /** Group whose lists are being shrunk, 0 none. */
  memcg: number
  /** Walk of the tree: may stop early and go on next time at `generation`. */
  isPartial: boolean
  hasStarted: boolean
  generation: number
  /** Walk of MGLRU's list of groups. */
  walk: {
    gen: number
    bin: number
    firstBin: number
    scanned: Pages
    reclaimed: Pages
    next: number
    visited: number[]
  }
  /** Classic: pages still to scan and wanted at first, by LRU_*. */
  nr: number[]
  targets: number[]
  lru: number
  lruvecReclaimed: Pages
  isProportional: boolean
  /** MGLRU: pages scanned of this lruvec, and whether it ended with "leave it alone". */
  scanned: Pages
  nrToScan: number
  swappiness: number
}

/** Nothing done yet on this node. */
export const createShrinkRun = (nid: number): ShrinkRun => ({
  nid,
  stage: 'begin',
  reclaimedBefore: 0,
  isReclaimable: false,
  memcg: 0,
  isPartial: false,
  hasStarted: false,
  generation: 0,
  walk: { gen: 0, bin: 0, firstBin: 0, scanned: 0, reclaimed: 0, next: 0, visited: [] },
  nr: [0, 0, 0, 0],
  targets: [0, 0, 0, 0],
  lru: 0,
  lruvecReclaimed: 0,
  isProportional: false,
  scanned: 0,
  nrToScan: 0,
  swappiness: 0,
})

/** What happened to the pages of one isolated batch; one object, reused. */
export interface ReclaimStat {
  dirty: Pages
  unqueuedDirty: Pages
  congested: Pages
  writeback: Pages
  immediate: Pages
  pageout: Pages
  activateAnon: Pages
  activateFile: Pages
  refKeep: Pages
  unmapFail: Pages
  /** Pages left in the list: those that go back. */
  kept: Pages
}

export const createReclaimStat = (): ReclaimStat => ({
  dirty: 0,
  unqueuedDirty: 0,
  congested: 0,
  writeback: 0,
  immediate: 0,
  pageout: 0,
  activateAnon: 0,
  activateFile: 0,
  refKeep: 0,
  unmapFail: 0,
  kept: 0,
})

export function clearReclaimStat(s: ReclaimStat): void {
  s.dirty = s.unqueuedDirty = s.congested = s.writeback = s.immediate = s.pageout = 0
  s.activateAnon = s.activateFile = s.refKeep = s.unmapFail = s.kept = 0
}

/** Boosts that a kswapd run has seen, by zone index. */
export const createZoneBoosts = (): number[] => Array.from({ length: MAX_NR_ZONES }, () => 0)
