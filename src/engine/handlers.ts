/**
 * Which function handles which event: the whole table on one screen, complete by its type.
 */
import { handleTouchByHand } from './by_hand_touch'
import { handleCpusetMigrate } from './cpuset'
import { now } from './exec'
import type { SimEvent } from './events'
import { handleLoadTick } from './loadavg'
import { handleIoDone } from './mm/block'
import { handleAllocPages } from './mm/by_hand_pages'
import { handleKcompactdTimer } from './mm/kcompactd'
import { handleKswapdNap } from './mm/kswapd'
import { handleMemcgFlush } from './mm/memcg_flush'
import { handleMemoryMax } from './mm/memcg_limit'
import { handleDrainStock, releaseDeadMemcgs } from './mm/memcontrol'
import { handleOomReap } from './mm/oom_kill'
import { decayPcp } from './mm/pcp'
import { handlePsiTick } from './mm/psi'
import { handleZswapShrink } from './mm/zswap_shrink'
import { handleLaptopTimer, handleWritebackBackground, handleWritebackTick } from './mm/flusher'
import { handleModuleTimer } from './modules'
import { schedule } from './queue'
import { runCpu } from './sched'
import { wakeTask } from './sched_queue'
import type { KernelState } from './state'
import { NS_PER_JIFFY, NS_PER_S } from '../util/units'

/** Once a second on each CPU: per-CPU lists decay, what dying groups hold is given up. @kernel mm/vmstat.c vmstat_update() */
function vmstatTick(state: KernelState): void {
  for (let cpu = 0; cpu < state.cpuNode.length; cpu++) decayPcp(state, cpu)
  releaseDeadMemcgs(state)
  const { statInterval } = state.sysctl
  // Nothing or less: the work is due as soon as it is queued.
  const waitNs = statInterval > 0 ? statInterval * NS_PER_S : NS_PER_JIFFY
  schedule(state.queue, now(state) + waitNs, { kind: 'vmstatTick' })
}

export const handlers: {
  [K in SimEvent['kind']]: (state: KernelState, event: Extract<SimEvent, { kind: K }>) => void
} = {
  cpuRun: (state, event) => runCpu(state, event.cpu),
  taskWake: (state, event) => {
    const task = state.tasks[event.pid]
    if (task !== undefined && task.wakeSequence === event.sequence) wakeTask(state, event.pid)
  },
  kswapdNap: handleKswapdNap,
  kcompactdTimer: handleKcompactdTimer,
  ioDone: handleIoDone,
  oomReap: handleOomReap,
  cpusetMigrate: handleCpusetMigrate,
  psiTick: handlePsiTick,
  loadTick: handleLoadTick,
  vmstatTick,
  memcgFlush: handleMemcgFlush,
  laptopTimer: handleLaptopTimer,
  writebackTick: handleWritebackTick,
  writebackBackground: handleWritebackBackground,
  drainStock: handleDrainStock,
  memoryMax: handleMemoryMax,
  allocPagesByHand: handleAllocPages,
  touchByHand: handleTouchByHand,
  zswapShrink: handleZswapShrink,
  moduleTimer: handleModuleTimer,
}

/** Handles one event at its time; nothing of the execution context outlives it. */
export function dispatch(state: KernelState, event: SimEvent): void {
  const handle = handlers[event.kind] as (state: KernelState, event: SimEvent) => void
  handle(state, event)
  const { exec } = state
  exec.pid = 0
  exec.cpu = 0
  exec.ns = 0
  exec.suspendUntilNs = -1
  exec.waitPfn = 0
}
