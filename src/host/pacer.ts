/**
 * Simulated time against wall time: how far the next slice should go, and how fast the machine really is. Wall time
 * comes in through a clock and never gets further than this and the session.
 */
import { NS_PER_MS, type Ns } from '../util/units'

export interface Clock {
  nowMs(): number
  /** Runs `work` once, after at least `ms` of wall time. */
  schedule(work: () => void, ms: number): void
}

/** After a pause of the host (a sleeping laptop, a long request) the machine does not try to catch up. */
const LAG_MS_MAX = 100
/** Wall time that a slice may take, so that requests are answered in between. */
export const SLICE_MS = 12
const MEASURE_MS = 1000

export interface Pacer {
  speed: number
  isRunning: boolean
  /** Runs only until the commands that were typed while it stood still are done. */
  isErrand: boolean
  /** Wall time up to which simulated time was asked for. */
  lastMs: number
  /** Fraction of a nanosecond left over. */
  restNs: number
  /** (wall, simulated) at most MEASURE_MS ago. */
  readonly marks: { readonly wallMs: number; readonly atNs: Ns }[]
}

export const createPacer = (): Pacer => ({
  speed: 1,
  isRunning: false,
  isErrand: false,
  lastMs: 0,
  restNs: 0,
  marks: [],
})

export function startPacing(pacer: Pacer, speed: number, at: { readonly wallMs: number; readonly atNs: Ns }): void {
  pacer.speed = speed
  pacer.isRunning = true
  pacer.isErrand = false
  pacer.lastMs = at.wallMs
  pacer.restNs = 0
  pacer.marks.length = 0
  pacer.marks.push(at)
}

/** Simulated time that the slice beginning now should reach. */
export function sliceTarget(pacer: Pacer, at: { readonly wallMs: number; readonly atNs: Ns }): Ns {
  const elapsedMs = Math.min(LAG_MS_MAX, Math.max(0, at.wallMs - pacer.lastMs))
  pacer.lastMs = at.wallMs
  if (pacer.speed === Infinity) return Infinity
  const wantedNs = elapsedMs * pacer.speed * NS_PER_MS + pacer.restNs
  const wholeNs = Math.floor(wantedNs)
  pacer.restNs = wantedNs - wholeNs
  return at.atNs + wholeNs
}

export function notePace(pacer: Pacer, at: { readonly wallMs: number; readonly atNs: Ns }): void {
  pacer.marks.push(at)
  while (pacer.marks.length > 2 && at.wallMs - pacer.marks[0]!.wallMs > MEASURE_MS) pacer.marks.shift()
}

/** Simulated seconds per wall second over the last second; 0 while paused. */
export function measuredSpeed(pacer: Pacer): number {
  const [first] = pacer.marks
  const last = pacer.marks.at(-1)
  if (!pacer.isRunning || first === undefined || last === undefined || last.wallMs <= first.wallMs) return 0
  return (last.atNs - first.atNs) / NS_PER_MS / (last.wallMs - first.wallMs)
}
