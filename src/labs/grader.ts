/**
 * One walk through a lab: which step is open, what was answered, which checks hold. Steps open one after the other;
 * a step whose checks hold stays done, whatever happens to the machine later.
 */
import { err, ok, type Result } from '../util/result'
import { runCheck, type CheckOutcome, type LabView } from './checks'
import type { Lab, LabStep } from './lab'

export interface StepView {
  readonly index: number
  readonly kind: LabStep['kind']
  /** Markdown. */
  readonly body: string
  readonly command?: string
  readonly choices?: readonly string[]
  readonly answer?: string
  readonly answerRight?: boolean
  readonly state: 'locked' | 'open' | 'done'
  readonly checks: readonly { readonly text: string; readonly passed: boolean; readonly seen: string }[]
  readonly hint?: string
  readonly hasHint: boolean
}

export interface Progress {
  readonly id: string
  readonly title: string
  readonly seed: number
  readonly steps: readonly StepView[]
  readonly current: number
  readonly finished: boolean
}

export interface Walk {
  progress(): Progress
  /** A choice of a prediction, or '' for "read on" at a text or explanation. */
  answer(step: number, answer: string): Result<Progress>
  hint(step: number): Result<Progress>
  /** Looks at the machine; the new progress when it changed. */
  check(view: LabView): Progress | undefined
}

interface StepState {
  done: boolean
  answer: string | undefined
  hinted: boolean
  outcomes: CheckOutcome[]
}

const refuse = (lab: Lab, step: number, message: string, fix: string): Result<never> =>
  err({ code: 'lab/step', where: `${lab.document.title}, step ${step + 1}`, message, fix })

export function startWalk(lab: Lab, seed: number): Walk {
  const { steps } = lab.document
  const states: StepState[] = steps.map(() => ({ done: false, answer: undefined, hinted: false, outcomes: [] }))
  const current = (): number => {
    const open = states.findIndex((s) => !s.done)
    return open < 0 ? steps.length - 1 : open
  }

  const progress = (): Progress => {
    const open = current()
    return {
      id: lab.document.id,
      title: lab.document.title,
      seed,
      steps: steps.map((step, i) => stepView(lab, step, i, states[i]!, open)),
      current: open,
      finished: states.every((s) => s.done),
    }
  }

  const answer = (index: number, text: string): Result<Progress> => {
    const step = steps[index]
    const state = states[index]
    if (step === undefined || state === undefined)
      return refuse(lab, index, 'There is no such step.', `Steps: 1 to ${steps.length}.`)
    if (index > current())
      return refuse(lab, index, 'This step is not open yet.', `Finish step ${current() + 1} first.`)
    if (step.kind === 'command' || step.kind === 'check')
      return refuse(
        lab,
        index,
        'This step checks itself.',
        'Run its command; the marks turn green when the machine is there.',
      )
    if (step.kind === 'prediction') {
      if (!step.choices!.includes(text))
        return refuse(lab, index, `"${text}" is none of the choices.`, `Choices: ${step.choices!.join(', ')}.`)
      // The first answer counts: a prediction is made before one knows.
      state.answer ??= text
    }
    state.done = true
    return ok(progress())
  }

  const hint = (index: number): Result<Progress> => {
    const state = states[index]
    if (state === undefined || steps[index]!.hint === undefined)
      return refuse(lab, index, 'There is no hint for this step.', '')
    state.hinted = true
    return ok(progress())
  }

  const check = (view: LabView): Progress | undefined => {
    let changed = false
    for (;;) {
      const index = current()
      const step = steps[index]!
      const state = states[index]!
      const checks = step.checks ?? []
      if (state.done || checks.length === 0) break
      const outcomes = checks.map((c) => runCheck(c, view))
      if (outcomes.some((o, i) => o.passed !== state.outcomes[i]?.passed || o.seen !== state.outcomes[i]?.seen))
        changed = true
      state.outcomes = outcomes
      if (!outcomes.every((o) => o.passed)) break
      state.done = true
      changed = true
    }
    return changed ? progress() : undefined
  }

  return { progress, answer, hint, check }
}

function stepView(lab: Lab, step: LabStep, index: number, state: StepState, open: number): StepView {
  const view: { -readonly [K in keyof StepView]: StepView[K] } = {
    index,
    kind: step.kind,
    body: lab.prose[step.id]!,
    state: state.done ? 'done' : index === open ? 'open' : 'locked',
    checks: (step.checks ?? []).map((c, i) => ({
      text: c.says,
      passed: state.done || (state.outcomes[i]?.passed ?? false),
      seen: state.outcomes[i]?.seen ?? '',
    })),
    hasHint: step.hint !== undefined,
  }
  if (step.command !== undefined) view.command = step.command
  if (step.choices !== undefined) view.choices = step.choices
  if (state.answer !== undefined) {
    view.answer = state.answer
    view.answerRight = state.answer === step.answer
  }
  if (state.hinted && step.hint !== undefined) view.hint = step.hint
  return view
}
