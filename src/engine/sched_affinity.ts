/**
 * On which CPUs a task may run: what it asked for itself, within what its cpuset leaves.
 * @kernel  kernel/sched/syscalls.c sched_setaffinity(), kernel/sched/core.c set_cpus_allowed_ptr()
 */
import { currentTask, now, suspend } from './exec'
import { startTask } from './lifecycle'
import { cpusetOf } from './mm/cpuset_mems'
import { psiDequeue } from './mm/psi'
import { isAllowedOn } from './sched_queue'
import type { KernelState } from './state'
import type { Task } from './task'

function setAllowed(state: KernelState, task: Task, cpus: readonly number[]): void {
  delete task.cpusAllowed
  task.affinity = cpus.length === 1 ? cpus[0]! : -1
  if (cpus.length > 1 && cpus.length < state.cpuNode.length) task.cpusAllowed = [...cpus]
}

/**
 * The task runs only on these CPUs from now on: at once, if it runs elsewhere.
 * @param cpus  numbers of CPUs that exist, not empty
 * @returns false: its cpuset has none of them (EINVAL)
 * @kernel  kernel/sched/syscalls.c __sched_setaffinity()
 */
export function setCpusAllowed(state: KernelState, task: Task, cpus: readonly number[]): boolean {
  const cpuset = cpusetOf(state, task)
  const left = cpuset === undefined ? cpus : cpus.filter((cpu) => cpuset.cpus.includes(cpu))
  if (left.length === 0) return false
  task.userCpus = [...cpus]
  setAllowed(state, task, left)
  return true
}

/**
 * Its cpuset has other CPUs now; what the task asked for holds as far as it is among them.
 * @param cpus  undefined = all
 * @kernel  kernel/cgroup/cpuset.c cpuset_update_tasks_cpumask(), __set_cpus_allowed_ptr() with user_cpus_ptr
 */
export function applyCpus(state: KernelState, task: Task, cpus: readonly number[] | undefined): void {
  const all = cpus ?? state.cpuNode.map((_, cpu) => cpu)
  const asked = (task.userCpus ?? all).filter((cpu) => all.includes(cpu))
  setAllowed(state, task, asked.length === 0 ? all : asked)
  // One that waits for a CPU it may not use waits elsewhere; one that runs leaves when its slice is over.
  if (task.state !== 'R' || isAllowedOn(task, task.cpu)) return
  const rq = state.runqueues[task.cpu]!
  const at = rq.queue.indexOf(task.pid)
  if (at < 0 || rq.current === task.pid) return
  rq.queue.splice(at, 1)
  if (at < rq.woken) rq.woken--
  psiDequeue(state, task)
  startTask(state, task)
}

/** Off a CPU that it may not use: it goes on at once on another. @kernel migration_cpu_stop() */
export function leaveCpu(state: KernelState, task: Task): void {
  if (!isAllowedOn(task, state.exec.cpu) && currentTask(state) === task)
    suspend(state, now(state), 'migration_cpu_stop')
}
