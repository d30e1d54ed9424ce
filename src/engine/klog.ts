/**
 * The kernel log, as dmesg reads it. Bounded like the real ring buffer, by lines instead of bytes.
 * @kernel  kernel/printk/printk.c
 */
import { context } from './context'
import { now } from './exec'
import type { KernelState } from './state'

const LINES_MAX = 8192

/**
 * The log never goes back in time: CPUs that work in the same stretch write one after the other.
 * @kernel  printk(); one call a line
 */
export function klog(state: KernelState, text: string): void {
  const atNs = Math.max(state.exec.isCommand ? state.nowNs : now(state), state.klog.at(-1)?.atNs ?? 0)
  state.klog.push({ atNs, text })
  if (state.klog.length > LINES_MAX) state.klog.splice(0, state.klog.length - LINES_MAX)
  context.sink.klog?.(atNs, text)
}

/** `[   17.779492] text` */
export function klogLine(entry: { readonly atNs: number; readonly text: string }): string {
  const us = Math.floor(entry.atNs / 1000)
  const seconds = String(Math.floor(us / 1_000_000)).padStart(5)
  return `[${seconds}.${String(us % 1_000_000).padStart(6, '0')}] ${entry.text}`
}
