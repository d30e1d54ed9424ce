/**
 * Programs as lists of steps: the list is code, the position in it is data. A step names the next operation, or does its
 * bookkeeping and lets the next step run. Jumps set `data.pc`.
 */
import { assert } from '../util/assert'
import type { Op, ProgramData, ProgramView } from '../engine/task'

export interface StepData extends ProgramData {
  /** Index of the next step. */
  pc: number
  status: number
}

/** An operation, or undefined to go on with the next step at once. */
export type Step<D extends StepData> = (data: D, view: ProgramView) => Op | undefined

/** A program that jumps without ever asking for anything is a bug. */
const STEPS_MAX = 10_000

export function runSteps<D extends StepData>(steps: readonly Step<D>[], data: D, view: ProgramView): Op {
  for (let i = 0; i < STEPS_MAX; i++) {
    const step = steps[data.pc]
    if (step === undefined) return { op: 'exit', status: data.status }
    data.pc++
    const op = step(data, view)
    if (op !== undefined) return op
  }
  assert(false, `a program ran ${STEPS_MAX} steps without an operation, at ${data.pc}`)
}

export const stdout = (text: string): Op => ({ op: 'write', fd: 1, text })
export const stderr = (text: string): Op => ({ op: 'write', fd: 2, text })
export const exit = (status: number): Op => ({ op: 'exit', status })
