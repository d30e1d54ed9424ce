/**
 * Automatic NUMA balancing, second half: a task touches a page whose entry was marked. Who touched it, from where, and who
 * the last time, decides whether the page moves to the task.
 * @kernel  mm/memory.c do_numa_page(), mm/migrate.c migrate_misplaced_folio(), kernel/sched/fair.c should_numa_migrate_memory()
 * @spec    08 §8.3, §8.4
 */
import { HPAGE_PAGES, NS_PER_MS, NS_PER_S, type Pages, type Pfn } from '../../util/units'
import { charge, now } from '../exec'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { FAULT_MINOR } from './fault'
import {
  GFP_BIT_NOMEMALLOC,
  GFP_BIT_NORETRY,
  GFP_BIT_NOWARN,
  GFP_BIT_THISNODE,
  GFP_HIGHUSER_MOVABLE,
  GFP_RECLAIM,
  GFP_TRANSHUGE_LIGHT,
  MAX_NR_ZONES,
  PAGEBLOCK_ORDER,
  ZONE_MOVABLE,
} from './gfp'
import { isMovableHuge, migrateHugeTo } from './huge_migrate'
import { pmdPfn } from './huge_pmd'
import { wakeupKswapd } from './kswapd'
import {
  PG_ANON,
  PG_ANON_EXCLUSIVE,
  PG_DIRTY,
  PG_FILE,
  PG_SWAPBACKED,
  hasFlag,
  mapcount,
  pageFlags,
  pageZoneIndex,
} from './memmap'
import { nodeIsToptier } from './memory_tiers'
import { isMigratable, isolateForMigration, migratePage } from './migrate'
import { ALLOC_CMA, WMARK_HIGH, WMARK_PROMO, wmark, zoneWatermarkOk } from './mmzone'
import { VM_EXEC, VM_SHARED, VM_WRITE, type Vma } from './mm_types'
import { taskNumaFault } from './numa_placement'
import { policyMof, taskNuma } from './numa_scan'
import {
  NUMA_BALANCING_MEMORY_TIERING,
  cpupidCpu,
  cpupidMatchPid,
  lastCpupid,
  makeCpupid,
  xchgLastCpupid,
} from './numa_state'
import { allocPages } from './page_alloc'
import { PTE_ACCESSED, PTE_DIRTY, pteAt, ptePfn, setPte, withAccess } from './pgtable'
import {
  NUMA_HINT_FAULTS,
  NUMA_HINT_FAULTS_LOCAL,
  NUMA_PAGES_MIGRATED,
  PGMIGRATE_FAIL,
  PGMIGRATE_SUCCESS,
  PGPROMOTE_CANDIDATE,
  PGPROMOTE_SUCCESS,
  countVmEvent,
  countVmEvents,
  modStat,
} from './vmstat'

const nidOf = (state: KernelState, pfn: Pfn): number => state.zones[pageZoneIndex(state.memmap, pfn)]!.nid
const isTiering = (state: KernelState): boolean => (state.sysctl.numaBalancing & NUMA_BALANCING_MEMORY_TIERING) !== 0

/** What is the same for a page of either size. */
interface Hint {
  readonly pfn: Pfn
  readonly pages: Pages
  /** @returns whether it lies on the node now */
  readonly move: (nid: number) => boolean
}

/**
 * A touch of a small page that the scan had marked.
 * @kernel  mm/memory.c do_numa_page()
 */
export function doNumaPage(state: KernelState, task: Task, vma: Vma, slot: number, isWrite: boolean): number {
  const pfn = ptePfn(pteAt(state.pgtables, slot))
  if (pfn !== state.zeroPfn) {
    hintFault(state, task, vma, { pfn, pages: 1, move: (nid) => moveSmall(state, vma, pfn, nid) })
  }
  // The entry names the new frame if there is one.
  restore(state, vma, slot, isWrite)
  charge(state, state.costs.minorFault)
  return FAULT_MINOR
}

/** The same of a huge page. @kernel mm/huge_memory.c do_huge_pmd_numa_page() */
export function doHugePmdNumaPage(state: KernelState, task: Task, vma: Vma, slot: number, isWrite: boolean): number {
  const pfn = pmdPfn(pteAt(state.pgtables, slot))
  if (pfn !== state.thp.hugeZeroPfn) {
    hintFault(state, task, vma, { pfn, pages: HPAGE_PAGES, move: (nid) => moveHuge(state, slot, pfn, nid) })
  }
  const entry = pteAt(state.pgtables, slot)
  const mayWrite = (vma.flags & VM_WRITE) !== 0 && hasFlag(state.memmap, pmdPfn(entry), PG_ANON_EXCLUSIVE)
  setEntry(state, slot, withAccess(entry, mayWrite ? 'write' : 'read'), isWrite && mayWrite)
  charge(state, state.costs.minorFault)
  return FAULT_MINOR
}

/** The entry allows again what it did; a write that it still forbids faults once more. @kernel can_change_pte_writable() */
function restore(state: KernelState, vma: Vma, slot: number, isWrite: boolean): void {
  const pte = pteAt(state.pgtables, slot)
  const pfn = ptePfn(pte)
  const isOwn = pfn !== state.zeroPfn && hasFlag(state.memmap, pfn, PG_ANON_EXCLUSIVE)
  const mayWrite = (vma.flags & VM_SHARED) !== 0 ? (pte & PTE_DIRTY) !== 0 : isOwn
  const writable = (vma.flags & VM_WRITE) !== 0 && mayWrite
  setEntry(state, slot, withAccess(pte, writable ? 'write' : 'read'), isWrite && writable)
}

function setEntry(state: KernelState, slot: number, entry: number, isDirty: boolean): void {
  setPte(state.pgtables, slot, (entry | PTE_ACCESSED | (isDirty ? PTE_DIRTY : 0)) >>> 0)
}

/** Counts the fault, and moves the page if that is wise. @kernel mm/memory.c numa_migrate_check() */
function hintFault(state: KernelState, task: Task, vma: Vma, hint: Hint): void {
  const { pfn, pages } = hint
  const here = state.cpuNode[state.exec.cpu]!
  const from = nidOf(state, pfn)
  countVmEvent(state.vmstat, NUMA_HINT_FAULTS)
  if (from === here) countVmEvent(state.vmstat, NUMA_HINT_FAULTS_LOCAL)
  const isSlow = isTiering(state) && !nodeIsToptier(state, from)
  const last = isSlow ? 0 : lastCpupid(state, pfn)
  const isMisplaced = policyMof(vma, task) && shouldMigrate(state, task, hint, from, here) && from !== here
  const fault = { last, pages, isLocal: from === here }
  if (!isMisplaced) {
    taskNumaFault(state, task, { ...fault, nid: from, outcome: 'stays' })
    return
  }
  const isMoved = isBalanced(state, here, pages) && hint.move(here)
  if (isMoved) {
    countVmEvents(state.vmstat, NUMA_PAGES_MIGRATED, pages)
    if (isSlow && nodeIsToptier(state, here)) modStat(state.nodes[here]!.stat, PGPROMOTE_SUCCESS, pages)
  }
  taskNumaFault(state, task, { ...fault, nid: isMoved ? here : from, outcome: isMoved ? 'moved' : 'failed' })
}

/**
 * Whether a page should come to the CPU that touches it: early in a task's life always, later if the same task or the same
 * node touched it twice in a row; from slow memory if it is hot.
 * @kernel      kernel/sched/fair.c should_numa_migrate_memory()
 * @spec        08 §8.3
 * @simplifies  no groups of tasks that share pages: shared faults follow the two-touch rule alone
 */
function shouldMigrate(state: KernelState, task: Task, { pfn, pages }: Hint, from: number, here: number): boolean {
  if (!state.nodes[here]!.hasMemory) return false
  if (isTiering(state) && !nodeIsToptier(state, from)) return isHot(state, pfn, pages, here)
  const n = taskNuma(state, task)
  const last = xchgLastCpupid(state, pfn, makeCpupid(state.exec.cpu, task.pid))
  const isPrivate = last === 0 || cpupidMatchPid(last, task.pid)
  if ((n.preferredNid < 0 || n.scanSeq <= 4) && isPrivate) return true
  return last === 0 || state.cpuNode[cpupidCpu(last)] === here
}

const PAGES_PER_GIB = 262144

/** @kernel kernel/sched/fair.c pgdat_free_space_enough() */
function hasPlenty(state: KernelState, nid: number): boolean {
  const present = state.nodes[nid]!.zones.reduce((sum, z) => sum + state.zones[z]!.present, 0)
  const enough = Math.max(PAGES_PER_GIB, Math.floor(present / 16))
  return someZone(state, nid, (zone) => zoneWatermarkOk(zone, 0, wmark(zone, WMARK_PROMO) + enough, ZONE_MOVABLE, 0))
}

/**
 * A page of slow memory was touched so soon after it was marked that it is worth fast memory.
 * @kernel      kernel/sched/fair.c should_numa_migrate_memory(), numa_hint_fault_latency(), numa_promotion_rate_limit()
 * @spec        08 §8.4
 * @simplifies  the threshold stays where the knob puts it; the kernel adjusts it to the rate limit once a minute
 */
function isHot(state: KernelState, pfn: Pfn, pages: Pages, here: number): boolean {
  if (hasPlenty(state, here)) return true
  const markedMs = lastCpupid(state, pfn) - 1
  const nowMs = Math.floor(now(state) / NS_PER_MS)
  if (nowMs - markedMs >= state.numa.knobs.hot_threshold_ms) return false
  const rate = state.numa.promotion[here]!
  modStat(state.nodes[here]!.stat, PGPROMOTE_CANDIDATE, pages)
  if (now(state) - rate.startNs > NS_PER_S) {
    rate.startNs = now(state)
    rate.candidates = 0
  }
  rate.candidates += pages
  return rate.candidates < state.numa.promoteRateLimitMbps * 256
}

const someZone = (state: KernelState, nid: number, is: (zone: KernelState['zones'][number]) => boolean): boolean =>
  state.nodes[nid]!.zones.some((z) => state.zones[z]!.managed > 0 && is(state.zones[z]!))

/** The node is not nearly full; a fast node that is full wakes its kswapd for promotions. @kernel migrate_balanced_pgdat() */
function isBalanced(state: KernelState, nid: number, pages: Pages): boolean {
  if (someZone(state, nid, (z) => zoneWatermarkOk(z, 0, wmark(z, WMARK_HIGH) + pages, ZONE_MOVABLE, ALLOC_CMA)))
    return true
  if (isTiering(state)) {
    const top = state.zones.findLast((zone) => zone.nid === nid && zone.managed > 0)
    if (top !== undefined) wakeupKswapd(state, top, 0, pages === 1 ? 0 : PAGEBLOCK_ORDER, MAX_NR_ZONES - 1)
  }
  return false
}

/** @kernel mm/migrate.c migrate_misplaced_folio_prepare(), migrate_misplaced_folio() */
function moveSmall(state: KernelState, vma: Vma, pfn: Pfn, nid: number): boolean {
  const m = state.memmap
  const isFileLru = (pageFlags(m, pfn) & (PG_FILE | PG_SWAPBACKED)) === PG_FILE
  const isSharedText = isFileLru && (vma.flags & VM_EXEC) !== 0 && mapcount(m, pfn) > 1
  if (isSharedText || (isFileLru && hasFlag(m, pfn, PG_DIRTY)) || !isMigratable(state, pfn)) return false
  if (!hasFlag(m, pfn, PG_ANON | PG_FILE)) return false
  const gfp =
    (GFP_HIGHUSER_MOVABLE & ~GFP_RECLAIM) | GFP_BIT_THISNODE | GFP_BIT_NOMEMALLOC | GFP_BIT_NORETRY | GFP_BIT_NOWARN
  const to = allocPages(state, gfp, 0, nid)
  if (to === 0) {
    countVmEvent(state.vmstat, PGMIGRATE_FAIL)
    return false
  }
  const cpupid = lastCpupid(state, pfn)
  isolateForMigration(state, pfn)
  migratePage(state, pfn, to)
  xchgLastCpupid(state, to, cpupid)
  countVmEvent(state.vmstat, PGMIGRATE_SUCCESS)
  return true
}

function moveHuge(state: KernelState, slot: number, pfn: Pfn, nid: number): boolean {
  if (!isMovableHuge(state, pfn)) return false
  const to = allocPages(state, GFP_TRANSHUGE_LIGHT | GFP_BIT_THISNODE, PAGEBLOCK_ORDER, nid)
  if (to === 0) {
    countVmEvents(state.vmstat, PGMIGRATE_FAIL, HPAGE_PAGES)
    return false
  }
  const cpupid = lastCpupid(state, pfn)
  migrateHugeTo(state, slot, to)
  xchgLastCpupid(state, to, cpupid)
  return true
}
