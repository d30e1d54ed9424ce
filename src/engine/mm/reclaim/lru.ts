/**
 * The classic policy: an active and an inactive list for each type; pages are taken from the tail of the inactive lists,
 * which the active lists refill.
 * @kernel  mm/vmscan.c shrink_lruvec(), shrink_active_list(), shrink_inactive_list()
 * @spec    05 §5.3, §5.4
 */
import type { Pages } from '../../../util/units'
import { charge } from '../../exec'
import type { KernelState } from '../../state'
import { emit, isTracing } from '../../trace'
import { wakeupFlusher } from '../flusher'
import { MAX_NR_ZONES, ZONE_DMA } from '../gfp'
import {
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  folioZonenum,
  lruvecLruSize,
  lruvecOf,
  lruvecPageState,
  type Lruvec,
} from '../lruvec'
import {
  PG_ACTIVE,
  PG_LRU,
  PG_UNEVICTABLE,
  PG_WORKINGSET,
  clearFlag,
  hasFlag,
  listAddHead,
  listDel,
  listTail,
  mapcount,
  setFlag,
} from '../memmap'
import { memcgProtection, nextMemcg, ROOT_MEMCG } from '../memcontrol'
import {
  MEMCG_STAT_PGDEACTIVATE,
  MEMCG_STAT_PGREFILL,
  MEMCG_STAT_PGSCAN_KSWAPD,
  MEMCG_STAT_PGSTEAL_KSWAPD,
  MEMCG_STAT_WORKINGSET_ACTIVATE_ANON,
  modMemcgState,
} from '../memcg_stat'
import { wmark, WMARK_HIGH } from '../mmzone'
import { folioReferenced } from '../rmap'
import { folioPutback, lruAddDrain, lruNoteCost, lruvecDelFolio } from '../swap'
import { totalSwapPages } from '../swap_space'
import { VM_EXEC } from '../mm_types'
import {
  NR_FREE_PAGES,
  NR_ISOLATED_ANON,
  PGDEACTIVATE,
  PGREFILL,
  PGSCAN_ANON,
  PGSCAN_KSWAPD,
  PGSKIP_DMA,
  PGSTEAL_ANON,
  PGSTEAL_KSWAPD,
  WORKINGSET_ACTIVATE_ANON,
  countVmEvents,
  modStat,
  readStat,
} from '../vmstat'
import { memcgNrSwapPages, scSwappiness } from './mglru_swappiness'
import type { ReclaimPolicy } from './policy'
import { inactiveIsLowFor, scanCounts, scanFractions, type ScanBalance, type ScanProtection } from './scan_count'
import {
  DEF_PRIORITY,
  SWAP_CLUSTER_MAX,
  cgroupReclaim,
  createReclaimStat,
  reclaimerOffset,
  type ScanControl,
  type ShrinkRun,
} from './scan_control'
import { shrinkFolioList } from './shrink_folio_list'
import { reclaimThrottle, tooManyIsolated } from './throttle'

void [VM_EXEC, ZONE_DMA]
