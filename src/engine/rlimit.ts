/**
 * Resource limits that concern memory and time: a task's own, inherited by fork and kept by exec.
 * @kernel  kernel/sys.c do_prlimit(), include/asm-generic/resource.h
 */
import type { Errno } from '../util/errno'
import { PAGE_SIZE, type Bytes, type Pages } from '../util/units'
import { currentTask } from './exec'
import type { KernelState } from './state'
import type { Task } from './task'

/**
 * RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_MEMLOCK, RLIMIT_CORE, RLIMIT_RSS and RLIMIT_FSIZE in bytes, RLIMIT_CPU in
 * seconds, RLIMIT_NPROC in processes, RLIMIT_NOFILE in descriptors. As on Linux since 2.4.30, nothing looks at RSS.
 * @simplifies  nothing writes core files, so that nothing looks at CORE
 */
export const RLIMITS = ['as', 'data', 'stack', 'memlock', 'core', 'rss', 'cpu', 'nproc', 'fsize', 'nofile'] as const
export type Rlimit = (typeof RLIMITS)[number]

/** Infinity = unlimited. @kernel struct rlimit: rlim_cur, rlim_max */
export interface RlimitPair {
  readonly soft: number
  readonly hard: number
}

export type Rlimits = Readonly<Record<Rlimit, RlimitPair>>

const UNLIMITED: RlimitPair = { soft: Infinity, hard: Infinity }
/** @kernel MLOCK_LIMIT: 8 MiB since 5.16 */
const MLOCK_LIMIT = 8 << 20

/**
 * What boot gives pid 1; how many processes there may be follows from memory, which procfs/limits.ts adds.
 * @kernel INIT_RLIMITS
 */
export const DEFAULT_RLIMITS: Rlimits = {
  as: UNLIMITED,
  data: UNLIMITED,
  stack: { soft: 8 << 20, hard: Infinity },
  memlock: { soft: MLOCK_LIMIT, hard: MLOCK_LIMIT },
  core: { soft: 0, hard: Infinity },
  rss: UNLIMITED,
  cpu: UNLIMITED,
  nproc: UNLIMITED,
  fsize: UNLIMITED,
  nofile: { soft: 1024, hard: 4096 },
}

export const rlimitsOf = (task: Task | undefined): Rlimits => task?.rlimits ?? DEFAULT_RLIMITS

/** Limit of the task that runs, in whole pages. @kernel rlimit(limit) >> PAGE_SHIFT */
export const rlimitPages = (state: KernelState, limit: Rlimit): Pages =>
  Math.floor(rlimitsOf(currentTask(state))[limit].soft / PAGE_SIZE)

/** Most descriptors that anybody may ask for. @kernel fs/file.c sysctl_nr_open */
const NR_OPEN = 1 << 20

/** Root may do what others need a capability for. @kernel capable() */
export const isCapable = (state: KernelState): boolean => (currentTask(state)?.uid ?? 0) === 0

/**
 * Sets one or both values of a limit.
 * @returns EINVAL: the soft value would be above the hard one; EPERM: only root may raise a hard one
 * @kernel  kernel/sys.c do_prlimit()
 */
export function setRlimit(
  state: KernelState,
  task: Task,
  limit: Rlimit,
  { soft, hard }: { readonly soft?: number | undefined; readonly hard?: number | undefined },
): Errno | undefined {
  const limits = rlimitsOf(task)
  const old = limits[limit]
  const pair = { soft: soft ?? old.soft, hard: hard ?? old.hard }
  if (pair.soft > pair.hard) return 'EINVAL'
  if (limit === 'nofile' && pair.hard > NR_OPEN) return 'EPERM'
  if (pair.hard > old.hard && !isCapable(state)) return 'EPERM'
  task.rlimits = { ...limits, [limit]: pair }
  return undefined
}

/** Whether a task may have so high a descriptor. @kernel fs/file.c alloc_fd() */
export const mayOpen = (task: Task, fd: number): boolean => fd < rlimitsOf(task).nofile.soft

/**
 * How much of a write its file's limit lets through.
 * @param at  bytes before it
 * @returns   bytes; 0 of more than 0: SIGXFSZ and EFBIG
 * @kernel    fs/read_write.c generic_write_check_limits()
 */
export const fileRoom = (task: Task, at: Bytes, length: Bytes): Bytes =>
  Math.max(0, Math.min(length, rlimitsOf(task).fsize.soft - at))

export const SIGXFSZ = 25
const SIGXCPU = 24
const SIGKILL = 9

/**
 * A task has used CPU time.
 * @returns signal that its limit sends now, 0 = none
 * @kernel  kernel/time/posix-cpu-timers.c check_process_timers()
 */
export function cpuLimitSignal(task: Task): number {
  if (task.rlimits === undefined) return 0
  const { soft, hard } = task.rlimits.cpu
  const seconds = (task.utimeNs + task.stimeNs) / 1e9
  return seconds >= hard ? SIGKILL : seconds >= soft ? SIGXCPU : 0
}

/** Another user than root has as many processes as he may. @kernel kernel/fork.c copy_process(): is_rlimit_overlimit() */
export function hasTooManyProcesses(state: KernelState, task: Task): boolean {
  const { soft } = rlimitsOf(task).nproc
  if (task.uid === 0 || soft === Infinity) return false
  return state.taskList.filter((pid) => state.tasks[pid]!.uid === task.uid).length >= soft
}
