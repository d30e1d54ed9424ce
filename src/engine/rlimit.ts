/**
 * Resource limits that concern memory: a task's own, inherited by fork and kept by exec.
 * @kernel  kernel/sys.c do_prlimit(), include/asm-generic/resource.h
 */
import { PAGE_SIZE, type Bytes, type Pages } from '../util/units'
import { currentTask } from './exec'
import type { KernelState } from './state'
import type { Task } from './task'

/** RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_MEMLOCK */
export type Rlimit = 'as' | 'data' | 'stack' | 'memlock'

/** Soft limits, bytes; Infinity = unlimited. */
export type Rlimits = Readonly<Record<Rlimit, Bytes>>

/** What boot gives pid 1. @kernel INIT_RLIMITS; MLOCK_LIMIT is 8 MiB since 5.16 */
export const DEFAULT_RLIMITS: Rlimits = { as: Infinity, data: Infinity, stack: 8 << 20, memlock: 8 << 20 }

export const rlimitsOf = (task: Task | undefined): Rlimits => task?.rlimits ?? DEFAULT_RLIMITS

/** Limit of the task that runs, in whole pages. @kernel rlimit(limit) >> PAGE_SHIFT */
export const rlimitPages = (state: KernelState, limit: Rlimit): Pages =>
  Math.floor(rlimitsOf(currentTask(state))[limit] / PAGE_SIZE)

/** Root may do what others need a capability for. @kernel capable() */
export const isCapable = (state: KernelState): boolean => (currentTask(state)?.uid ?? 0) === 0
