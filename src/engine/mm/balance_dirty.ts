/**
 * Brakes for writers: who dirties pages faster than they can be written sleeps now and then, so that dirty pages stay
 * between half way to the limit and the limit, of the machine and of the writer's own group.
 * @kernel  mm/page-writeback.c balance_dirty_pages_ratelimited(), balance_dirty_pages()
 * @spec    05 §5.11
 */
import { HZ, jiffiesToNs, type Ns, type Pages } from '../../util/units'
import { taskMemcg } from '../cgroup'
import { now } from '../exec'
import { schedule } from '../queue'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { memcgAt, ROOT_MEMCG } from './memcontrol'
import {
  MEMCG_STAT_ACTIVE_FILE,
  MEMCG_STAT_FILE_DIRTY,
  MEMCG_STAT_FILE_WRITEBACK,
  MEMCG_STAT_INACTIVE_FILE,
  memcgPages,
} from './memcg_stat'
import { dirtyLimitsOf, globalDirtyableMemory, type DirtyLimits } from './page_writeback'
import { NR_DIRTY, NR_WRITEBACK, readStat } from './vmstat'

/** The machine, or one memory cgroup: what it could hold, what of it is dirty, and its limits. */
export interface DirtyDomain {
  readonly dirtyable: Pages
  /** Waiting to be written. */
  readonly reclaimable: Pages
  /** Those, and what is being written. */
  readonly dirty: Pages
  readonly limits: DirtyLimits
}

/** @kernel  mm/page-writeback.c struct dirty_throttle_control gdtc */
export function globalDomain(state: KernelState): DirtyDomain {
  let [reclaimable, writeback] = [0, 0]
  for (const { stat } of state.nodes) {
    reclaimable += readStat(stat, NR_DIRTY)
    writeback += readStat(stat, NR_WRITEBACK)
  }
  const dirtyable = globalDirtyableMemory(state)
  return { dirtyable, reclaimable, dirty: reclaimable + writeback, limits: dirtyLimitsOf(state, dirtyable) }
}

/**
 * A group could hold its own file pages, and as many more as its limits and the clean pages of others leave it.
 * @kernel  mm/memcontrol.c mem_cgroup_wb_stats(), mm/page-writeback.c mdtc_calc_avail()
 */
export function memcgDomain(state: KernelState, memcg: number, machine: DirtyDomain): DirtyDomain {
  const reclaimable = memcgPages(state, memcg, MEMCG_STAT_FILE_DIRTY)
  const dirty = reclaimable + memcgPages(state, memcg, MEMCG_STAT_FILE_WRITEBACK)
  const filePages =
    memcgPages(state, memcg, MEMCG_STAT_INACTIVE_FILE) + memcgPages(state, memcg, MEMCG_STAT_ACTIVE_FILE)
  let headroom = Infinity
  for (let id = memcg; id !== ROOT_MEMCG && id !== 0; id = memcgAt(state, id).parent) {
    const { memory } = memcgAt(state, id)
    const ceiling = Math.min(memory.max, memory.high)
    headroom = Math.min(headroom, ceiling - Math.min(ceiling, memory.usage))
  }
  const clean = filePages - Math.min(filePages, dirty)
  const machineClean = machine.dirtyable - Math.min(machine.dirtyable, machine.dirty)
  const dirtyable = filePages + Math.min(headroom, machineClean - Math.min(machineClean, clean))
  return { dirtyable, reclaimable, dirty, limits: dirtyLimitsOf(state, dirtyable) }
}

/** 1.0 in the fixed point of positions. @kernel RATELIMIT_CALC_SHIFT */
const ONE = 1024
/** @kernel  MAX_PAUSE */
const PAUSE_MAX_JIFFIES = HZ / 5
/** @kernel  DIRTY_POLL_THRESH: 128 KiB */
export const DIRTY_POLL_THRESH: Pages = 32
/** Beyond the limit everybody looks again after 32 KiB. @kernel wb->dirty_exceeded, 32 >> (PAGE_SHIFT - 10) */
const EXCEEDED_PAGES: Pages = 8
/** HZ as the kernel divides by it. @kernel roundup_pow_of_two(HZ) */
const HZ_POWER_OF_TWO = 256

const ilog2 = (n: number): number => 31 - Math.clz32(n)

/**
 * How a writer's rate is scaled by where the dirty pages stand: 2 at freerun, 1 at the set point, 0 at the limit.
 * @kernel  mm/page-writeback.c pos_ratio_polynom()
 */
export function positionRatio(limits: DirtyLimits, dirty: Pages): number {
  const setpoint = Math.floor((limits.freerun + limits.thresh) / 2)
  const x = Math.trunc(((setpoint - dirty) * ONE) / (limits.thresh - setpoint + 1))
  let ratio = x
  ratio = Math.trunc((ratio * x) / ONE)
  ratio = Math.trunc((ratio * x) / ONE)
  return Math.min(2 * ONE, Math.max(0, ratio + ONE))
}

/** When a writer looks again that was let through. @kernel mm/page-writeback.c dirty_poll_interval() */
export const dirtyPollInterval = (dirty: Pages, thresh: Pages): Pages =>
  thresh > dirty ? 1 << (ilog2(thresh - dirty) >> 1) : 1

/** Jiffies in which the device would write all of it, so that a slow one is not left idle. @kernel wb_max_pause() */
export const maxPause = (dirty: Pages, bandwidth: number): number =>
  Math.min(PAUSE_MAX_JIFFIES, Math.floor(dirty / (1 + Math.floor(bandwidth / 32))) + 1)

/**
 * The shortest pause that is worth a sleep, in jiffies, and how many pages may be dirtied until the next look.
 * @param rates  pages per second: what the device writes, what this task may dirty
 * @kernel  mm/page-writeback.c wb_min_pause()
 */
export function minPause(longest: number, rates: { readonly device: number; readonly task: number }): [number, Pages] {
  let target = Math.min(Math.max(1, Math.floor(HZ / 100)), 1 + Math.floor(longest / 2))
  let pages = Math.floor((rates.device * target) / HZ_POWER_OF_TWO)
  if (pages < DIRTY_POLL_THRESH) {
    target = longest
    pages = Math.floor((rates.device * target) / HZ_POWER_OF_TWO)
    if (pages > DIRTY_POLL_THRESH) {
      pages = DIRTY_POLL_THRESH
      target = Math.floor((HZ * DIRTY_POLL_THRESH) / rates.device)
    }
  }
  if (Math.floor((HZ * pages) / (rates.task + 1)) > longest) {
    target = longest
    pages = Math.floor((rates.task * target) / HZ_POWER_OF_TWO)
  }
  return [pages >= DIRTY_POLL_THRESH ? 1 + Math.floor(target / 2) : target, pages]
}

/**
 * A task has dirtied a page. Most of the time that is all; now and then it looks at the limits, wakes the flusher above
 * the background limit, and pauses above half way between the two.
 *
 * @param bandwidth  pages a second that its device can write
 * @returns how long it has to sleep now; 0 = it goes on
 * @kernel  mm/page-writeback.c balance_dirty_pages_ratelimited(), balance_dirty_pages()
 * @simplifies  the balanced rate is the device's own, not a measured share of it; one writeback domain a device
 */
export function balanceDirtyPages(state: KernelState, task: Task, bandwidth: number): Ns {
  const { writeback } = state.reclaim
  const most = writeback.isExceeded ? Math.min(task.nrDirtiedPause, EXCEEDED_PAGES) : task.nrDirtiedPause
  if (++task.nrDirtied < most) return 0
  const machine = globalDomain(state)
  const id = taskMemcg(state, task)
  const group = id === ROOT_MEMCG ? undefined : memcgDomain(state, id, machine)
  const isLaptop = state.sysctl.laptopMode !== 0
  if (!isLaptop && (isAboveBackground(machine) || (group !== undefined && isAboveBackground(group))))
    startBackground(state, id)
  writeback.isExceeded = isExceeded(machine) || (group !== undefined && isExceeded(group))
  if (machine.dirty <= machine.limits.freerun && (group === undefined || group.dirty <= group.limits.freerun)) {
    const machineWait = dirtyPollInterval(machine.dirty, machine.limits.thresh)
    const wait = group === undefined ? machineWait : dirtyPollInterval(group.dirty, group.limits.thresh)
    task.nrDirtied = 0
    task.nrDirtiedPause = Math.min(machineWait, wait)
    return 0
  }
  // A laptop's disk sleeps until half way to the limit is passed, and then everything is written.
  if (isLaptop) startBackground(state, id)
  const machineRatio = positionRatio(machine.limits, machine.dirty)
  const groupRatio = group === undefined ? Infinity : positionRatio(group.limits, group.dirty)
  const { dirty } = group !== undefined && groupRatio < machineRatio ? group : machine
  const taskRate = Math.floor((bandwidth * Math.min(machineRatio, groupRatio)) / ONE)
  return pauseFor(state, task, { bandwidth, taskRate, dirty })
}

const isExceeded = ({ dirty, limits }: DirtyDomain): boolean => dirty > limits.thresh
const isAboveBackground = ({ reclaimable, limits }: DirtyDomain): boolean => reclaimable > limits.background

/** Tail of balance_dirty_pages(): how long for what was dirtied, less what the task has waited elsewhere since. */
function pauseFor(
  state: KernelState,
  task: Task,
  { bandwidth, taskRate, dirty }: { readonly bandwidth: number; readonly taskRate: number; readonly dirty: Pages },
): Ns {
  const atNs = now(state)
  const longest = maxPause(dirty, bandwidth)
  const [shortest, pages] = minPause(longest, { device: bandwidth, task: taskRate })
  // Nobody writes fast enough: it looks again after this pause, before it has dirtied another page.
  if (taskRate === 0) return pause(task, atNs, longest, { nrDirtied: task.nrDirtied, pages: task.nrDirtiedPause })
  const period = Math.floor((HZ * task.nrDirtied) / taskRate)
  const thinking = task.dirtyPausedNs < 0 ? 0 : Math.floor((atNs - task.dirtyPausedNs) / jiffiesToNs(1))
  const wanted = period - thinking
  if (wanted >= shortest) return pause(task, atNs, Math.min(wanted, longest), { nrDirtied: 0, pages })
  // Too short for a sleep: it is carried over, or forgiven when the task was slow by itself.
  if (wanted < -HZ || task.dirtyPausedNs < 0) {
    task.dirtyPausedNs = atNs
    task.nrDirtied = 0
  } else if (period > 0) {
    task.dirtyPausedNs += jiffiesToNs(period)
    task.nrDirtied = 0
  } else if (task.nrDirtiedPause <= task.nrDirtied) task.nrDirtiedPause += task.nrDirtied
  return 0
}

function pause(task: Task, atNs: Ns, jiffies: number, then: { nrDirtied: Pages; pages: Pages }): Ns {
  const ns = jiffiesToNs(jiffies)
  task.dirtyPausedNs = atNs + ns
  task.nrDirtied = then.nrDirtied
  task.nrDirtiedPause = then.pages
  return ns
}

/** The flusher is queued, once. @kernel fs/fs-writeback.c wb_start_background_writeback() */
function startBackground(state: KernelState, memcg: number): void {
  const { writeback } = state.reclaim
  if (writeback.background.length === 0) schedule(state.queue, now(state), { kind: 'writebackBackground' })
  if (!writeback.background.includes(memcg)) writeback.background.push(memcg)
}
