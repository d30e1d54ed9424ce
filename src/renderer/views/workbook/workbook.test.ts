// @vitest-environment happy-dom
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { nextTick } from 'vue'
import { fakeLab } from '../../testing/fake-frames'
import type { Mounted } from '../../testing/mount'
import { mount } from '../../testing/mount'
import { useUi } from '../../stores/ui'
import { VIEWS } from '../index'
import { MarkdownText } from './MarkdownText'
import StepCard from './StepCard.vue'
import { firstSentence, parseInline, parseMarkdown } from './markdown'
import { readRecords, recordOf, stepResult, stepTitle, walkMarkdown, withRecord } from './progress'

let shown: Mounted | undefined
afterEach(() => shown?.unmount())

test('blocks: headings, paragraphs over several lines, lists and code', () => {
  const blocks = parseMarkdown('# A *b*\n\none\ntwo\n- x\n  more\n- y\n\n1. z\n```sh\necho **no**\n```\n')
  expect(blocks.map((block) => block.kind)).toEqual(['heading', 'paragraph', 'list', 'list', 'code'])
  expect(blocks[1]).toEqual({ kind: 'paragraph', children: [{ kind: 'text', text: 'one two' }] })
  expect(blocks[2]).toMatchObject({ isOrdered: false, items: [[{ text: 'x more' }], [{ text: 'y' }]] })
  expect(blocks[4]).toEqual({ kind: 'code', language: 'sh', text: 'echo **no**' })
})

test('emphasis holds other markup, code does not', () => {
  expect(parseInline('a **b `c*d*`** 2*3*4')).toEqual([
    { kind: 'text', text: 'a ' },
    {
      kind: 'strong',
      children: [
        { kind: 'text', text: 'b ' },
        { kind: 'code', text: 'c*d*' },
      ],
    },
    { kind: 'text', text: ' 2' },
    { kind: 'em', children: [{ kind: 'text', text: '3' }] },
    { kind: 'text', text: '4' },
  ])
})

test.each(['javascript:alert%281%29', 'http://example.org', 'data:text/html,x', '//example.org'])(
  '%s is no link',
  (href) => {
    expect(parseInline(`[here](${href})`)).toEqual([{ kind: 'text', text: 'here' }])
  },
)

test('a link to a view opens it', () => {
  expect(parseInline('see [**Buddy**](view:buddy)')[1]).toMatchObject({ kind: 'view', view: 'buddy' })
  shown = mount(MarkdownText, { text: 'see [Terminal](view:terminal)' })
  shown.find('button').click()
  expect(useUi().view).toBe('terminal')
})

const LABS = join(import.meta.dirname, '../../../../resources/labs')
test.each(readdirSync(LABS))('the views that lab %s links to are there', (name) => {
  const text = readFileSync(join(LABS, name, 'lab.md'), 'utf8')
  const views = [...text.matchAll(/\]\(view:([^)]*)\)/g)].map((match) => match[1])
  expect(views.filter((id) => !VIEWS.some((view) => view.id === id))).toEqual([])
})

test('a number is handed over once it is one', async () => {
  const got: string[] = []
  const step = card(0, {
    step: {
      index: 0,
      kind: 'number',
      body: 'How many?',
      state: 'open',
      checks: [],
      hasHint: false,
      unit: 'pages',
      tries: 0,
    },
    onAnswer: (text: string) => got.push(text),
  })
  const field = step.find<HTMLInputElement>('input')
  const give = async (text: string): Promise<void> => {
    field.value = text
    field.dispatchEvent(new Event('input'))
    await nextTick()
    step.find('form').dispatchEvent(new Event('submit', { cancelable: true }))
  }
  await give('many')
  await give('4 096')
  expect(got).toEqual(['4 096'])
  expect(step.element.textContent).toContain('pages')
  expect(step.element.textContent).not.toContain('Read on')
})

test('markup of another language stays text', () => {
  shown = mount(MarkdownText, { text: '<img src=x onerror=alert(1)> **<b>** [a](https://example.org/"onclick="x)' })
  expect(shown.element.querySelector('img')).toBeNull()
  expect(shown.element.textContent).toContain('<img src=x onerror=alert(1)>')
  expect(shown.find('a').getAttributeNames()).not.toContain('onclick')
})

test('the first sentence stands for a step', () =>
  expect(firstSentence('A **control** group is `a` directory. More.')).toBe('A control group is a directory'))

const lab = fakeLab()
test('a locked step gives nothing away', () => {
  expect(stepTitle(lab.steps[3]!)).toBe('Run a command')
  expect(stepTitle(lab.steps[0]!)).toBe('Make a group with a limit of 100 MiB')
  expect(stepResult(lab.steps[0]!)).toBe('memory.max is 104857600')
})

test('a finished lab stays finished when it is walked again', () => {
  const finished = { done: 5, steps: 5, isFinished: true, predictions: 1, right: 1 }
  expect(recordOf(lab)).toEqual({ done: 2, steps: 5, isFinished: false, predictions: 0, right: 0 })
  expect(withRecord({ a: finished }, 'a', recordOf(lab))['a']).toEqual(finished)
  expect(withRecord({}, 'a', recordOf(lab))['a']?.done).toBe(2)
})

test.each([undefined, 'no json', '[]', '{"a": {"done": "x"}}', 'null'])(
  'kept progress that reads %s counts as none',
  (text) => {
    expect(readRecords(text)).toEqual({})
  },
)

test('a walk is written out as far as it got', () => {
  const text = walkMarkdown(lab)
  expect(text).toContain('- [x] memory.max is 104857600')
  expect(text).not.toContain('Touch 200 MiB')
})

const card = (index: number, more: Record<string, unknown> = {}): Mounted =>
  (shown = mount(StepCard, { step: { ...lab.steps[index]!, state: 'open' }, isBusy: false, ...more }))

test('a prediction is handed over once it is chosen, not before', async () => {
  const got: string[] = []
  const step = card(2, { onAnswer: (text: string) => got.push(text) })
  const lock = step.find<HTMLButtonElement>('fieldset button')
  expect(lock.disabled).toBe(true)
  const radio = step.element.querySelectorAll<HTMLInputElement>('input[type=radio]')[1]!
  radio.checked = true
  radio.dispatchEvent(new Event('change', { bubbles: true }))
  await nextTick()
  lock.click()
  expect(got).toEqual(['A task in the group is killed'])
})

test('one click hands the command over; its checks say what they see', () => {
  const got: string[] = []
  const step = card(3, { onRun: (command: string) => got.push(command) })
  step.find('.cmdline button').click()
  expect(got).toEqual([lab.steps[3]!.command])
  expect(step.find('.checks').textContent).toContain('now 0')
})
