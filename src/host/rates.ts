/** What needs two looks at a machine: how much of the time between two frames somebody was busy. */
import type { Ns } from '../util/units'

/** What the last frame saw, to tell how much happened since. */
export interface FrameMemory {
  atNs: Ns
  /** By CPU. */
  readonly cpuBusyNs: number[]
  /** By pid: user and system time. */
  readonly taskNs: Map<number, Ns>
}

export const createFrameMemory = (): FrameMemory => ({ atNs: 0, cpuBusyNs: [], taskNs: new Map() })

export const percentOf = (partNs: Ns, wholeNs: Ns): number =>
  wholeNs <= 0 ? 0 : Math.min(100, Math.max(0, (100 * partNs) / wholeNs))

/** psi averages are kept in 1/2048 percent: avg10, avg60, avg300 of some, then of full. */
export const psiPercent = (avg: Float64Array, index: number): number => avg[index]! / 2048
