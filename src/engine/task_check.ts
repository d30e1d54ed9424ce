/**
 * What must hold for tasks, run queues and waiters between two events.
 */
import { mmAt } from './mm/rss'
import type { KernelState } from './state'
import type { Task } from './task'

/** A task that runs is on exactly one queue, a task that sleeps is on none. */
function checkQueues(state: KernelState, found: string[]): void {
  const queued = new Map<number, number>()
  state.runqueues.forEach((rq, cpu) => {
    for (const pid of rq.queue) {
      queued.set(pid, (queued.get(pid) ?? 0) + 1)
      const task = state.tasks[pid]
      if (task?.state === 'R' && task.affinity >= 0 && task.affinity !== cpu)
        found.push(`pid ${pid} waits for CPU ${cpu} and may only use ${task.affinity}`)
    }
    if (rq.queue.length > 0 && !rq.active) found.push(`CPU ${cpu} is idle and ${rq.queue.length} tasks wait for it`)
  })
  for (const pid of state.taskList) {
    const times = queued.get(pid) ?? 0
    if (state.tasks[pid]!.state === 'R' && times !== 1) found.push(`pid ${pid} is runnable and on ${times} queues`)
  }
}

/** Memory, parents and children of one task. */
function checkTask(state: KernelState, task: Task, found: string[]): void {
  const isGone = task.state === 'Z'
  if (isGone && (task.mm >= 0 || task.stackPfns.length > 0 || task.fds.length > 0))
    found.push(`zombie ${task.pid} holds memory or files`)
  if (task.mm >= 0 && mmAt(state, task.mm).users < 1) found.push(`pid ${task.pid} uses mm ${task.mm}, which is free`)
  for (const pid of task.zombies)
    if (state.tasks[pid]?.state !== 'Z' || state.tasks[pid]?.ppid !== task.pid)
      found.push(`pid ${task.pid} would reap ${pid}, which is no zombie child of it`)
}

/** What stopped half-way belongs to a task that will make its request again. */
function checkParked(
  what: string,
  runs: readonly { readonly pid: number }[],
  state: KernelState,
  found: string[],
): void {
  const seen = new Set<number>()
  for (const { pid } of runs) {
    const task = state.tasks[pid]
    if (task === undefined || task.state === 'Z') found.push(`${what} of pid ${pid}, which is gone`)
    else if (task.op === undefined) found.push(`${what} of pid ${pid}, which does nothing`)
    if (seen.has(pid)) found.push(`pid ${pid} is in ${what} twice`)
    seen.add(pid)
  }
}

export function checkTasks(state: KernelState, found: string[]): void {
  checkQueues(state, found)
  checkParked('direct reclaim', state.reclaim.direct, state, found)
  checkParked('direct compaction', state.compaction.direct, state, found)
  const users = new Map<number, number>()
  for (const pid of state.taskList) {
    const task = state.tasks[pid]!
    checkTask(state, task, found)
    if (task.mm >= 0) users.set(task.mm, (users.get(task.mm) ?? 0) + 1)
  }
  for (const mm of state.mms)
    if (mm.users !== (users.get(mm.id) ?? 0))
      found.push(`mm ${mm.id}: ${mm.users} users counted, ${users.get(mm.id) ?? 0} there`)
  if (Object.keys(state.tasks).length !== state.taskList.length)
    found.push(`${Object.keys(state.tasks).length} tasks, ${state.taskList.length} on the list`)
}
