import { expect, test } from 'vitest'
import { lruState, setFree, testZone } from '../../../test/lru-state'
import { zoneNamed } from '../../../test/zone-state'
import { allowDirectReclaim } from './direct_reclaim'
import { NR_FREE_PAGES, NR_ZONE_INACTIVE_ANON, NR_ZONE_INACTIVE_FILE, modStat } from './vmstat'

test('free pages of every zone with something to reclaim count for the reserves, anonymous pages with swap included', () => {
  const state = lruState({ swapSlots: 1000 })
  const zone = testZone(state)
  zone.watermark.set([600, 700, 800, 800])
  modStat(zone.stat, NR_ZONE_INACTIVE_FILE, 10)
  setFree(state, 100)
  expect(allowDirectReclaim(state, 0)).toBe(false)
  const dma = zoneNamed(state, 0, 0)
  dma.managed = 3000
  modStat(dma.stat, NR_FREE_PAGES, 460)
  modStat(dma.stat, NR_ZONE_INACTIVE_ANON, 10)
  expect(allowDirectReclaim(state, 0)).toBe(true)
})
