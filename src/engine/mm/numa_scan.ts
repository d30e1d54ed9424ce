/**
 * Automatic NUMA balancing, first half: every so often a task takes its right to touch its own pages away, so that the next
 * touch tells who uses them.
 * @kernel  kernel/sched/fair.c task_tick_numa(), task_numa_work(), mm/mprotect.c change_prot_numa()
 * @spec    08 §8.3
 */
import { HPAGE_PAGES, NS_PER_MS, type Pages, type Vpn } from '../../util/units'
import { charge, now } from '../exec'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { forEachHugePmd, pmdPfn } from './huge_pmd'
import { PG_DIRTY, PG_FILE, PG_SWAPBACKED, hasFlag, pageFlags, pageZoneIndex } from './memmap'
import { nodeIsToptier } from './memory_tiers'
import { MPOL_F_NUMA_BALANCING } from './mempolicy'
import { VM_IO, VM_PFNMAP, VM_READ, VM_SHARED, VM_WRITE, type Mm, type Vma } from './mm_types'
import { tlbFinishMmu, tlbGatherMmu, tlbRemove } from './mmu_gather'
import {
  NUMA_BALANCING_MEMORY_TIERING,
  NUMA_BALANCING_NORMAL,
  xchgLastCpupid,
  type MmNuma,
  type TaskNuma,
} from './numa_state'
import { forEachPte, isPresent, isProtNone, ptePfn, setPte, withAccess } from './pgtable'
import { mmAt, roughRssTotal } from './rss'
import { NUMA_HUGE_PTE_UPDATES, NUMA_PTE_UPDATES, countVmEvents } from './vmstat'

const PAGES_PER_MIB = 256
/** At most so many MiB a second are scanned. @kernel MAX_SCAN_WINDOW */
const MAX_SCAN_WINDOW = 2560
const VIRTUAL_FACTOR = 8

const nowMs = (state: KernelState): number => Math.floor(now(state) / NS_PER_MS)

/** Pages that one pass marks. @kernel sysctl_numa_balancing_scan_size */
const scanPages = (state: KernelState): Pages => state.numa.knobs.scan_size_mb * PAGES_PER_MIB

/** Passes that it takes to see all of a task's memory. @kernel task_nr_scan_windows() @spec 08 §8.3 */
function nrScanWindows(state: KernelState, mm: Mm): number {
  const size = Math.max(1, scanPages(state))
  return Math.max(1, Math.ceil(roughRssTotal(state, mm.id) / size))
}

/** Shortest time between two passes, ms. @kernel task_scan_min() @spec 08 §8.3, E10 */
export function taskScanMin(state: KernelState, mm: Mm): number {
  const size = state.numa.knobs.scan_size_mb
  const windows = size < MAX_SCAN_WINDOW ? Math.floor(MAX_SCAN_WINDOW / Math.max(1, size)) : 1
  return Math.max(
    Math.floor(1000 / windows),
    Math.floor(state.numa.knobs.scan_period_min_ms / nrScanWindows(state, mm)),
  )
}

/** Longest time between two passes, ms. @kernel task_scan_max() */
export const taskScanMax = (state: KernelState, mm: Mm): number =>
  Math.max(taskScanMin(state, mm), Math.floor(state.numa.knobs.scan_period_max_ms / nrScanWindows(state, mm)))

/** @kernel kernel/sched/fair.c init_numa_balancing() */
export function taskNuma(state: KernelState, task: Task): TaskNuma {
  if (task.numa?.mm !== task.mm) {
    const zeros = (): number[] => state.nodes.flatMap(() => [0, 0])
    task.numa = {
      mm: task.mm,
      scanPeriodMs: state.numa.knobs.scan_delay_ms,
      nodeStampNs: task.stimeNs,
      isStarted: false,
      scanSeq: 0,
      preferredNid: -1,
      migrateRetryNs: 0,
      faults: zeros(),
      buffer: zeros(),
      locality: [0, 0, 0],
      pagesMigrated: 0,
      totalFaults: 0,
    }
  }
  return task.numa!
}

function mmNuma(state: KernelState, mm: Mm): MmNuma {
  mm.numa ??= { nextScanNs: now(state) + state.numa.knobs.scan_delay_ms * NS_PER_MS, offset: 0, seq: 0 }
  return mm.numa
}

/**
 * A task has the CPU: if it has used enough CPU time since the last pass, and its address space is due, it makes the next.
 * @kernel  kernel/sched/fair.c task_tick_numa()
 */
export function taskTickNuma(state: KernelState, task: Task): void {
  const mm = mmAt(state, task.mm)
  const n = taskNuma(state, task)
  const scan = mmNuma(state, mm)
  const periodNs = n.scanPeriodMs * NS_PER_MS
  if (task.stimeNs <= n.nodeStampNs + periodNs) return
  if (!n.isStarted) n.scanPeriodMs = taskScanMin(state, mm)
  n.isStarted = true
  n.nodeStampNs += periodNs
  if (now(state) < scan.nextScanNs) return
  const began = state.exec.ns
  scan.nextScanNs = now(state) + n.scanPeriodMs * NS_PER_MS
  taskNumaWork(state, mm, scan)
  // At least 32 times as much time goes to other work.
  n.nodeStampNs += 32 * (state.exec.ns - began)
}

/** Whether faults of the mapping may move pages. @kernel mm/mempolicy.c vma_policy_mof() */
export const policyMof = (vma: Vma, task: Task | undefined): boolean => {
  const policy = vma.policy ?? task?.mempolicy
  return policy === undefined || (policy.flags & MPOL_F_NUMA_BALANCING) !== 0
}

/** Whether the scan looks into the mapping at all. @kernel task_numa_work(): NUMAB_SKIP_* */
function isScanned(state: KernelState, vma: Vma, scan: MmNuma): boolean {
  if ((vma.flags & (VM_IO | VM_PFNMAP)) !== 0 || vma.hugeOrder !== undefined) return false
  if (!policyMof(vma, state.tasks[state.exec.pid])) return false
  const access = vma.flags & (VM_READ | VM_WRITE)
  // Libraries and other files that nobody writes to; and what cannot be touched anyway.
  if (access === 0 || (vma.ino !== 0 && access === VM_READ)) return false
  if (state.config.series === '6.1') return true
  if (vma.numab === undefined) {
    vma.numab = { nextScanNs: now(state) + state.numa.knobs.scan_delay_ms * NS_PER_MS, prevSeq: scan.seq - 1 }
  }
  return now(state) >= vma.numab.nextScanNs && vma.numab.prevSeq !== scan.seq
}

/** One pass: from where the last one stopped, until enough pages are marked. @kernel task_numa_work() */
function taskNumaWork(state: KernelState, mm: Mm, scan: MmNuma): void {
  let pages = scanPages(state)
  let virtual = pages * VIRTUAL_FACTOR
  if (pages === 0) return
  let at = scan.offset
  if (!mm.vmas.some((vma) => vma.end > at)) {
    scan.seq++
    at = 0
  }
  tlbGatherMmu()
  let isOver = false
  for (const vma of mm.vmas) {
    if (vma.end <= at || !isScanned(state, vma, scan)) continue
    let start = Math.max(at, vma.start)
    do {
      const end = Math.min(vma.end, Math.ceil((start + pages) / HPAGE_PAGES) * HPAGE_PAGES)
      if (changeProtNuma(state, mm, vma, start, end) > 0) pages -= end - start
      virtual -= end - start
      start = end
      isOver = pages <= 0 || virtual <= 0
    } while (!isOver && start < vma.end)
    at = start
    if (isOver) break
    if (vma.numab !== undefined) vma.numab.prevSeq = scan.seq
  }
  tlbFinishMmu(state, mm.id, false)
  if (isOver) scan.offset = at
  else {
    scan.seq++
    scan.offset = 0
  }
}

/**
 * Marks the entries of a range. Of a mapping that is not shared, pages on the node where its only task runs are left alone.
 * @returns entries that were changed, in pages
 * @kernel  mm/mempolicy.c change_prot_numa(), mm/mprotect.c change_pte_range(), mm/huge_memory.c change_huge_pmd()
 */
function changeProtNuma(state: KernelState, mm: Mm, vma: Vma, start: Vpn, end: Vpn): Pages {
  const here = state.cpuNode[state.exec.cpu]!
  const localIsFine = (vma.flags & VM_SHARED) === 0 && mm.users === 1
  let nr = 0
  let huge = 0
  forEachHugePmd(state, mm, start, end, (slot, entry) => {
    const pfn = pmdPfn(entry)
    if (isProtNone(entry) || pfn === state.thp.hugeZeroPfn || !isSampled(state, pfn)) return
    setPte(state.pgtables, slot, withAccess(entry, 'none'))
    tlbRemove(state.pgtables, slot)
    huge++
  })
  forEachPte(state, mm, start, end, (slot, pte) => {
    if (!isPresent(pte) || isProtNone(pte) || ptePfn(pte) === state.zeroPfn) return
    const pfn = ptePfn(pte)
    const isDirtyFile =
      (pageFlags(state.memmap, pfn) & (PG_FILE | PG_SWAPBACKED)) === PG_FILE && hasFlag(state.memmap, pfn, PG_DIRTY)
    if (isDirtyFile || (localIsFine && nidOf(state, pfn) === here) || !isSampled(state, pfn)) return
    setPte(state.pgtables, slot, withAccess(pte, 'none'))
    tlbRemove(state.pgtables, slot)
    nr++
  })
  charge(state, (nr + huge) * state.costs.numaScanPte)
  countVmEvents(state.vmstat, NUMA_HUGE_PTE_UPDATES, huge)
  countVmEvents(state.vmstat, NUMA_PTE_UPDATES, nr + huge * HPAGE_PAGES)
  return nr + huge * HPAGE_PAGES
}

const nidOf = (state: KernelState, pfn: number): number => state.zones[pageZoneIndex(state.memmap, pfn)]!.nid

/** Pages of slow memory remember when they were marked; without bit 0 pages of fast memory are left alone. */
function isSampled(state: KernelState, pfn: number): boolean {
  const mode = state.sysctl.numaBalancing
  const isTop = nodeIsToptier(state, nidOf(state, pfn))
  if ((mode & NUMA_BALANCING_NORMAL) === 0 && isTop) return false
  if ((mode & NUMA_BALANCING_MEMORY_TIERING) !== 0 && !isTop) xchgLastCpupid(state, pfn, nowMs(state) + 1)
  return true
}
