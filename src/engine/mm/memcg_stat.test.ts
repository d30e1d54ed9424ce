import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { makeGroup, memcgState } from '../../../test/memcg-state'
import {
  MEMCG_STAT_ANON,
  MEMCG_STAT_KERNEL_STACK,
  MEMCG_STAT_PGFAULT,
  MEMCG_STAT_PGSCAN_DIRECT,
  MEMCG_STAT_PGSCAN_KSWAPD,
  MEMCG_STAT_SLAB_RECLAIMABLE,
  MEMCG_STAT_SLAB_UNRECLAIMABLE,
  MEMCG_STATS,
  memcgNumaStatText,
  memcgState as memcgValue,
  memcgStatText,
  modMemcgState,
  NR_MEMCG_STATS,
} from './memcg_stat'
import { offlineMemcg, releaseDeadMemcgs } from './memcontrol'

/** All memory.* files of the captured group, by name. */
function capturedFiles(name: string): Record<string, string> {
  const url = new URL(`../../../test/captures/truth/${name}/cg/a.txt`, import.meta.url)
  const parts = readFileSync(url, 'utf8').split(/^# (.*)\n/m)
  const files: Record<string, string> = {}
  for (let i = 1; i < parts.length; i += 2) files[parts[i]!] = parts[i + 1]!
  return files
}
const skeleton = (text: string): string => text.replace(/=\d+|(?<= )\d+/g, '#')

test.each([
  ['6.12', 'cg-oom-max100-hog200'],
  ['6.1', 'cg-oom-max100-hog200-k61'],
] as const)('%s: memory.stat and memory.numa_stat have the captured keys in the captured order', (series, name) => {
  const state = memcgState({ series })
  const a = makeGroup(state, '/a')
  const files = capturedFiles(name)
  expect(skeleton(memcgStatText(state, a.id))).toBe(skeleton(files['memory.stat']!))
  expect(skeleton(memcgNumaStatText(state, a.id))).toBe(skeleton(files['memory.numa_stat']!))
})

test('the table names every index once', () => {
  expect(MEMCG_STATS.length).toBe(NR_MEMCG_STATS)
  expect(MEMCG_STATS[MEMCG_STAT_PGSCAN_DIRECT]!.name).toBe('pgscan_direct')
  expect(new Set(MEMCG_STATS.map((item) => item.name)).size).toBe(NR_MEMCG_STATS)
})

test('values are bytes of the whole subtree; counts stay counts', () => {
  const state = memcgState()
  const parent = makeGroup(state, '/p')
  const child = makeGroup(state, '/p/c')
  modMemcgState(state, parent.id, MEMCG_STAT_ANON, 2)
  modMemcgState(state, child.id, MEMCG_STAT_ANON, 3)
  modMemcgState(state, child.id, MEMCG_STAT_KERNEL_STACK, 16)
  modMemcgState(state, child.id, MEMCG_STAT_SLAB_RECLAIMABLE, 1112)
  modMemcgState(state, child.id, MEMCG_STAT_SLAB_UNRECLAIMABLE, 1384)
  modMemcgState(state, child.id, MEMCG_STAT_PGSCAN_KSWAPD, 5)
  modMemcgState(state, child.id, MEMCG_STAT_PGSCAN_DIRECT, 6)
  const stat = memcgStatText(state, parent.id).split('\n')
  for (const line of ['anon 20480', 'kernel_stack 16384', 'slab 2496', 'pgscan 11', 'pgscan_direct 6']) {
    expect(stat).toContain(line)
  }
  expect(memcgValue(state, child.id, MEMCG_STAT_ANON)).toBe(3 * 4096)
})

test('what a removed group counted stays in its parent', () => {
  const state = memcgState()
  const parent = makeGroup(state, '/p')
  const child = makeGroup(state, '/p/c')
  modMemcgState(state, child.id, MEMCG_STAT_PGFAULT, 7)
  offlineMemcg(state, child.id)
  releaseDeadMemcgs(state)
  expect(state.memcgs[child.id]).toBeUndefined()
  expect(memcgValue(state, parent.id, MEMCG_STAT_PGFAULT)).toBe(7)
})
