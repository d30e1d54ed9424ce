import { expect, test } from 'vitest'
import type { ZoneMarks, ZoneTrial } from '../../../protocol/sysctl-trial'
import { highDelta, nrChanges, trialColumns, trialGauge } from './trial-rows'

const marks = (more: Partial<ZoneMarks> = {}): ZoneMarks => ({
  min: 10,
  low: 12,
  high: 14,
  protection: [0, 448, 448, 448, 448],
  pcpHighMin: 4,
  pcpHighMax: 40,
  pcpBatch: 1,
  ...more,
})
const zone = (name: string, before: ZoneMarks, after = before): ZoneTrial => ({ nid: 0, zone: name, before, after })

test('reserves are named after the zones that a request could use instead', () => {
  const titles = (zones: readonly ZoneTrial[]): string[] => trialColumns(zones).map((column) => column.title)
  expect(titles([zone('DMA', marks()), zone('DMA32', marks())])).toEqual([
    'min',
    'low',
    'high',
    'from DMA32',
    'pcp high, least',
    'most',
    'batch',
  ])
})

test('a kernel whose per-CPU lists have one mark shows one', () => {
  const fixed = marks({ pcpHighMax: 4 })
  expect(trialColumns([zone('DMA', fixed)]).map((column) => column.title)).toEqual([
    'min',
    'low',
    'high',
    'pcp high',
    'batch',
  ])
})

test('changes are counted by figure, and high moves by pages', () => {
  const zones = [zone('DMA', marks(), marks({ min: 11, high: 20 })), zone('Normal', marks(), marks({ high: 13 }))]
  expect(nrChanges(zones)).toBe(3)
  expect(highDelta(zones)).toBe(5)
  expect(nrChanges([zone('DMA', marks())])).toBe(0)
})

test('old and new marks stand on one scale', () => {
  const { before, after } = trialGauge(zone('DMA', marks({ high: 20 }), marks({ min: 20, low: 30, high: 40 })), 104)
  expect(before[2]).toBe(51)
  expect(after).toEqual([51, 76, 101])
})
