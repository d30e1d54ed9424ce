import { expect, test } from 'vitest'
import { TaskMachine } from '../../../test/task-machine'
import { captureText, staticCaptures } from '../../../test/static-captures'

/** Rows of node 0 without their numbers. */
const layout = (text: string): string[] =>
  text
    .split('\n')
    .filter((row) => /^Node 0 \S+:/.test(row))
    .map((row) => row.replace(/ *\d+( kB)?$/, '$1'))

test.each([
  ['6.12', 'static-512m-2cpu'],
  ['6.1', 'static-8g-2node-k61'],
] as const)('the memory of a node has the rows of a captured %s', (series, name) => {
  const capture = staticCaptures().find((c) => c.name === name)!
  const m = new TaskMachine({ mib: 256, series })
  const rows = layout(m.read('/sys/devices/system/node/node0/meminfo'))
  expect(rows.length).toBeGreaterThan(30)
  expect(rows).toEqual(layout(captureText(capture, 'base/nodes.txt')).slice(0, rows.length))
})

test('a node tells of its huge pages below its other memory', () => {
  const m = new TaskMachine({ mib: 256 })
  m.write('/proc/sys/vm/nr_hugepages', '3')
  expect(m.read('/sys/devices/system/node/node0/meminfo').split('\n').slice(-4)).toEqual([
    'Node 0 HugePages_Total:     3',
    'Node 0 HugePages_Free:      3',
    'Node 0 HugePages_Surp:      0',
    '',
  ])
})
