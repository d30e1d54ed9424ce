import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { addProcess, makeGroup, memcgState, runAs } from '../../../test/memcg-state'
import type { KernelSeries } from '../config'
import { writeSubtreeControl } from '../cgroup'
import type { KernelState } from '../state'
import { GFP_ANON_FAULT, GFP_KERNEL } from './gfp'
import { MEMCG_STATS, modMemcgState } from './memcg_stat'
import { memcgOutOfMemory, outOfMemory } from './oom_kill'
import { pageCounterCharge } from './page_counter'

/** Lines of a captured report: no time stamps, no registers, no frames that the unwinder itself doubts. */
function captured(name: string): string[] {
  const url = new URL(`../../../test/captures/truth/${name}/dmesg-oom.txt`, import.meta.url)
  return readFileSync(url, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^\[ *[\d.]+\] /, ''))
    .filter((line) => !/^(RIP:|Code:|RSP:|R[A-Z0-9]{2}:| \?)/.test(line))
}
const printed = (state: KernelState): string[] =>
  state.klog.map((line) => line.text).filter((line) => !line.startsWith(' ? '))

/** Puts the values of the captured lines into the group's own counters. */
function loadStats(state: KernelState, memcg: number, lines: readonly string[]): void {
  for (let item = 0; item < MEMCG_STATS.length; item++) {
    const { name, unitBytes } = MEMCG_STATS[item]!
    const value = lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1)
    if (value !== undefined) modMemcgState(state, memcg, item, Number(value) / (unitBytes || 1))
  }
}

/** A machine in which group /a is full and the processes of a captured task table live. */
function fullGroup(series: KernelSeries, lines: readonly string[]): { state: KernelState; memcg: number } {
  const state = memcgState({ series, cpus: 2 })
  writeSubtreeControl(state, 1, '+cpuset')
  const a = makeGroup(state, '/a')
  a.memory.max = 25600
  pageCounterCharge(state.memcgs, a.id, 'memory', 25600)
  loadStats(state, a.id, lines)
  for (const line of lines) addRow(state, series, line)
  return { state, memcg: a.id }
}

/** One row of the task table becomes a process. */
function addRow(state: KernelState, series: KernelSeries, line: string, group = '/a'): void {
  const match = /^\[ *(\d+)\] +\d+ +\d+ +(.*) (\S+)$/.exec(line)
  if (match === null) return
  const n = match[2]!.trim().split(/ +/).map(Number)
  const [pid, comm] = [Number(match[1]), match[3]!]
  // 6.1 prints only the sum; its kill line shows how it is made up.
  if (series === '6.1') {
    const [totalVm = 0, rss = 0, pgtablesBytes = 0, swap = 0, adj = 0] = n
    addProcess(state, { pid, comm, group, totalVm, anon: rss - 173, file: 1, shmem: 172, pgtablesBytes, swap, adj })
    return
  }
  const [totalVm = 0, , anon = 0, file = 0, shmem = 0, pgtablesBytes = 0, swap = 0, adj = 0] = n
  addProcess(state, { pid, comm, group, totalVm, anon, file, shmem, pgtablesBytes, swap, adj })
}

test.each([
  ['6.12', 'cg-oom-max100-hog200', 177, 0, 24],
  ['6.1', 'cg-oom-max100-hog200-k61', 133, 1, 19],
  ['6.12', 'cg-oomgroup1-100', 175, 1, 71],
] as const)('%s: the report of %s, to the byte', (series, name, pid, cpu, failcnt) => {
  const lines = captured(name)
  const { state, memcg } = fullGroup(series, lines)
  state.memcgs[memcg]!.memory.failcnt = failcnt
  state.memcgs[memcg]!.oomGroup = name.includes('group1')
  runAs(state, pid, cpu)
  memcgOutOfMemory(state, memcg, GFP_KERNEL, 0)
  expect(printed(state)).toEqual(lines)
  expect(state.oomReports[0]!.lines.filter((line) => !line.startsWith(' ? '))).toEqual(lines)
})

/** Numbers and migrate-type letters replaced: the layout is left. */
const skeleton = (line: string): string =>
  /^( |\[ |CPU|Hardware|Out of memory|oom-kill)/.test(line)
    ? line
    : line
        .replace(/ \([UMEH]+\)/g, '')
        .replace(/\d+/g, '#')
        .replace(/yes$|no$/, 'yes/no')

test.each([
  ['6.12', 'oom-512m', 181, 1],
  ['6.1', 'oom-512m-k61', 138, 0],
] as const)('%s: the layout of the report of %s', (series, name, pid, cpu) => {
  const lines = captured(name)
  const state = memcgState({ series, cpus: 2 })
  for (const line of lines) if (series === '6.12' || line.includes('] ')) addRow(state, series, line, '/')
  runAs(state, pid, cpu)
  outOfMemory(state, { memcg: 0, gfp: GFP_ANON_FAULT, order: 0 })
  const layout = (all: readonly string[]): string[] =>
    all.filter((line) => !/^ (active_file|unevictable|slab|mapped|free|sec|kernel_misc)/.test(line)).map(skeleton)
  expect(layout(printed(state))).toEqual(layout(lines))
})
