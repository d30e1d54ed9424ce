// @vitest-environment happy-dom
import { afterEach, expect, test } from 'vitest'
import { nextTick } from 'vue'
import { useUi } from '../stores/ui'
import type { Mounted } from '../testing/mount'
import { mount, press } from '../testing/mount'
import DataTable from './DataTable.vue'
import Field from './Field.vue'
import UsageBar from './UsageBar.vue'

const MIB = 1024 * 1024
let shown: Mounted | undefined
afterEach(() => shown?.unmount())

function show(...args: Parameters<typeof mount>): Mounted {
  shown = mount(...args)
  return shown
}
const type = (input: HTMLInputElement, text: string): void => {
  input.value = text
  input.dispatchEvent(new Event('input', { bubbles: true }))
}

test('a field hands its text over on Enter, once', async () => {
  const got: string[] = []
  const field = show(Field, {
    label: 'memory.max',
    modelValue: '100',
    'onUpdate:modelValue': (value: string) => got.push(value),
  })
  const input = field.find<HTMLInputElement>('input')
  type(input, '200')
  press(input, 'Enter')
  await nextTick()
  expect(got).toEqual(['200'])
})

test('Escape brings the value in force back and hands nothing over', async () => {
  const got: string[] = []
  const field = show(Field, {
    label: 'memory.max',
    modelValue: '100',
    'onUpdate:modelValue': (value: string) => got.push(value),
  })
  const input = field.find<HTMLInputElement>('input')
  type(input, 'lots')
  press(input, 'Escape')
  await nextTick()
  expect(input.value).toBe('100')
  expect(got).toEqual([])
})

test('what is wrong with a field is said beside it and tied to it', () => {
  const field = show(Field, {
    label: 'memory.max',
    modelValue: 'lots',
    problem: 'memory.max: lots is no size. Write bytes, 100M or max.',
  })
  const input = field.find('input')
  expect(input.getAttribute('aria-invalid')).toBe('true')
  expect(document.getElementById(input.getAttribute('aria-describedby')!)!.textContent).toContain('lots is no size')
})

test('a field shows the shell line that it is, with the text as typed', async () => {
  const field = show(Field, {
    label: 'swappiness',
    modelValue: '60',
    shell: (value: string) => `sysctl -w vm.swappiness=${value}`,
  })
  const input = field.find<HTMLInputElement>('input')
  input.dispatchEvent(new FocusEvent('focusin', { bubbles: true }))
  expect(useUi().shellLine).toBe('sysctl -w vm.swappiness=60')
  type(input, '100')
  await nextTick()
  expect(useUi().shellLine).toBe('sysctl -w vm.swappiness=100')
})

const bar = (more: Record<string, unknown>): Mounted =>
  show(UsageBar, {
    parts: [
      { owner: 'anon', bytes: 40 * MIB },
      { owner: 'file', bytes: 20 * MIB },
    ],
    marks: [
      { kind: 'high', bytes: 90 * MIB },
      { kind: 'max', bytes: -1, isFixed: true },
    ],
    totalBytes: 100 * MIB,
    width: 200,
    label: '/lab',
    shell: (kind: string, bytes: number) => `echo ${bytes} > memory.${kind}`,
    ...more,
  })

test('an arrow key moves a limit by one percent and writes its shell line', () => {
  const moved: [string, number][] = []
  const usage = bar({ onMove: (kind: string, bytes: number) => moved.push([kind, bytes]) })
  press(usage.find('[aria-label="memory.high"]'), 'ArrowLeft')
  expect(moved).toEqual([['high', 89 * MIB]])
  expect(useUi().shellLine).toBe(`echo ${89 * MIB} > memory.high`)
})

test('a fixed mark cannot be moved, and no limit is called max', () => {
  const moved: unknown[] = []
  const usage = bar({ onMove: () => moved.push(0) })
  const mark = usage.find('[aria-label="memory.max"]')
  press(mark, 'ArrowLeft')
  expect(moved).toEqual([])
  expect(mark.getAttribute('aria-valuetext')).toBe('max')
})

test('the stack is drawn to scale', () => {
  const widths = [...bar({}).element.querySelectorAll('rect[class^="f-"]')].map((rect) =>
    Number(rect.getAttribute('width')),
  )
  expect(widths).toEqual([200, 80, 40])
})

test('arrows walk a table, Enter acts, a head sorts', async () => {
  const log: string[] = []
  const table = show(DataTable as Parameters<typeof mount>[0], {
    columns: [
      { id: 'comm', title: 'task', text: (row: { comm: string }) => row.comm },
      {
        id: 'rss',
        title: 'rss',
        isNumber: true,
        text: (row: { rss: number }) => String(row.rss),
        sortBy: (row: { rss: number }) => row.rss,
      },
    ],
    rows: [
      { comm: 'web', rss: 5 },
      { comm: 'hog', rss: 9 },
    ],
    rowKey: (row: { comm: string }) => row.comm,
    label: 'Tasks',
    selected: 'web',
    onSelect: (row: { comm: string }) => log.push(`select ${row.comm}`),
    onAct: (row: { comm: string }) => log.push(`act ${row.comm}`),
  })
  press(table.find('tr[aria-selected]'), 'ArrowDown')
  press(table.find('tr[aria-selected]'), 'Enter')
  expect(log).toEqual(['select hog', 'act web'])
  table.find('th button').click()
  await nextTick()
  expect(table.find('tbody tr').textContent).toContain('hog')
  expect(table.find('th.n').getAttribute('aria-sort')).toBe('descending')
})
