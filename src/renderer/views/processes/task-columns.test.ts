import { expect, test } from 'vitest'
import { sortRows } from '../../components/table'
import { fakeTasks } from '../../testing/fake-frames'
import { mib, shownTasks, TASK_COLUMNS, waitText } from './task-columns'

const tasks = fakeTasks(42e9)

test.each([
  [0, '0'],
  [40, '0'],
  [64, '0.1'],
  [169344, '165.4'],
  [20_480_000, '20\u202f000'],
])('%d KiB are written %s MiB', (kib, text) => expect(mib(kib)).toBe(text))

test('kernel threads are shown on request; all words of the filter have to match', () => {
  const names = (filter: string, withKthreads: boolean): string[] =>
    shownTasks(tasks, filter, { withKthreads }).map((task) => task.comm)
  expect(names('', false)).not.toContain('kswapd0')
  expect(names('kswapd', true)).toEqual(['kswapd0'])
  expect(names('/lab cache', false)).toEqual(['cache'])
  expect(names('/lab web', false)).toEqual([])
})

test('the table sorts by the number, not by its text', () =>
  expect(
    sortRows(shownTasks(tasks, '', { withKthreads: false }), TASK_COLUMNS, '-anon')
      .map((task) => task.comm)
      .slice(0, 3),
  ).toEqual(['hog', 'db', 'cache']))

test('a running task waits for nothing', () =>
  expect(waitText({ ...tasks[0]!, state: 'R', waitChannel: 'do_wait' })).toBe(''))
