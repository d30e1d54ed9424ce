/**
 * One walk through a lab: which step is open, what was answered, which checks hold. Steps open one after the other;
 * a step whose checks hold stays done, whatever happens to the machine later.
 */
import { err, ok, type Result } from '../util/result'
import { judgeRule, openingOf, runCheck, type CheckOutcome, type LabView, type Opening, numbersSeen } from './checks'
import type { Lab, LabStep } from './lab'
import { quote } from './quoted'

export interface StepView {
  readonly index: number
  readonly kind: LabStep['kind']
  /** Markdown. */
  readonly body: string
  readonly command?: string
  readonly choices?: readonly string[]
  /** Of a number step: what stands behind the field, '' for a bare number. */
  readonly unit?: string
  readonly answer?: string
  readonly answerRight?: boolean
  /** Of a number step: answers given so far. */
  readonly tries?: number
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
  /** A choice of a prediction, a number, or '' for "read on" at a text or explanation. */
  answer(step: number, answer: string, view: LabView): Result<Progress>
  hint(step: number): Result<Progress>
  /** Looks at the machine; the new progress when it changed. */
  check(view: LabView): Progress | undefined
  /** What a file keeps of this walk. */
  marks(): readonly StepMark[]
}

/** One step of a walk as a session file keeps it. */
export interface StepMark {
  readonly done: boolean
  readonly answer?: string
  readonly hinted?: boolean
  readonly tries?: number
  /** Of the open step: how the machine was when it opened. */
  readonly opening?: Opening
}

interface StepState {
  done: boolean
  answer: string | undefined
  hinted: boolean
  tries: number
  outcomes: CheckOutcome[]
  /** Numbers of the open step as they were last seen, by name: what its hint may quote. */
  seen: Readonly<Record<string, number>>
  /** The machine when the step opened; undefined before. */
  opening: Opening | undefined
}

const refuse = (lab: Lab, step: number, message: string, fix: string): Result<never> =>
  err({ code: 'lab/step', where: `${lab.document.title}, step ${step + 1}`, message, fix })

/** @param marks  how far an earlier walk got, step by step */
export function startWalk(lab: Lab, seed: number, marks: readonly StepMark[] = []): Walk {
  const { steps } = lab.document
  const states: StepState[] = steps.map((_, i) => stateOf(marks[i]))
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

  const answer = (index: number, text: string, view: LabView): Result<Progress> => {
    const step = steps[index]
    const state = states[index]
    if (step === undefined || state === undefined)
      return refuse(lab, index, 'There is no such step.', `Steps: 1 to ${steps.length}.`)
    if (index > current())
      return refuse(lab, index, 'This step is not open yet.', `Finish step ${current() + 1} first.`)
    const done = take(lab, index, { state, text, view })
    if (!done.ok) return done
    state.done ||= done.value
    check(view)
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
      const state = states[index]!
      const checks = steps[index]!.checks ?? []
      state.opening ??= openingOf(checks, view)
      const before = hintOf(steps[index]!, state)
      state.seen = numbersSeen(steps[index]!, view)
      if (hintOf(steps[index]!, state) !== before) changed = true
      if (state.done || checks.length === 0) break
      const outcomes = checks.map((c) => runCheck(c, view, state.opening))
      if (outcomes.some((o, i) => o.passed !== state.outcomes[i]?.passed || o.seen !== state.outcomes[i]?.seen))
        changed = true
      state.outcomes = outcomes
      if (!outcomes.every((o) => o.passed)) break
      state.done = true
      changed = true
    }
    return changed ? progress() : undefined
  }

  return { progress, answer, hint, check, marks: () => states.map(markOf) }
}

const stateOf = (mark: StepMark | undefined): StepState => ({
  done: mark?.done ?? false,
  answer: mark?.answer,
  hinted: mark?.hinted ?? false,
  tries: mark?.tries ?? 0,
  outcomes: [],
  seen: {},
  opening: mark?.opening,
})

const markOf = ({ done, answer, hinted, tries, opening }: StepState): StepMark => ({
  done,
  ...(answer === undefined ? {} : { answer }),
  ...(hinted ? { hinted } : {}),
  ...(tries > 0 ? { tries } : {}),
  ...(done || opening === undefined ? {} : { opening }),
})

interface Given {
  readonly state: StepState
  readonly text: string
  readonly view: LabView
}

/** Takes an answer. @returns whether the step is done with it */
function take(lab: Lab, index: number, { state, text, view }: Given): Result<boolean> {
  const step = lab.document.steps[index]!
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
  if (step.kind === 'number' && !state.done) {
    const answer = Number(text.replace(/[\s_]/g, ''))
    if (text.trim() === '' || !Number.isFinite(answer))
      return refuse(lab, index, `"${text}" is no number.`, 'Write digits only, for example 4096.')
    state.answer = text.trim()
    state.tries++
    const { rule = '', numbers = {} } = step
    const outcome = judgeRule({ rule, numbers, given: { answer } }, view, state.opening ?? openingOf([], view))
    state.outcomes = [outcome]
    return ok(outcome.passed)
  }
  return ok(true)
}

/** The hint that was asked for, with the numbers in it that the machine has now. */
const hintOf = ({ hint }: LabStep, { hinted, seen }: StepState): string | undefined =>
  hinted && hint !== undefined ? quote(hint, seen) : undefined

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
  if (step.kind === 'number') {
    view.unit = step.unit ?? ''
    view.tries = state.tries
  }
  if (state.answer !== undefined) {
    view.answer = state.answer
    view.answerRight = step.kind === 'number' ? state.done : state.answer === step.answer
  }
  const hint = hintOf(step, state)
  if (hint !== undefined) view.hint = hint
  return view
}
