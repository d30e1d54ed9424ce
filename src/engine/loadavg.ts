/**
 * The load average: how many tasks run, can run, or sleep where no signal wakes them, averaged over 1, 5 and 15 minutes.
 * @kernel  kernel/sched/loadavg.c, fs/proc/loadavg.c
 */
import { now } from './exec'
import { calcLoad } from './mm/psi'
import { schedule } from './queue'
import type { KernelState } from './state'
import { NS_PER_S, type Ns } from '../util/units'

/** @kernel include/linux/sched/loadavg.h LOAD_FREQ, less the one tick that keeps CPUs apart */
const LOAD_FREQ: Ns = 5 * NS_PER_S
/** @kernel FIXED_1, EXP_1, EXP_5, EXP_15 */
const FIXED_1 = 2048
const DECAY = [1884, 2014, 2037] as const

/** The first look is five seconds after boot. @kernel sched_init(): calc_load_update */
export function startLoadClock(state: KernelState): void {
  schedule(state.queue, now(state) + LOAD_FREQ, { kind: 'loadTick' })
}

/** @kernel calc_global_load() */
export function handleLoadTick(state: KernelState): void {
  let active = 0
  for (const pid of state.taskList) {
    const { state: how } = state.tasks[pid]!
    if (how === 'R' || how === 'D') active++
  }
  for (let i = 0; i < DECAY.length; i++) state.loads[i] = calcLoad(state.loads[i]!, DECAY[i]!, active * FIXED_1)
  startLoadClock(state)
}

/** One average as a number with two decimals. @kernel LOAD_INT(), LOAD_FRAC() after get_avenrun(FIXED_1 / 200) */
function shown(load: number): string {
  const rounded = load + Math.floor(FIXED_1 / 200)
  return `${Math.floor(rounded / FIXED_1)}.${String(Math.floor(((rounded % FIXED_1) * 100) / FIXED_1)).padStart(2, '0')}`
}

/** /proc/loadavg: the averages, tasks that can run of all tasks, the last pid. @kernel loadavg_proc_show() */
export function loadavgText(state: KernelState): string {
  const running = state.taskList.filter((pid) => state.tasks[pid]!.state === 'R').length
  return `${[...state.loads].map(shown).join(' ')} ${running}/${state.taskList.length} ${state.lastPid}\n`
}
