/** The stretch of simulated time in view, and moving it. Pure. */
import type { Ns } from '../../util/units'
import { NS_PER_MS, NS_PER_S, NS_PER_US } from '../../util/units'

export interface TimeWindow {
  readonly fromNs: Ns
  readonly toNs: Ns
}

/** Closer than this a nanosecond would be wider than many pixels. */
export const SPAN_MIN: Ns = 10 * NS_PER_US

export const spanOf = (view: TimeWindow): Ns => view.toNs - view.fromNs

/** Keeps the window inside the run where it can, and never narrower than SPAN_MIN. */
export function clampWindow(view: TimeWindow, endNs: Ns): TimeWindow {
  const span = Math.max(SPAN_MIN, Math.round(spanOf(view)))
  const from = Math.max(0, Math.min(Math.round(view.fromNs), Math.max(0, endNs - span)))
  return { fromNs: from, toNs: from + span }
}

/** `factor` < 1 looks closer; the moment under the pointer stays where it is. */
export function zoom(view: TimeWindow, factor: number, atNs: Ns, endNs: Ns): TimeWindow {
  const widest = Math.max(endNs, NS_PER_MS)
  const span = Math.min(widest, Math.max(SPAN_MIN, spanOf(view) * factor))
  const share = (atNs - view.fromNs) / Math.max(1, spanOf(view))
  return clampWindow({ fromNs: atNs - span * share, toNs: atNs + span * (1 - share) }, endNs)
}

export const pan = (view: TimeWindow, byNs: Ns, endNs: Ns): TimeWindow =>
  clampWindow({ fromNs: view.fromNs + byNs, toNs: view.toNs + byNs }, endNs)

/** The last `spanNs` before now, as follow mode shows them. */
export const following = (spanNs: Ns, nowNs: Ns): TimeWindow => {
  const to = Math.max(spanNs, nowNs)
  return { fromNs: to - spanNs, toNs: to }
}

export const timeToX = (view: TimeWindow, width: number, atNs: Ns): number =>
  ((atNs - view.fromNs) / Math.max(1, spanOf(view))) * width

export const xToTime = (view: TimeWindow, width: number, x: number): Ns =>
  Math.round(view.fromNs + (x / Math.max(1, width)) * spanOf(view))

/** Ticks at round moments, 5 to 12 of them: 1, 2 or 5 times a power of ten. */
export function timeTicks(view: TimeWindow, most = 11): readonly Ns[] {
  const raw = Math.max(1, spanOf(view) / most)
  let step = 1
  while (step * 10 <= raw) step *= 10
  if (step < raw) step *= step * 2 >= raw ? 2 : step * 5 >= raw ? 5 : 10
  const ticks: Ns[] = []
  for (let at = Math.ceil(view.fromNs / step) * step; at <= view.toNs; at += step) ticks.push(at)
  return ticks
}

/** A tick's label in seconds, with no more decimals than its step needs. */
export function tickLabel(atNs: Ns, stepNs: Ns): string {
  let decimals = 0
  for (let unit = NS_PER_S; unit > 1 && stepNs % unit !== 0; unit /= 10) decimals++
  return (atNs / NS_PER_S).toFixed(decimals)
}
