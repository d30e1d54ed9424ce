/** What can be wrong with a lab although each of its fields is right: rules between fields that a schema cannot say. */
import { userError, type Err, type UserError } from '../util/result'
import type { Check, LabDocument, LabStep } from './lab'
import { numbersOf, quotedIn } from './quoted'
import { parseRule } from './rule'

type Fault = Err<UserError> | undefined

/** @returns the first fault, in the order of the steps */
export function faultOf(document: LabDocument, fileName: string): Fault {
  const seen = new Set<string>()
  for (const [i, step] of document.steps.entries()) {
    const where = `${fileName}: steps[${i}]`
    if (seen.has(step.id))
      return userError(
        'lab/step-twice',
        `${where}.id`,
        `"${step.id}" is used twice.`,
        'Give each step an id of its own.',
      )
    seen.add(step.id)
    const fault = stepFault(step, where) ?? hintFault(step, where) ?? checksFault(step.checks ?? [], where)
    if (fault !== undefined) return fault
  }
  return undefined
}

function hintFault(step: LabStep, where: string): Fault {
  const known = Object.keys(numbersOf(step))
  const unknown = quotedIn(step.hint ?? '').find((name) => !known.includes(name))
  return unknown === undefined
    ? undefined
    : userError(
        'lab/hint',
        `${where}.hint`,
        `The hint quotes {${unknown}}, which is no number of this step.`,
        `Known: ${known.join(', ') || 'none'}.`,
      )
}

function stepFault(step: LabStep, where: string): Fault {
  switch (step.kind) {
    case 'prediction':
      return predictionFault(step, where)
    case 'number':
      return numberFault(step, where)
    case 'command':
      if (step.command === undefined)
        return userError('lab/command', where, 'A command step has no command.', 'Add "command".')
      return selfCheckFault(step, where)
    case 'check':
      return (
        selfCheckFault(step, where) ??
        (step.solution === undefined
          ? userError(
              'lab/solution',
              where,
              'A check step has no solution.',
              'Add "solution": shell text after which its checks pass.',
            )
          : undefined)
      )
    default:
      return undefined
  }
}

const selfCheckFault = (step: LabStep, where: string): Fault =>
  (step.checks ?? []).length === 0
    ? userError(
        'lab/checks',
        where,
        `A ${step.kind} step has no checks.`,
        'Add at least one, so that the step can be done.',
      )
    : undefined

function predictionFault(step: LabStep, where: string): Fault {
  if (step.choices === undefined || step.answer === undefined)
    return userError('lab/prediction', where, 'A prediction needs choices and an answer.', 'Add both.')
  if (!step.choices.includes(step.answer))
    return userError(
      'lab/answer',
      `${where}.answer`,
      `"${step.answer}" is none of the choices.`,
      `Choices: ${step.choices.join(', ')}.`,
    )
  return undefined
}

function numberFault(step: LabStep, where: string): Fault {
  if (step.rule === undefined || step.solution === undefined)
    return userError(
      'lab/number',
      where,
      'A number step needs a rule and a solution.',
      'Add "rule" over "answer" and "numbers", and "solution": shell text that prints the answer.',
    )
  return ruleFault(step.rule, ['answer', ...Object.keys(step.numbers ?? {})], `${where}.rule`)
}

function checksFault(checks: readonly Check[], where: string): Fault {
  for (const [i, check] of checks.entries()) {
    if (check.kind !== 'rule') continue
    const fault = ruleFault(check.rule, Object.keys(check.numbers), `${where}.checks[${i}].rule`)
    if (fault !== undefined) return fault
  }
  return undefined
}

function ruleFault(text: string, known: readonly string[], where: string): Fault {
  const rule = parseRule(text, where)
  if (!rule.ok) return rule
  const stranger = rule.value.names.find((name) => !known.includes(name.replace(/^was\./, '')))
  return stranger === undefined
    ? undefined
    : userError(
        'lab/rule-name',
        where,
        `"${stranger}" is none of the numbers.`,
        `Numbers: ${known.join(', ')}; each also with "was." in front.`,
      )
}
