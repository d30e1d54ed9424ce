import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { loadMachine, toConfig } from '../profiles/index'
import {
  CELL_UNREAD,
  FRAME_ANON,
  FRAME_FILE,
  FRAME_FREE,
  FRAME_HOLE,
  FRAME_HUGE,
  FRAME_KERNEL,
  FRAME_PCP,
  FRAME_PGTABLE,
  FRAME_RESERVED,
  FRAME_SLAB,
  NR_FRAME_OWNERS,
  PAGE_COLOURS,
  type PageMap,
  type PageRange,
} from '../protocol/page-map'
import { createHeadless, type Headless } from './headless'
import { mostFrequent } from './page-cells'
import { createPageMapMemory } from './page-levels'
import { pageInfo, pageMap, pageMapLayout } from './page-requests'
import { programs, realEngine } from './real-engine'
import type { Up } from './session-state'

const MS = 1_000_000
const config = (name: string) => {
  const text = readFileSync(new URL(`../../resources/machines/${name}.json`, import.meta.url), 'utf8')
  const profile = loadMachine(text, `${name}.json`)
  if (!profile.ok) throw new Error(profile.error.message)
  return toConfig(profile.value)
}

async function machineUnder(name: string, script: string): Promise<Headless> {
  const headless = createHeadless(config(name), 7, { engine: realEngine(), programs })
  await headless.runScript(script, { untilNs: 6000 * MS })
  return headless
}

const upOf = ({ machine }: Headless): Up => ({ machine, pages: createPageMapMemory() }) as unknown as Up

/** A clock on which time passes only between requests. */
const still = (): number => 0

function ask(up: Up, query: Partial<Parameters<typeof pageMap>[1]>, nowMs = still): PageMap {
  const reply = pageMap(up, { colour: 'owner', subject: '', shift: 0, ranges: [], whole: true, ...query }, nowMs)
  if (!reply.ok) throw new Error(`${reply.error.where}: ${reply.error.message}`)
  return reply.value
}

/** Every zone from its first frame to its last, in whole cells. */
const everything = (up: Up, shift: number): PageRange[] =>
  pageMapLayout(up.machine.state).zones.map(({ zone, startPfn, spanned }) => {
    const size = 2 ** shift
    const first = Math.floor(startPfn / size)
    return { zone, startPfn: first * size, cells: Math.ceil((startPfn + spanned) / size) - first }
  })

const STRESS = `
mkdir /sys/fs/cgroup/a
( echo $BASHPID > /sys/fs/cgroup/a/cgroup.procs; exec stress --vm 1 --vm-bytes 30M --timeout 8s ) &
stress --vm 1 --vm-bytes 60M --timeout 8s &
head -c 2M /dev/zero > /tmp/data
echo 8 > /proc/sys/vm/nr_hugepages
sleep 0.1
`

describe.each([
  ['vm-512m', STRESS],
  ['numa-4x1g-asym', STRESS],
  ['classic-1g', STRESS],
])('%s under pressure', (name, script) => {
  let up: Up
  let read: (path: string) => string
  beforeAll(async () => {
    const headless = await machineUnder(name, script)
    up = upOf(headless)
    read = (path) => {
      const text = headless.readFile(path)
      if (!text.ok) throw new Error(path)
      return text.value
    }
  })

  test('free and per-CPU pages of each zone are those of /proc/zoneinfo', () => {
    const { totals } = ask(up, {}).whole!
    const zones = read('/proc/zoneinfo').split(/^(?=Node \d)/m)
    for (const { zone, nid, name: zoneName, managed, present } of pageMapLayout(up.machine.state).zones) {
      const text = zones.find((part) => new RegExp(`^Node ${nid}, zone +${zoneName}\n`).test(part))!
      const of = (owner: number): number => totals[zone * NR_FRAME_OWNERS + owner]!
      const pcp = [...text.matchAll(/^ +count: (\d+)$/gm)].reduce((sum, match) => sum + Number(match[1]), 0)
      expect(of(FRAME_FREE)).toBe(Number(/nr_free_pages (\d+)/.exec(text)![1]))
      expect(of(FRAME_PCP)).toBe(pcp)
      const all = Array.from({ length: NR_FRAME_OWNERS }, (_, owner) => of(owner)).reduce((a, b) => a + b, 0)
      expect(all - of(FRAME_HOLE)).toBe(present)
      expect(present - of(FRAME_RESERVED)).toBe(managed)
    }
  })

  test('owners add up to /proc/meminfo', () => {
    const { totals } = ask(up, {}).whole!
    const sum = (owner: number): number =>
      totals.reduce((all, n, i) => all + (i % NR_FRAME_OWNERS === owner ? n : 0), 0)
    const kb = (label: string): number =>
      Number(new RegExp(`^${label.replace(/[()]/g, '\\$&')}: +(\\d+)`, 'm').exec(read('/proc/meminfo'))![1]) / 4
    expect(sum(FRAME_FREE)).toBe(kb('MemFree'))
    expect(sum(FRAME_SLAB)).toBe(kb('Slab'))
    expect(sum(FRAME_PGTABLE)).toBe(kb('PageTables'))
    expect(sum(FRAME_HUGE)).toBe(kb('Hugetlb'))
    expect(sum(FRAME_FILE)).toBe(kb('Cached') + kb('Buffers'))
    // Anonymous pages that no process maps any more, but the swap cache still has, are on lists and not in AnonPages.
    expect(sum(FRAME_ANON)).toBeGreaterThanOrEqual(kb('AnonPages'))
    expect(sum(FRAME_ANON)).toBeLessThanOrEqual(kb('AnonPages') + kb('SwapCached'))
    expect(sum(FRAME_KERNEL)).toBeGreaterThanOrEqual(kb('KernelStack'))
  })

  test('every frame in turn can say what it is, and its owner is that of the map', () => {
    const [range] = everything(up, 0).slice(-1)
    const { cells } = ask(up, { ranges: [range!] })
    for (let i = 0; i < cells.length; i += 97) {
      const info = pageInfo(up, range!.startPfn + i)
      if (!info.ok) throw new Error(info.error.message)
      if (info.value.nid >= 0) expect(info.value.owner, `pfn ${range!.startPfn + i}`).toBe(cells[i])
    }
  })
})

let small: Promise<Headless>
beforeAll(() => {
  small = machineUnder('vm-512m', 'true')
})
test.each([2, 4, 8, 9, 10, 12])('a cell of 2^%i frames has the kind of most of them', async (shift) => {
  const up = upOf(await small)
  for (const colour of PAGE_COLOURS.filter((c) => !['cgroup', 'process', 'slab'].includes(c))) {
    const fine = ask(up, {
      colour,
      shift: 0,
      ranges: everything(up, shift).map((r) => ({ ...r, cells: r.cells << shift })),
    })
    const coarse = ask(up, { colour, shift, ranges: everything(up, shift) })
    expect(coarse.staleCells).toBe(0)
    expect([...coarse.counts]).toEqual([...fine.counts])
    const wrong: number[] = []
    coarse.cells.forEach((kind, cell) => {
      const counts = new Float64Array(16)
      for (const one of fine.cells.subarray(cell << shift, (cell + 1) << shift)) counts[one]!++
      if (mostFrequent(counts) !== kind) wrong.push(cell)
    })
    expect(wrong).toEqual([])
  }
})

test('a reply that runs out of time says what is missing, and the next ones bring it', async () => {
  const headless = await machineUnder('vm-512m', STRESS)
  const up = upOf(headless)
  let ms = 0
  const fast = (): number => (ms += 10)
  const first = ask(up, { shift: 4, ranges: everything(up, 4) }, fast)
  expect(first.staleCells).toBeGreaterThan(0)
  expect(first.cells).toContain(CELL_UNREAD)
  let last = first
  for (let i = 0; i < 10 && last.staleCells > 0; i++) last = ask(up, { shift: 4, ranges: everything(up, 4) }, fast)
  expect(last.staleCells).toBe(0)
  expect([...last.cells]).toEqual([...ask(upOf(headless), { shift: 4, ranges: everything(up, 4) }).cells])
})

test('what is asked for by name, and what cannot be, is said in words', async () => {
  const headless = await machineUnder('vm-512m', STRESS)
  const up = upOf(headless)
  const pid = up.machine.state.taskList.findLast((p) => up.machine.state.tasks[p]!.comm === 'stress')!
  const own = ask(up, { colour: 'process', subject: String(pid), ranges: everything(up, 0) }).counts
  expect(own[5]! + own[6]!).toBeGreaterThan(300)
  const group = ask(up, { colour: 'cgroup', subject: '/a', ranges: everything(up, 0) }).counts
  expect(group[6]).toBeGreaterThan(300)
  const slab = ask(up, { colour: 'slab', subject: 'dentry', ranges: everything(up, 0) }).counts
  expect(slab[6]).toBeGreaterThan(0)
  const refused = (query: object): string => {
    const reply = pageMap(up, { colour: 'owner', subject: '', shift: 0, ranges: [], whole: false, ...query }, still)
    return reply.ok ? 'answered' : reply.error.code
  }
  expect(refused({ colour: 'process', subject: '99999' })).toBe('map/process')
  expect(refused({ colour: 'cgroup', subject: '/nowhere' })).toBe('map/group')
  expect(refused({ colour: 'slab', subject: 'nothing' })).toBe('map/slab')
  expect(refused({ colour: 'taste' })).toBe('map/query')
  expect(refused({ shift: 14 })).toBe('map/query')
  expect(refused({ shift: 2, ranges: [{ zone: 1, startPfn: 3, cells: 1 }] })).toBe('map/query')
  const beyond = pageInfo(up, up.machine.state.memmap.endPfn)
  expect(beyond.ok ? '' : `${beyond.error.message} ${beyond.error.fix}`).toContain('frames are 0 to 0x')
})
