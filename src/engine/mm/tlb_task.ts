/**
 * What the accesses of one task found in the TLBs: a CPU's counts while the task ran on it, as the counters of a
 * processor are saved and restored with the task.
 * @kernel  kernel/events/core.c perf_event_task_sched_in(), perf_event_task_sched_out()
 */
import type { Task } from '../task'
import {
  STLB_HITS,
  TASK_COLUMNS,
  TLB_LOADS,
  TLB_STORES,
  WALKS_FAULT_LOAD,
  WALKS_FAULT_STORE,
  WALKS_LOAD,
  WALKS_STORE,
  type CpuTlb,
} from './tlb_state'

/** What the TLBs counted for one task, or for a machine. */
export interface DataTlbCounts {
  readonly loads: number
  readonly stores: number
  /** Walks of loads and of stores; an access that faults walks twice. */
  readonly loadWalks: number
  readonly storeWalks: number
  /** Misses of the first level that the second served. */
  readonly l2Hits: number
}

const column = (c: CpuTlb, i: number): number => {
  const { counts } = c
  switch (i) {
    case 0:
      return counts[TLB_LOADS]!
    case 1:
      return counts[TLB_STORES]!
    case 2:
      return counts[WALKS_LOAD]! + counts[WALKS_FAULT_LOAD]!
    case 3:
      return counts[WALKS_STORE]! + counts[WALKS_FAULT_STORE]!
    default:
      return counts[STLB_HITS]!
  }
}

/** The task is about to run. @kernel perf_event_task_sched_in() */
export function taskTlbIn(c: CpuTlb): void {
  for (let i = 0; i < TASK_COLUMNS; i++) c.taskCounts[i] = column(c, i)
}

/** It has run: what was counted since then is its own. @kernel perf_event_task_sched_out() */
export function taskTlbOut(c: CpuTlb, task: Task): void {
  const own = (task.dataTlb ??= [0, 0, 0, 0, 0])
  for (let i = 0; i < TASK_COLUMNS; i++) {
    const now = column(c, i)
    own[i]! += now - c.taskCounts[i]!
    c.taskCounts[i] = now
  }
}

const named = (valueOf: (i: number) => number): DataTlbCounts => ({
  loads: valueOf(0),
  stores: valueOf(1),
  loadWalks: valueOf(2),
  storeWalks: valueOf(3),
  l2Hits: valueOf(4),
})

/**
 * @param running  the CPU that the task runs on at this moment, if it does
 * @kernel  perf_event_read()
 */
export const taskTlbCounts = (task: Task, running: CpuTlb | undefined): DataTlbCounts =>
  named((i) => (task.dataTlb?.[i] ?? 0) + (running === undefined ? 0 : column(running, i) - running.taskCounts[i]!))

/** All that was counted since boot. @model sum over the CPUs */
export const machineTlbCounts = (cpus: readonly CpuTlb[]): DataTlbCounts =>
  named((i) => cpus.reduce((sum, c) => sum + column(c, i), 0))
