import { expect, test } from 'vitest'
import type { SeriesWindow } from '../../protocol/messages'
import { chartColors } from './palette'
import { psiChart } from './psi'
import { rateChart, rateNames, rateOf } from './rates'
import { RATE_TRACKS, SCAN_TRACK } from './rate-tracks'
import { spreadLabels } from './base'
import { freeScale, watermarkChart, watermarkNames } from './watermarks'
import { overviewChart } from './overview'

const colors = chartColors((name) => name)
const view = { fromNs: 0, toNs: 4e9 }
const untilNs = 3e9

function windowOf(columns: Record<string, readonly number[]>): SeriesWindow {
  const length = Object.values(columns)[0]?.length ?? 0
  const series = Object.entries(columns).map(([name, values]) => {
    const column = Float64Array.from(values)
    return { name, min: column, max: column, last: column }
  })
  return { ...view, times: Float64Array.from({ length }, (_, i) => i * 1e9), series }
}
const zone = windowOf({
  'z:free': [5000, 900, 600, 800],
  'z:min': [659, 659, 659, 659],
  'z:low': [823, 823, 823, 823],
  'z:high': [987, 987, 987, 987],
})

interface Drawn {
  name: string
  data: Float64Array
  lineStyle: { type: unknown; width: number }
  areaStyle?: { opacity: number }
  smooth?: unknown
}
const drawn = (option: object): Drawn[] => (option as { series: Drawn[] }).series

test('min is solid, low dashed, high dotted: told apart without colour', () => {
  const lines = drawn(watermarkChart({ view, untilNs, colors, data: zone, zone: 'z', scaleMax: 2000 }))
  const dash = (name: string): unknown => lines.find((line) => line.name === name)!.lineStyle.type
  expect([dash('min'), dash('low'), dash('high')]).toEqual(['solid', [5, 3], [1, 3]])
})

test('below min is tinted by seven percent', () => {
  const tint = drawn(watermarkChart({ view, untilNs, colors, data: zone, zone: 'z', scaleMax: 2000 })).find(
    (line) => line.name === 'below min',
  )
  expect(tint!.areaStyle!.opacity).toBe(0.07)
})

test('the range stays at the marks although free is far above, unless all is asked for', () => {
  expect(freeScale(zone, 'z', 'marks')).toBe(2000)
  expect(freeScale(zone, 'z', 'all')).toBe(6000)
})

test('a zone’s chart asks for four series', () =>
  expect(watermarkNames('zone:0:DMA32')).toEqual([
    'zone:0:DMA32:free',
    'zone:0:DMA32:min',
    'zone:0:DMA32:low',
    'zone:0:DMA32:high',
  ]))

test('no chart moves, smooths or has a tooltip', () => {
  const options = [
    watermarkChart({ view, untilNs, colors, data: zone, zone: 'z', scaleMax: 2000 }),
    rateChart({
      view,
      untilNs,
      colors,
      track: SCAN_TRACK,
      data: windowOf({ 'vmstat:pgscan_kswapd': [0, 100, 300, 300] }),
    }),
    psiChart({
      view,
      untilNs,
      colors,
      data: windowOf({ 'psi:some:avg10': [0, 10, 41, 30], 'psi:full:avg10': [0, 1, 15, 9] }),
    }),
    overviewChart({ view, untilNs, colors, data: zone, name: 'z:free' }),
  ]
  for (const option of options) {
    expect(option['animation']).toBe(false)
    expect(option['tooltip']).toBeUndefined()
    expect(JSON.stringify(option['aria'])).toContain('description')
    for (const line of drawn(option)) expect(line.smooth).toBeUndefined()
  }
})

test('data go to the chart as flat typed columns', () => {
  for (const line of drawn(
    psiChart({ view, untilNs, colors, data: windowOf({ 'psi:some:avg10': [0, 10, 41, 30] }) }),
  )) {
    expect(line.data).toBeInstanceOf(Float64Array)
  }
})

test('scan and steal of one track share a colour and differ by dash', () => {
  const lines = drawn(
    rateChart({
      view,
      untilNs,
      colors,
      track: SCAN_TRACK,
      data: windowOf({ 'vmstat:pgscan_direct': [0, 1, 2, 3], 'vmstat:pgsteal_direct': [0, 1, 1, 1] }),
    }),
  )
  expect(lines.map((line) => line.lineStyle.type)).toEqual(['solid', [2, 2], 'solid', [2, 2], 'solid', [2, 2]])
})

test('what a group’s limit makes reclaim scan is all scans less those of kswapd, tasks and khugepaged', () => {
  const data = windowOf({
    'vmstat:pgscan_anon': [0, 300, 600, 900],
    'vmstat:pgscan_file': [0, 1000, 2000, 3000],
    'vmstat:pgscan_kswapd': [0, 700, 1400, 2100],
    'vmstat:pgscan_direct': [0, 50, 100, 150],
    'vmstat:pgscan_khugepaged': [0, 0, 0, 0],
  })
  expect([
    ...rateOf(
      data,
      SCAN_TRACK.lines.find((line) => line.name === 'pgscan memcg')!,
    )!,
  ]).toEqual([550, 550, 550, 550])
})

test('file I/O is what went through devices, in pages, without swap', () => {
  const data = windowOf({ 'vmstat:pgpgin': [0, 4000, 8000, 12_000], 'vmstat:pswpin': [0, 400, 800, 1200] })
  const line = RATE_TRACKS.flatMap((track) => track.lines).find(({ name }) => name === 'files in')!
  expect([...rateOf(data, line)!]).toEqual([600, 600, 600, 600])
})

test('every line of a track of rates is told apart by colour and dash, and asks for its counters once', () => {
  for (const track of RATE_TRACKS) {
    expect(new Set(track.lines.map((line) => `${line.color} ${line.isDashed}`)).size).toBe(track.lines.length)
    expect(new Set(rateNames(track)).size).toBe(rateNames(track).length)
    for (const { part, whole } of track.shares)
      expect(track.lines.map((line) => line.name)).toEqual(expect.arrayContaining([part, whole]))
  }
})

test('PSI without pressure keeps a readable axis', () => {
  const option = psiChart({ view, untilNs, colors, data: windowOf({ 'psi:some:avg10': [0, 0, 0, 0] }) })
  expect((option['yAxis'] as { max: number }).max).toBe(10)
})

test('labels of lines that nearly touch stay readable, in their order and inside the track', () => {
  expect(spreadLabels([50, 52, 54], 12, 140)).toEqual([50, 62, 74])
  expect(spreadLabels([130, 132, 134], 12, 140)).toEqual([116, 128, 140])
  expect(spreadLabels([10, 60, 90], 12, 140)).toEqual([10, 60, 90])
})
