import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { plainMachine, zoneNamed, zoneState } from '../../../test/zone-state'
import { MIB } from '../../util/units'
import { MIGRATE_HIGHATOMIC, MIGRATE_TYPES, ZONE_DMA32, ZONE_NORMAL } from './gfp'
import {
  ALLOC_HIGHATOMIC,
  ALLOC_MIN_RESERVE,
  ALLOC_NON_BLOCK,
  ALLOC_OOM,
  boostWatermark,
  mulFrac,
  watermarkLimit,
  WMARK_HIGH,
  wmark,
  zoneReclaimablePages,
  zoneWatermarkFast,
  zoneWatermarkOk,
  zoneWatermarkOkFor,
  type Zone,
} from './mmzone'
import { modStat, NR_FREE_PAGES, NR_ZONE_INACTIVE_ANON, NR_ZONE_INACTIVE_FILE } from './vmstat'

const vectors = JSON.parse(readFileSync(new URL('../../../test/vectors.json', import.meta.url), 'utf8')) as {
  watermark_limit: { mark: number; flags: ('MR' | 'NB' | 'OOM')[]; order0_fails_at_or_below: number }[]
}
const FLAG = { MR: ALLOC_MIN_RESERVE, NB: ALLOC_NON_BLOCK, OOM: ALLOC_OOM } as const

/** A zone with no free block of any order and exactly this many free pages in the counter. */
function zoneWithFree(free: number, series: '6.1' | '6.12' = '6.12'): Zone {
  const state = zoneState(plainMachine(64 * MIB, 1, series))
  const zone = zoneNamed(state, 0, 1)
  zone.nrFree.fill(0)
  zone.nrFreeType.fill(0)
  zone.lowmemReserve.fill(0)
  zone.stat[NR_FREE_PAGES] = free
  return zone
}

describe('the watermark check (02 §2.5, §2.11)', () => {
  test.each(vectors.watermark_limit)('E3: mark $mark with $flags fails at $order0_fails_at_or_below', (v) => {
    const flags = v.flags.reduce((sum, name) => sum | FLAG[name], 0)
    expect(watermarkLimit(v.mark, flags)).toBe(v.order0_fails_at_or_below)
    const zone = zoneWithFree(v.order0_fails_at_or_below)
    expect(zoneWatermarkOk(zone, 0, v.mark, ZONE_DMA32, flags)).toBe(false)
    modStat(zone.stat, NR_FREE_PAGES, 1)
    expect(zoneWatermarkOk(zone, 0, v.mark, ZONE_DMA32, flags)).toBe(true)
  })
  test('E8: a Normal request leaves its reserve in DMA32', () => {
    const zone = zoneWithFree(11347)
    zone.lowmemReserve[ZONE_NORMAL] = 4992
    expect(zoneWatermarkOk(zone, 0, 6355, ZONE_NORMAL, 0)).toBe(false)
    expect(zoneWatermarkOk(zone, 0, 6355, ZONE_DMA32, 0)).toBe(true)
    modStat(zone.stat, NR_FREE_PAGES, 1)
    expect(zoneWatermarkOk(zone, 0, 6355, ZONE_NORMAL, 0)).toBe(true)
  })
  test('a high order needs a block, not only pages', () => {
    const zone = zoneWithFree(100000)
    expect(zoneWatermarkOk(zone, 2, 10, ZONE_DMA32, 0)).toBe(false)
    zone.nrFree[3] = 1
    zone.nrFreeType[3 * MIGRATE_TYPES] = 1
    expect(zoneWatermarkOk(zone, 2, 10, ZONE_DMA32, 0)).toBe(true)
    expect(zoneWatermarkOk(zone, 4, 10, ZONE_DMA32, 0)).toBe(false)
  })
  test('the pages of the request itself must be above the mark', () => {
    const zone = zoneWithFree(103)
    zone.nrFree[2] = 1
    zone.nrFreeType[2 * MIGRATE_TYPES] = 1
    expect(zoneWatermarkOk(zone, 2, 100, ZONE_DMA32, 0)).toBe(false)
    modStat(zone.stat, NR_FREE_PAGES, 1)
    expect(zoneWatermarkOk(zone, 2, 100, ZONE_DMA32, 0)).toBe(true)
  })
  test('atomic reserve blocks count only for those who may use them', () => {
    const zone = zoneWithFree(600)
    zone.nrFreeHighatomic = 512
    zone.nrFree[9] = 1
    zone.nrFreeType[9 * MIGRATE_TYPES + MIGRATE_HIGHATOMIC] = 1
    expect(zoneWatermarkOk(zone, 0, 100, ZONE_DMA32, 0)).toBe(false)
    expect(zoneWatermarkOk(zone, 1, 100, ZONE_DMA32, ALLOC_MIN_RESERVE)).toBe(false)
    expect(zoneWatermarkOk(zone, 1, 100, ZONE_DMA32, ALLOC_MIN_RESERVE | ALLOC_HIGHATOMIC)).toBe(true)
  })
  test('6.1 subtracts what is reserved, 6.12 what of it is free', () => {
    const old = zoneWithFree(600, '6.1')
    old.nrReservedHighatomic = 512
    expect(zoneWatermarkOk(old, 0, 100, ZONE_DMA32, 0)).toBe(false)
    const now = zoneWithFree(600)
    now.nrReservedHighatomic = 512
    expect(zoneWatermarkOk(now, 0, 100, ZONE_DMA32, 0)).toBe(true)
  })
  test('a boost does not stop those who may use reserves at the min mark', () => {
    const zone = zoneWithFree(1000)
    zone.watermark[0] = 800
    zone.watermarkBoost = 2000
    expect(zoneWatermarkFast(zone, 0, wmark(zone, 0), ZONE_DMA32, 0)).toBe(false)
    expect(zoneWatermarkFast(zone, 0, wmark(zone, 0), ZONE_DMA32, ALLOC_MIN_RESERVE)).toBe(true)
    expect(zoneWatermarkOkFor(zone, 0, wmark(zone, 0), ZONE_DMA32, ALLOC_MIN_RESERVE, 1000)).toBe(false)
  })
})

describe('watermark boost (01 §1.7)', () => {
  test('a pageblock a time, up to one and a half times the high mark', () => {
    const state = zoneState(plainMachine(1024 * MIB))
    const zone = zoneNamed(state, 0, 1)
    zone.watermark[WMARK_HIGH] = 1000
    const seen = [1, 2, 3, 4].map(() => {
      expect(boostWatermark(state, zone)).toBe(true)
      return zone.watermarkBoost
    })
    expect(seen).toEqual([512, 1024, 1500, 1500])
  })
  test('at least one pageblock even when the high mark is small', () => {
    const state = zoneState(plainMachine(1024 * MIB))
    const zone = zoneNamed(state, 0, 1)
    zone.watermark[WMARK_HIGH] = 10
    boostWatermark(state, zone)
    expect(zone.watermarkBoost).toBe(512)
  })
  test('no boost when switched off, for tiny zones, or before marks exist', () => {
    const state = zoneState(plainMachine(1024 * MIB))
    const zone = zoneNamed(state, 0, 1)
    zone.watermark[WMARK_HIGH] = 0
    expect(boostWatermark(state, zone)).toBe(false)
    zone.watermark[WMARK_HIGH] = 1000
    zone.managed = 2047
    expect(boostWatermark(state, zone)).toBe(false)
    zone.managed = 200000
    state.sysctl.watermarkBoostFactor = 0
    expect(boostWatermark(state, zone)).toBe(false)
  })
})

test('reclaimable pages are file pages, anonymous ones with swap, and free ones when there is nothing', () => {
  const state = zoneState(plainMachine(64 * MIB))
  const zone = zoneNamed(state, 0, 1)
  zone.stat[NR_FREE_PAGES] = 459
  expect(zoneReclaimablePages(state, zone)).toBe(459)
  modStat(zone.stat, NR_ZONE_INACTIVE_ANON, 50)
  expect(zoneReclaimablePages(state, zone)).toBe(459)
  modStat(zone.stat, NR_ZONE_INACTIVE_FILE, 7)
  expect(zoneReclaimablePages(state, zone)).toBe(7)
})

test('mulFrac keeps the remainder', () => {
  expect(mulFrac(12345, 10, 10000)).toBe(12)
  expect(mulFrac(19999, 15000, 10000)).toBe(29998)
})
