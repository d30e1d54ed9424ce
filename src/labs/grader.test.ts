import { expect, test } from 'vitest'
import type { LabView } from './checks'
import { startWalk, type StepMark, type Walk } from './grader'
import { loadLab, type Lab } from './lab'

const STEPS = [
  { id: 'read', kind: 'text' },
  {
    id: 'halve',
    kind: 'number',
    numbers: { free: { path: '/free' } },
    rule: 'answer * 2 == free',
    hint: 'Half of it.',
    solution: 'echo 5',
  },
  {
    id: 'raise',
    kind: 'check',
    solution: 'true',
    checks: [
      { kind: 'rule', says: 'it rose by 3', numbers: { free: { path: '/free' } }, rule: 'free - was.free >= 3' },
      { kind: 'log', says: 'said now', text: 'hello', sinceStep: true },
      { kind: 'event', says: 'two of order 9', name: 'mm_page_alloc', fields: { order: 9 }, min: 2, sinceStep: true },
    ],
  },
]
const document = (steps: unknown): string =>
  JSON.stringify({
    format: 'pagewalk-lab',
    version: 1,
    id: 'x',
    title: 'X',
    summary: 's',
    minutes: 1,
    topics: [1],
    outcomes: ['o'],
    machine: 'm',
    setup: '',
    seeds: [1],
    steps,
  })
const PROSE = STEPS.map((step) => `<!-- step: ${step.id} -->\nText.\n`).join('')

const lab = (): Lab => {
  const loaded = loadLab(document(STEPS), PROSE, 'x')
  if (!loaded.ok) throw new Error(loaded.error.message)
  return loaded.value
}

interface World {
  nowNs: number
  free: string | undefined
  events: { atNs: number; name: string; comm: string; fields: Record<string, number> }[]
  klog: { atNs: number; text: string }[]
}
const world = (): World => ({
  nowNs: 10,
  free: '10\n',
  events: [{ atNs: 1, name: 'mm_page_alloc', comm: 'a', fields: { order: 9 } }],
  klog: [{ atNs: 1, text: 'hello' }],
})
const view = (w: World): LabView => ({ ...w, readFile: () => w.free, events: () => w.events })

const stateOf = (walk: Walk, index: number): string => walk.progress().steps[index]!.state

test('a number is compared with the machine; a wrong one may be tried again and is counted', () => {
  const walk = startWalk(lab(), 1)
  const w = world()
  walk.answer(0, '', view(w))
  expect(walk.answer(1, 'much', view(w)).ok).toBe(false)
  walk.answer(1, '4', view(w))
  expect(walk.progress().steps[1]).toMatchObject({ state: 'open', answer: '4', answerRight: false, tries: 1 })
  w.free = undefined
  walk.answer(1, '5', view(w))
  expect(stateOf(walk, 1)).toBe('open')
  w.free = '10\n'
  walk.answer(1, ' 5 ', view(w))
  expect(walk.progress().steps[1]).toMatchObject({ state: 'done', answer: '5', answerRight: true, tries: 3 })
})

test('was. and sinceStep speak of the moment when the step opened', () => {
  const walk = startWalk(lab(), 1)
  const w = world()
  walk.answer(0, '', view(w))
  w.free = '20'
  walk.answer(1, '10', view(w))
  expect(walk.progress().steps[2]!.checks.map((c) => c.passed)).toEqual([false, false, false])
  expect(walk.progress().steps[2]!.checks[0]!.seen).toBe('free 20, before free 20')
  w.nowNs = 20
  w.free = '23'
  w.klog.push({ atNs: 15, text: 'well hello' })
  w.events.push({ atNs: 15, name: 'mm_page_alloc', comm: 'a', fields: { order: 9 } })
  w.events.push({ atNs: 15, name: 'mm_page_alloc', comm: 'a', fields: { order: 0 } })
  walk.check(view(w))
  expect(walk.progress().steps[2]!.checks.map((c) => c.passed)).toEqual([true, true, false])
  w.events.push({ atNs: 16, name: 'mm_page_alloc', comm: 'b', fields: { order: 9 } })
  expect(walk.check(view(w))?.finished).toBe(true)
})

test('a walk goes on where its marks end', () => {
  const walk = startWalk(lab(), 1)
  walk.answer(0, '', view(world()))
  walk.answer(1, '3', view(world()))
  walk.hint(1)
  const marks = JSON.parse(JSON.stringify(walk.marks())) as StepMark[]
  const opening = { atNs: 10, numbers: {} }
  expect(marks).toEqual([
    { done: true },
    { done: false, answer: '3', hinted: true, tries: 1, opening },
    { done: false },
  ])
  const again = startWalk(lab(), 1, marks)
  expect(again.progress()).toEqual(walk.progress())
})

test('a step that is open when the walk is kept still compares with the moment when it opened', () => {
  const walk = startWalk(lab(), 1)
  const w = world()
  walk.answer(0, '', view(w))
  walk.answer(1, '5', view(w))
  const again = startWalk(lab(), 1, JSON.parse(JSON.stringify(walk.marks())) as StepMark[])
  again.check(view({ ...w, nowNs: 50, free: '13' }))
  expect(again.progress().steps[2]!.checks[0]).toMatchObject({ passed: true, seen: 'free 13, before free 10' })
})

test.each([
  [{ rule: 'answer == other' }, '"other" is none of the numbers.'],
  [{ rule: 'answer ==' }, 'the rule ends too early: answer =='],
  [{ solution: undefined }, 'A number step needs a rule and a solution.'],
])('a number step with %j is refused', (change, message) => {
  const loaded = loadLab(document([STEPS[0], { ...STEPS[1], ...change }, STEPS[2]]), PROSE, 'x')
  expect(loaded.ok || loaded.error.message).toBe(message)
})

test('a hint quotes what the machine says at that moment, and a name that the step does not have is refused', () => {
  const steps = STEPS.map((step) => (step.id === 'halve' ? { ...step, hint: 'free is {free}: half of it.' } : step))
  const loaded = loadLab(document(steps), PROSE, 'x')
  if (!loaded.ok) throw new Error(loaded.error.message)
  const walk = startWalk(loaded.value, 1)
  const w = world()
  walk.answer(0, '', view(w))
  walk.hint(1)
  expect(walk.progress().steps[1]!.hint).toBe('free is 10: half of it.')
  w.free = '12\n'
  expect(walk.check(view(w))?.steps[1]!.hint).toBe('free is 12: half of it.')
  w.free = undefined
  expect(walk.check(view(w))?.steps[1]!.hint).toBe('free is …: half of it.')
  expect(walk.check(view(w))).toBeUndefined()
  const wrong = STEPS.map((step) => (step.id === 'halve' ? { ...step, hint: 'It is {low}.' } : step))
  const refused = loadLab(document(wrong), PROSE, 'x')
  expect(refused).toMatchObject({ ok: false, error: { code: 'lab/hint' } })
  if (!refused.ok) expect(refused.error.message).toContain('{low}')
})
