/** Every file and every line that simulated machines print has an explanation, and `explain` prints it. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createHeadless, type Headless } from '../host/headless'
import { programs, realEngine } from '../host/real-engine'
import { loadMachine, toConfig } from '../profiles/index'
import {
  aboutFile,
  entryOf,
  explanationsOf,
  fieldsIn,
  glossary,
  namesIn,
  termNamed,
  termsIn,
  topicOf,
  topics,
} from './index'
import { searchTerms } from './glossary'
import { wrap } from './wrap'

function boot(name: string, release?: string): Headless {
  const profile = loadMachine(readFileSync(`resources/machines/${name}.json`, 'utf8'), name)
  if (!profile.ok) throw new Error(profile.error.message)
  const config = toConfig(profile.value)
  return createHeadless(release === undefined ? config : { ...config, release }, 7, { engine: realEngine(), programs })
}

async function run(machine: Headless, script: string): Promise<string> {
  let text = ''
  const keep = (piece: string): void => void (text += piece)
  await machine.runScript(script, { onStdout: keep, onStderr: keep })
  return text
}

const ROOTS = [
  '/proc/[a-z]*',
  '/proc/pressure/*',
  '/proc/1/*',
  '/proc/sys/*/*',
  '/sys/kernel/mm/*/* /sys/kernel/mm/*/*/*',
  '/sys/kernel/slab/kmalloc-64/*',
  '/sys/devices/system/node/* /sys/devices/system/node/node*/* /sys/devices/system/node/node*/*/*/*',
  '/sys/fs/cgroup/* /sys/fs/cgroup/system.slice/*',
].join(' ')

/** All files under the roots of memory management, with the text of those that can be read. */
async function filesOf(machine: Headless): Promise<readonly (readonly [path: string, text: string])[]> {
  const list = await run(machine, `for f in ${ROOTS}; do test -f $f && echo $f; done`)
  return list
    .trim()
    .split('\n')
    .map((path) => {
      const read = machine.readFile(path)
      return [path, read.ok ? read.value : ''] as const
    })
}

function unexplained(path: string, text: string): readonly string[] {
  const topic = topicOf(path)
  if (topic === undefined) return [path]
  const lines = text.split('\n')
  if (topic.layout.kind === 'fields')
    return fieldsIn(topic, text).length === (text.match(/\(.*\)|\S+/g) ?? []).length
      ? []
      : [`${path}: number of fields`]
  return lines.flatMap((line) =>
    namesIn(topic, line)
      .filter((name) => entryOf(topic, name) === undefined)
      .map((name) => `${path}: ${name}`),
  )
}

describe.each(['vm-512m', 'classic-1g', 'numa-2x4g'])('%s', (name) => {
  const machine = boot(name)

  test('every file of memory management and every name in it is explained', async () => {
    const files = await filesOf(machine)
    expect(files.length).toBeGreaterThan(170)
    expect(files.flatMap(([path, text]) => unexplained(path, text))).toEqual([])
    expect(files.filter(([path]) => aboutFile(path) === '')).toEqual([])
  })

  test('every line of meminfo, vmstat and memory.stat carries a name', async () => {
    for (const path of ['/proc/meminfo', '/proc/vmstat', '/sys/fs/cgroup/memory.stat']) {
      const read = machine.readFile(path)
      const lines = read.ok ? read.value.trim().split('\n') : []
      expect(lines.length).toBeGreaterThan(40)
      expect(lines.filter((line) => namesIn(topicOf(path)!, line).length !== 1)).toEqual([])
    }
  })
})

describe('tables', () => {
  const machine = boot('vm-512m')
  const read = (path: string): string => {
    const text = machine.readFile(path)
    return text.ok ? text.value : ''
  }

  test('the columns of slabinfo and swaps are those of their header', () => {
    const header = read('/proc/slabinfo').split('\n')[1]!
    const columns = header.replace(/^# /, '').match(/[a-z_]+/g)
    expect([...topicOf('/proc/slabinfo')!.entries.keys()]).toEqual(columns)
    expect([...topicOf('/proc/swaps')!.entries.keys()]).toEqual(read('/proc/swaps').split('\n')[0]!.split(/\t+/))
  })

  test.each(['/proc/1/numa_maps', '/proc/vmallocinfo'])('every key=value of %s is explained', (path) => {
    const keys = [...read(path).matchAll(/\b([A-Za-z_]+|N0)=/g)].map((match) => match[1]!)
    expect([...new Set(keys)].filter((key) => !topicOf(path)!.entries.has(key))).toEqual([])
  })

  test.each([
    ['free', 'free', ['total', 'used', 'free', 'shared', 'buff/cache', 'available']],
    ['vmstat', 'vmstat | sed -n 2p', undefined],
    ['top', 'top -b -n 1 | sed -n 7p', undefined],
  ])('the columns of %s are those that it prints', async (tool, command, columns) => {
    const printed = columns ?? (await run(machine, command)).trim().split(/\s+/)
    const topic = topics.find((other) => other.id === tool)!
    expect(printed.filter((column) => !topic.entries.has(column))).toEqual([])
  })

  test('a header line of slabtop and of ps is recognised as theirs', async () => {
    for (const [tool, command] of [
      ['slabtop', 'slabtop -o'],
      ['ps', 'ps aux'],
      ['free', 'free'],
      ['vmstat', 'vmstat'],
      ['top', 'top -b -n 1'],
    ] as const) {
      const topic = topics.find((other) => other.id === tool)!
      const lines = (await run(machine, command)).split('\n')
      expect(lines.filter((line) => namesIn(topic, line).length > 0)).toHaveLength(1)
    }
  })
})

describe('the command', () => {
  const machine = boot('vm-512m')

  test('explain FILE prints each line as it is, with its sentence below', async () => {
    const lines = (await run(machine, 'explain /proc/meminfo')).split('\n')
    const at = lines.findIndex((line) => line.startsWith('MemFree:'))
    expect(lines[at]).toMatch(/^MemFree: {3,}\d+ kB$/)
    expect(lines[at + 1]).toMatch(/^ {4}Pages on the buddy free lists/)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  test('names are found where they stand: a counter, a sysctl with dots, a cgroup file, a term', async () => {
    expect(await run(machine, 'explain /proc/vmstat pgscan_direct')).toMatch(/^pgscan_direct 0\n {4}Pages that tasks/)
    expect(await run(machine, 'explain vm.swappiness')).toMatch(/^\/proc\/sys\/vm\/swappiness = 60\n/)
    expect(await run(machine, 'explain swappiness')).toMatch(/^\/proc\/sys\/vm: swappiness = 60\n/)
    expect(await run(machine, 'cd /sys/fs/cgroup/system.slice; explain memory.high')).toMatch(/memory.high = max\n/)
    expect(await run(machine, 'explain pgfault')).toMatch(/\/proc\/vmstat: pgfault \d+[^]*memory.stat: pgfault/)
    expect(await run(machine, 'explain Watermarks')).toMatch(/^watermark\n/)
  })

  test('what repeats is left out, and shown on demand', async () => {
    const short = await run(machine, 'explain /proc/zoneinfo')
    expect(short).toMatch(/\d+ more lines say the same of others; explain -a shows them/)
    expect((await run(machine, 'explain -a /proc/zoneinfo')).length).toBeGreaterThan(short.length)
  })

  test('an unknown name says what exists instead, and fails', async () => {
    expect(await run(machine, 'explain pgscan_dirct; echo $?')).toMatch(/there is pgscan_direct.*\n1\n$/)
    expect(await run(machine, 'explain /proc/meminfo pgscan_direct')).toMatch(/\/proc\/meminfo has no "pgscan_direct"/)
    expect(await run(machine, 'explain /proc/nothing')).toMatch(/No such file or directory/)
    expect(await run(machine, 'explain /etc/passwd 2>&1 | head -1')).toMatch(/explain:/)
  })
})

describe('the data', () => {
  const texts = [...topics.flatMap(({ entries }) => [...entries.values()]), ...glossary.map(({ text }) => text)]

  test('every sentence ends as one and is no longer than a tooltip bears', () => {
    expect(texts.filter((text) => !/[.!?)]$/.test(text))).toEqual([])
    expect(texts.filter((text) => text.length > 700)).toEqual([])
    expect(texts.length).toBeGreaterThan(900)
  })

  test('no term is defined twice, and all names are found in any case', () => {
    const owners = glossary.flatMap((term) => [term.name, ...term.aliases].map((name) => [name, term] as const))
    expect(owners.filter(([name, term]) => termNamed(name) !== term)).toEqual([])
    expect(termNamed('Shadow Entries')?.name).toBe('shadow entry')
    expect(glossary.length).toBeGreaterThan(120)
  })

  test('a text links each term once, the longest name first, and no part of a path or of a word', () => {
    const text = 'A TLB miss starts a page walk; another TLB miss, too. See /proc/kswapd/zone, memory.high and Zones.'
    const places = termsIn(text, new Set())
    expect(places.map(({ start, end }) => text.slice(start, end))).toEqual([
      'TLB miss',
      'page walk',
      'memory.high',
      'Zones',
    ])
    expect(termsIn(text, new Set(['TLB miss', 'page walk', 'memory.high']))).toHaveLength(1)
  })

  test('a search finds names before texts', () => {
    expect(searchTerms('shadow')[0]?.name).toBe('shadow entry')
    expect(searchTerms('compressed ram').map(({ name }) => name)).toContain('zram')
    expect(searchTerms('no such thing at all')).toEqual([])
  })

  test('a name in several files is explained for each, and a sysctl answers to its dotted name alone', () => {
    expect(explanationsOf('MemFree').map(({ topic }) => topic.id)).toEqual([
      '/proc/meminfo',
      '/sys/devices/system/node/nodeN/meminfo',
    ])
    expect(explanationsOf('memfree')).toHaveLength(2)
    expect(explanationsOf('vm.overcommit_memory').map(({ name }) => name)).toEqual(['vm.overcommit_memory'])
  })

  test('lines break at blanks within the width', () => {
    expect(wrap('one two three', 8, '  ')).toEqual(['  one', '  two', '  three'])
    expect(wrap('one two three', 9, '  ')).toEqual(['  one two', '  three'])
  })
})

test('files of zswap and zram are explained where there are some', async () => {
  const machine = boot('vm-512m', '6.12.95+deb12-amd64')
  await run(machine, 'echo Y > /sys/module/zswap/parameters/enabled; modprobe zram; mkdir /sys/fs/cgroup/a')
  const roots = [
    '/sys/module/zswap/parameters',
    '/sys/kernel/tracing/per_cpu/cpu0',
    '/sys/kernel/debug/zswap',
    '/sys/block/zram0',
    '/sys/fs/cgroup/a',
  ]
  const files = (await run(machine, roots.map((dir) => `ls -d ${dir}/*`).join('; '))).trim().split('\n')
  expect(files.length).toBeGreaterThan(40)
  expect(files.filter((path) => aboutFile(path) === '')).toEqual([])
})
