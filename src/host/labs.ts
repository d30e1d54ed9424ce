/**
 * What a session needs of the workbook: src/labs implements it. Labs look at the machine only through files and the
 * record, and act only by being shown as commands that a person runs.
 */
import type { LabProgress, LabSummary, RecordedEvent } from '../protocol/messages'
import type { Result } from '../util/result'
import type { Ns } from '../util/units'

/** What a check may look at. */
export interface LabView {
  readonly nowNs: Ns
  /** undefined = no such file. */
  readFile(path: string): string | undefined
  events(names: readonly string[]): readonly RecordedEvent[]
  readonly klog: readonly { readonly atNs: Ns; readonly text: string }[]
}

/** One opened lab. */
export interface OpenLab {
  /** Profile JSON and seed of the machine that it is done on. */
  readonly profile: string
  readonly seed: number
  /** Shell text that prepares the machine; '' = nothing. */
  readonly setup: string
  progress(): LabProgress
  answer(step: number, answer: string): Result<LabProgress>
  hint(step: number): Result<LabProgress>
  /** Looks at the machine; the new progress when it changed. */
  check(view: LabView): LabProgress | undefined
}

export interface LabService {
  list(): readonly LabSummary[]
  open(id: string, seed: number): Result<OpenLab>
}
