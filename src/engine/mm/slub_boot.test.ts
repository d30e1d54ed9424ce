import { describe, expect, test } from 'vitest'
import { captureConfig, captureText, staticCaptures } from '../../../test/static-captures'
import { bootMachine } from '../machine'
import type { KernelState } from '../state'
import { cacheNumber } from './slab_state'
import { slabCounts } from './slab_stat'
import { checkSlabs } from './slub_check'
import { NR_SLAB_RECLAIMABLE, NR_SLAB_UNRECLAIMABLE } from './vmstat'

const pages = (state: KernelState, item: number): number => state.nodes.reduce((sum, n) => sum + n.stat[item]!, 0)
const kib = (text: string, name: string): number => Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(text)![1])

// Captures of equal machines differ by 25 pages and by 5 %; nodes and the full kernel's drivers are not in the model.
describe.each(staticCaptures().map((c) => [c.name, c] as const))('%s', (_name, capture) => {
  const release = /Linux version (\S+)/.exec(captureText(capture, 'base/version'))![1]!
  const boot = (): KernelState => bootMachine({ ...captureConfig(capture, 'captured'), release }, 1)

  test('slab memory at boot is that of the captured machine', () => {
    const state = boot()
    const meminfo = captureText(capture, 'base/meminfo')
    const reclaimable = kib(meminfo, 'SReclaimable') / 4
    const unreclaimable = kib(meminfo, 'SUnreclaim') / 4
    expect(Math.abs(pages(state, NR_SLAB_RECLAIMABLE) - reclaimable)).toBeLessThan(35)
    expect(Math.abs(pages(state, NR_SLAB_UNRECLAIMABLE) / unreclaimable - 1)).toBeLessThan(0.07)
    expect(checkSlabs(state)).toEqual([])
  })

  test('each cache has the slabs of the captured machine, or is small', () => {
    const state = boot()
    const rows = captureText(capture, 'base/slabinfo').trim().split('\n').slice(2)
    let off = 0
    let all = 0
    for (const row of rows) {
      const [name = '', , , , , pagesPerSlab, , , , , , , , , slabs] = row.split(/\s+/)
      const ours = slabCounts(state, cacheNumber(state.slabs, name)).slabs
      off += Math.abs(ours - Number(slabs)) * Number(pagesPerSlab)
      all += Number(slabs) * Number(pagesPerSlab)
    }
    expect(off / all).toBeLessThan(0.25)
  })
})
