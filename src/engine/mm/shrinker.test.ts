import { describe, expect, test } from 'vitest'
import { plainMachine, zoneState } from '../../../test/zone-state'
import { MIB } from '../../util/units'
import type { KernelState } from '../state'
import { SHRINK_STOP, doShrinkSlab, type Shrinker } from './shrinker'

const state = (): KernelState => zoneState(plainMachine(16 * MIB))
const at = (priority: number) => ({ nid: 0, memcg: 0, gfp: 0xcc0, priority })
const shrinker = (freeable: number, batch: number, seeks: number, asked: number[] = []): Shrinker => ({
  id: 7,
  batch,
  seeks,
  count: () => freeable,
  scan: (_state, { nr }) => {
    asked.push(nr)
    return nr
  },
})

describe('how much a round scans (spec 03 §3.12)', () => {
  test('E4: what is put off at low priorities is done at higher ones', () => {
    const s = state()
    const rows: string[] = []
    for (let priority = 12; priority >= 6; priority--) {
      doShrinkSlab(s, shrinker(150_000, 1024, 2), at(priority))
      rows.push(`${priority}: ${Object.values(s.shrinkers.deferred)[0]}`)
    }
    expect(rows).toEqual(['12: 72', '11: 218', '10: 510', '9: 1094', '8: 1240', '7: 1534', '6: 2124'])
  })

  test('E5: 100 objects', () => {
    const s = state()
    const asked: number[] = []
    doShrinkSlab(s, shrinker(100, 128, 2, asked), at(12))
    expect(asked).toEqual([])
    doShrinkSlab(s, shrinker(100, 128, 2, asked), at(0))
    expect(asked).toEqual([128])
    expect(Object.values(s.shrinkers.deferred)).toEqual([72])
  })

  test('E6: without seeks it is half of what is there', () => {
    const s = state()
    const asked: number[] = []
    doShrinkSlab(s, shrinker(5000, 128, 0, asked), at(12))
    expect(asked).toEqual(Array.from({ length: 19 }, () => 128))
    expect(Object.values(s.shrinkers.deferred)).toEqual([68])
  })

  test('a shrinker that cannot go on stops the round, and its work is put off', () => {
    const s = state()
    const stuck: Shrinker = { ...shrinker(5000, 128, 2), scan: () => SHRINK_STOP }
    expect(doShrinkSlab(s, stuck, at(0))).toBe(0)
    expect(s.shrinkers.scanned).toBe(0)
    expect(Object.values(s.shrinkers.deferred)).toEqual([10_000])
  })

  test('an empty cache forgets nothing and scans nothing', () => {
    const s = state()
    const asked: number[] = []
    doShrinkSlab(s, shrinker(0, 128, 2, asked), at(0))
    expect(asked).toEqual([])
  })
})
