/** How far a person got in each lab, as it is kept between visits and written out. Pure. */
import type { LabProgress, LabStepView, LabSummary } from '../../../protocol/messages'
import { firstSentence } from './markdown'

export interface LabRecord {
  readonly done: number
  readonly steps: number
  readonly isFinished: boolean
  /** Predictions made, and those that were right at the first answer. */
  readonly predictions: number
  readonly right: number
}
export type LabRecords = Readonly<Record<string, LabRecord>>

export function recordOf(progress: LabProgress): LabRecord {
  const answered = progress.steps.filter((step) => step.kind === 'prediction' && step.answer !== undefined)
  return {
    done: progress.steps.filter((step) => step.state === 'done').length,
    steps: progress.steps.length,
    isFinished: progress.finished,
    predictions: answered.length,
    right: answered.filter((step) => step.answerRight).length,
  }
}

/** A lab that was finished once stays finished, however far the next walk gets. */
export function withRecord(records: LabRecords, id: string, now: LabRecord): LabRecords {
  const before = records[id]
  return before?.isFinished && !now.isFinished ? records : { ...records, [id]: now }
}

const isRecord = (value: unknown): value is LabRecord =>
  typeof value === 'object' &&
  value !== null &&
  ['done', 'steps', 'predictions', 'right'].every(
    (key) => typeof (value as Record<string, unknown>)[key] === 'number',
  ) &&
  typeof (value as LabRecord).isFinished === 'boolean'

/** What was kept, or nothing when it cannot be read. */
export function readRecords(text: string | undefined): LabRecords {
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    if (typeof value !== 'object' || value === null) return {}
    return Object.fromEntries(Object.entries(value).filter(([, record]) => isRecord(record)))
  } catch {
    return {}
  }
}

export function recordWords(record: LabRecord | undefined, lab: LabSummary): string {
  if (!record || record.done === 0) return `${lab.steps} steps`
  return record.isFinished ? 'done' : `${record.done} of ${record.steps}`
}

const KIND_WORDS: Readonly<Record<LabStepView['kind'], string>> = {
  text: 'Read',
  command: 'Run a command',
  prediction: 'Predict',
  number: 'Work out a number',
  check: 'Find the command yourself',
  explanation: 'What it was about',
}

/** A line for a step: what it says once it is open, only its kind while it is locked, so that it gives nothing away. */
export const stepTitle = (step: LabStepView): string =>
  step.state === 'locked' ? KIND_WORDS[step.kind] : firstSentence(step.body) || KIND_WORDS[step.kind]

/** What a finished step left behind, in one line. */
export function stepResult(step: LabStepView): string {
  if (step.answer !== undefined) {
    const tries = step.answerRight && (step.tries ?? 1) > 1 ? ` after ${step.tries} tries` : ''
    const said = step.unit ? `${step.answer} ${step.unit}` : step.answer
    return `You said: ${said}. ${step.answerRight ? `Right${tries}.` : 'Not this time.'}`
  }
  return step.checks
    .filter((check) => check.passed)
    .map((check) => check.text)
    .join(' · ')
}

/** The walk as a Markdown page: what was read, run, predicted and seen. */
export function walkMarkdown(progress: LabProgress): string {
  const record = recordOf(progress)
  const parts = [
    `# ${progress.title}`,
    `${record.done} of ${record.steps} steps, ${record.right} of ${record.predictions} predictions right, seed ${progress.seed}.`,
  ]
  for (const step of progress.steps.filter((other) => other.state !== 'locked')) {
    parts.push(`## ${step.index + 1}. ${KIND_WORDS[step.kind]}`, step.body)
    if (step.command !== undefined) parts.push(`\`\`\`sh\n${step.command}\n\`\`\``)
    if (step.answer !== undefined) parts.push(stepResult(step))
    if (step.checks.length > 0)
      parts.push(step.checks.map((check) => `- [${check.passed ? 'x' : ' '}] ${check.text}`).join('\n'))
  }
  return `${parts.join('\n\n')}\n`
}
