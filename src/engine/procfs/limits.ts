/**
 * /proc/<pid>/limits: what a process may have at most, as far as it concerns memory its own, else what boot gives pid 1.
 * @kernel  fs/proc/base.c proc_pid_limits()
 * @spec    09 §9.8
 */
import { totalRamPages } from '../mm/overcommit'
import { rlimitsOf } from '../rlimit'
import type { KernelState } from '../state'
import type { Task } from '../task'

const limit = (value: number): string => (Number.isFinite(value) ? String(value) : 'unlimited').padEnd(20)

/** @kernel proc_pid_limits(); INIT_RLIMITS for what this machine has no use for */
export function limitsText(state: KernelState, task: Task): string {
  const { as, data, stack, memlock, core, rss, cpu, nproc, fsize, nofile } = rlimitsOf(task)
  // Half as many as fit, with their stacks, into an eighth of memory. @kernel fork_init()
  const threads = Math.floor(Math.floor(totalRamPages(state) / 32) / 2)
  const rows: readonly (readonly [name: string, soft: number, hard: number, unit: string])[] = [
    ['Max cpu time', cpu.soft, cpu.hard, 'seconds'],
    ['Max file size', fsize.soft, fsize.hard, 'bytes'],
    ['Max data size', data.soft, data.hard, 'bytes'],
    ['Max stack size', stack.soft, stack.hard, 'bytes'],
    ['Max core file size', core.soft, core.hard, 'bytes'],
    ['Max resident set', rss.soft, rss.hard, 'bytes'],
    ['Max processes', Math.min(threads, nproc.soft), Math.min(threads, nproc.hard), 'processes'],
    ['Max open files', nofile.soft, nofile.hard, 'files'],
    ['Max locked memory', memlock.soft, memlock.hard, 'bytes'],
    ['Max address space', as.soft, as.hard, 'bytes'],
    ['Max file locks', Infinity, Infinity, 'locks'],
    ['Max pending signals', threads, threads, 'signals'],
    ['Max msgqueue size', 819200, 819200, 'bytes'],
    ['Max nice priority', 0, 0, ''],
    ['Max realtime priority', 0, 0, ''],
    ['Max realtime timeout', Infinity, Infinity, 'us'],
  ]
  const line = (name: string, soft: string, hard: string, unit: string): string =>
    `${name.padEnd(25)} ${soft.padEnd(20)} ${hard.padEnd(20)} ${unit === '' ? '' : unit.padEnd(10)}\n`
  return (
    line('Limit', 'Soft Limit', 'Hard Limit', 'Units') +
    rows.map(([name, soft, hard, unit]) => line(name, limit(soft), limit(hard), unit)).join('')
  )
}
