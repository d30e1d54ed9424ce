import { expect, test } from 'vitest'
import { glossary, meaningsOf, wordsIn } from './index'

const seen = (line: string): readonly string[] =>
  wordsIn(line).map(({ name, meanings }) => `${name} < ${meanings.map(({ where }) => where).join(' + ')}`)

test.each([
  ['MemFree:          401344 kB', ['MemFree < /proc/meminfo']],
  ['Node 0 MemUsed:           73792 kB', ['MemUsed < /sys/devices/system/node/nodeN/meminfo']],
  ['Cached:            34492 kB', ['Cached < /proc/meminfo']],
  ['VmRSS:	   11136 kB', ['VmRSS < /proc/PID/status']],
  ['pgfault 1974', ['pgfault < /proc/vmstat + memory.stat']],
  ['oom_kill 1', ['oom_kill < /proc/vmstat + memory.events']],
  ['  pages free     3808', ['free < /proc/zoneinfo']],
  ['        protection: (0, 439, 439, 439, 439)', ['protection < /proc/zoneinfo']],
  ['      nr_free_pages 3808', ['nr_free_pages < /proc/vmstat']],
  [
    'some avg10=0.00 avg60=0.00 avg300=0.00 total=0',
    ['some', 'avg10', 'avg60', 'avg300', 'total'].map((name) => `${name} < /proc/pressure/memory`),
  ],
  ['vm.swappiness = 60', ['vm.swappiness < /proc/sys/vm']],
  ['# echo 10 > /proc/sys/vm/swappiness', ['/proc/sys/vm/swappiness < /proc/sys/vm']],
  ['cat /proc/meminfo | grep -c x', ['/proc/meminfo < /proc/meminfo']],
  ['cgroup: memory.high reached', ['memory.high < /sys/fs/cgroup']],
])('%s', (line, words) => {
  expect(seen(line)).toEqual(words)
})

test.each([
  'the low watermark is free and the total high',
  '    free memory on the machine',
  'bash: no_such_command: command not found',
  'root@vm-512m:~# ',
  ' 0  0      0 400352      0  36592    0    0 17676     0  897  316  0  0 100  0  0',
])('nothing is known of: %s', (line) => {
  expect(seen(line)).toEqual([])
})

test("a tool's header has every column, each where it stands", () => {
  const header = ' r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st'
  const words = wordsIn(header)
  expect(words.map(({ start, end }) => header.slice(start, end))).toEqual(header.trim().split(/\s+/))
  expect(words.every(({ meanings }) => meanings.some(({ where }) => where === 'vmstat'))).toBe(true)
})

test('a name has its meanings by itself, and a word of prose has none', () => {
  expect(meaningsOf('memory.max')).toHaveLength(1)
  expect(meaningsOf('/proc/1/oom_score')[0]?.where).toBe('/proc/PID')
  expect(meaningsOf('vm.no_such')).toEqual([])
  expect(glossary.some(({ name }) => name === 'folio')).toBe(true)
})
