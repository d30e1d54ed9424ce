import { expect, test } from 'vitest'
import { gaugeScale, watermarkState } from './gauge'

const zone = { free: 665, min: 659, low: 823, high: 987, width: 184 }

test('the marks stand in order and free stands between them', () => {
  const scale = gaugeScale(zone)
  expect(scale.minX).toBeLessThan(scale.lowX)
  expect(scale.lowX).toBeLessThan(scale.highX)
  expect(scale.freeX).toBeLessThan(scale.lowX)
  expect(scale.isOff).toBe(false)
})

test('free far above high is off the scale', () => {
  expect(gaugeScale({ ...zone, free: 50_000 })).toMatchObject({ isOff: true, freeX: 178 })
})

test('a zone below min is in danger, below low a warning', () => {
  expect(watermarkState({ ...zone, free: 600 })).toBe('danger')
  expect(watermarkState(zone)).toBe('warn')
  expect(watermarkState({ ...zone, free: 900 })).toBe('ok')
})
