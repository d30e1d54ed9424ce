/** Tracepoints and counters of tasks for tools that measure: a look from outside, which changes nothing in the machine. */
import { maxRssOf, mmOf } from '../engine/mm/rss'
import { machineTlbCounts, taskTlbCounts, type DataTlbCounts } from '../engine/mm/tlb_task'
import { TRACEPOINT_NAMES, type Tracepoint } from '../engine/trace'
import type { TraceEvent, Usage } from '../shell/sys'
import type { Machine, Tracer } from './machine'

/** What a task has used so far; undefined when there is no such task. */
export function usageOf(machine: Machine, pid: number): Usage | undefined {
  const task = machine.state.tasks[pid]
  if (task === undefined) return undefined
  const mm = mmOf(machine.state, task)
  const { exec, tlb } = machine.state
  return {
    tlb: taskTlbCounts(task, exec.pid === pid ? tlb.cpus[exec.cpu] : undefined),
    minorFaults: task.minFlt,
    majorFaults: task.majFlt,
    contextSwitches: task.nvcsw + task.nivcsw,
    userNs: task.utimeNs,
    systemNs: task.stimeNs,
    more: {
      maxRssPages: Math.max(task.maxRss ?? 0, mm === undefined ? 0 : maxRssOf(machine.state, mm)),
      voluntary: task.nvcsw,
      involuntary: task.nivcsw,
      readPages: task.readPages ?? 0,
      dirtiedPages: task.dirtiedPages ?? 0,
      childUserNs: task.cutimeNs,
      childSystemNs: task.cstimeNs,
    },
  }
}

/** What the TLBs of all CPUs counted. */
export const machineTlb = (machine: Machine): DataTlbCounts => machineTlbCounts(machine.state.tlb.cpus)

/**
 * Hands over tracepoints from now on, until the returned function is called.
 * @param open  what ends each trace of the same door
 */
export function openTrace(
  machine: Machine,
  open: Set<() => void>,
  names: readonly Tracepoint[],
  onEvent: (event: TraceEvent) => void,
): () => void {
  const wanted = new Uint8Array(TRACEPOINT_NAMES.length)
  for (const name of names) wanted[TRACEPOINT_NAMES.indexOf(name)] = 1
  const tracer: Tracer = {
    wanted,
    note: ({ tracepoint, atNs, pid, comm, cpu, args, text }) => {
      const name = TRACEPOINT_NAMES[tracepoint]!
      const usage = name.startsWith('sched_process_') ? usageOf(machine, args[0] ?? 0) : undefined
      onEvent({ name, atNs, pid, comm, cpu, args: [...args], text, usage })
    },
  }
  const stop = (): void => {
    machine.tracers.delete(tracer)
    open.delete(stop)
  }
  machine.tracers.add(tracer)
  open.add(stop)
  return stop
}
