import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  captureConfig,
  captureText,
  minFreeKbytes,
  parseZoneinfo,
  staticCaptures,
  type Capture,
} from '../../../test/static-captures'
import { machineConfig, zoneState } from '../../../test/zone-state'
import { layoutZones } from '../machine_layout'
import type { KernelState } from '../state'
import { ZONE_NAMES } from './gfp'
import { wmark } from './mmzone'
import { pcpHighMarks, vmstatThreshold, zoneBatchsize } from './pcp_size'
import {
  intSqrt,
  khugepagedMinFree,
  setupPerZoneLowmemReserve,
  setupPerZoneWmarks,
  thpMinFreePages,
  touchLowmemReserve,
  writeLowmemReserveRatio,
  writeMinFreeKbytes,
  writePercpuPagelistHighFraction,
  writeWatermarkScaleFactor,
} from './watermark'

interface Vectors {
  watermarks: {
    name: string
    managed: Record<string, number>
    min_free_kbytes: number
    scale_factor: number
    watermarks: Record<string, Record<string, number>>
    protection: Record<string, number[]>
  }[]
  min_free_kbytes: { lowmem_pages: number; kB: number }[]
  thp_min_free_kbytes: { zones: number; kB_uncapped: number }[]
  pcp: { managed: number; low: number; cpus: number; batch: number; high_min: number; high_max: number }[]
  vmstat_threshold: { managed: number; cpus: number; threshold: number }[]
}
const vectors = JSON.parse(readFileSync(new URL('../../../test/vectors.json', import.meta.url), 'utf8')) as Vectors

/** What zoneinfo prints of each zone's arithmetic, as lines that a diff can point at. */
function marksOf(state: KernelState): string[] {
  return state.zones.map((zone) => {
    const marks = [0, 1, 2].map((w) => wmark(zone, w)).join('/')
    const promo = zone.series === '6.1' ? '' : `/${wmark(zone, 3)}`
    const sizes = `${zone.spanned} ${zone.present} ${zone.managed}`
    const reserve = [...zone.lowmemReserve].join(',')
    const batch = zone.present === 0 ? '' : zone.pcp.map((p) => p.batch).join(',')
    const high = zone.present === 0 || zone.series !== '6.1' ? '' : zone.pcp.map((p) => p.high).join(',')
    return `N${zone.nid} ${ZONE_NAMES[zone.idx]} ${sizes} marks ${marks}${promo} reserve ${reserve} pcp ${batch} ${high}`
  })
}

function printedMarks(text: string, series: string): string[] {
  return parseZoneinfo(text).map((z) => {
    const v = z.values
    const marks = [v['min'], v['low'], v['high'], ...(series === '6.1' ? [] : [v['promo']])].join('/')
    const sizes = `${v['spanned']} ${v['present']} ${v['managed']}`
    const high = series === '6.1' ? z.highs.join(',') : ''
    return `N${z.nid} ${z.name} ${sizes} marks ${marks} reserve ${z.protection.join(',')} pcp ${z.batches.join(',')} ${high}`
  })
}

/** Does to the machine what the capture's name says was done to the real one. */
function applyVariant(state: KernelState, variant: string): void {
  const [, key, ...values] = variant.split('-')
  const numbers = values.map(Number)
  if (key === 'wsf') expect(writeWatermarkScaleFactor(state, numbers[0]!)).toBeUndefined()
  else if (key === 'mfk') expect(writeMinFreeKbytes(state, numbers[0]!)).toBeUndefined()
  else if (key === 'lrr') expect(writeLowmemReserveRatio(state, numbers)).toBeUndefined()
  else if (key === 'phf') expect(writePercpuPagelistHighFraction(state, numbers[0]!)).toBeUndefined()
  else throw new Error(`unknown variant ${variant}`)
}

const captures = staticCaptures()
const cases = captures.flatMap((c) => c.snapshots.map((s): [string, Capture, string] => [`${c.name}/${s}`, c, s]))

test('eighteen captured machines with their variants are compared', () => {
  expect(captures).toHaveLength(18)
  expect(cases.length).toBeGreaterThan(100)
})

describe('zones, marks, reserves and per-CPU lists equal the captured kernel', () => {
  test.each(cases)('%s', (_, capture, snapshot) => {
    const state = zoneState(captureConfig(capture, 'captured'))
    const series = state.config.series
    if (snapshot !== 'base') {
      // The snapshot's machine had written another sysctl before and set it back, and had read all sysctls.
      touchLowmemReserve(state)
      writeMinFreeKbytes(state, minFreeKbytes(capture, 'base'))
      state.sysctl.userMinFreeKbytes = -1
      applyVariant(state, snapshot)
    }
    expect(marksOf(state)).toEqual(printedMarks(captureText(capture, `${snapshot}/zoneinfo`), series))
    expect(state.sysctl.minFreeKbytes).toBe(minFreeKbytes(capture, snapshot))
  })
})

describe('vm stats thresholds equal the captured kernel', () => {
  test.each(captures)('$name', (capture) => {
    const state = zoneState(captureConfig(capture, 'captured'))
    const printed = parseZoneinfo(captureText(capture, 'base/zoneinfo'))
    const ours = state.zones.map((z) =>
      z.present === 0 ? [] : state.cpuNode.map(() => vmstatThreshold(z.managedAtBoot, state.cpuNode.length)),
    )
    expect(ours).toEqual(printed.map((z) => z.thresholds))
  })
})

describe('reservations that nobody described come near the captured ones', () => {
  test.each(captures.filter((c) => c.name !== 'static-1g-full612'))('$name: within 64 pages a zone', (capture) => {
    const ours = layoutZones(captureConfig(capture, 'model'))
    const printed = parseZoneinfo(captureText(capture, 'base/zoneinfo'))
    ours.forEach((zone, i) => {
      expect(
        Math.abs(zone.managed - printed[i]!.values['managed']!),
        `${zone.nid} ${ZONE_NAMES[zone.idx]}`,
      ).toBeLessThanOrEqual(64)
    })
  })
})

/** One node, 2 CPUs, whose zones manage exactly this many pages. */
function stateWithManaged(managed: Record<string, number>): KernelState {
  const GIB = 2 ** 30
  const end = managed['Normal'] === undefined ? 4 * GIB : 4 * GIB + (managed['Normal'] + 1024) * 4096
  const reservations = (['DMA', 'DMA32', 'Normal'] as const)
    .filter((n) => managed[n] !== undefined)
    .map((zone) => ({ nid: 0, zone, managed: managed[zone]!, returnedLate: 0 }))
  return zoneState(machineConfig({ nodes: [{ nid: 0, ranges: [{ start: 0, end }], cpus: [0, 1] }], reservations }))
}

describe('worked examples of spec 01 §1.11', () => {
  test.each(vectors.watermarks)('watermarks and protection: $name', (v) => {
    const state = stateWithManaged(v.managed)
    state.sysctl.minFreeKbytes = v.min_free_kbytes
    state.sysctl.watermarkScaleFactor = v.scale_factor
    setupPerZoneWmarks(state)
    setupPerZoneLowmemReserve(state)
    for (const [name, marks] of Object.entries(v.watermarks)) {
      const zone = state.zones[ZONE_NAMES.indexOf(name as 'DMA')]!
      expect({ name, marks: [0, 1, 2, 3].map((w) => wmark(zone, w)) }).toEqual({
        name,
        marks: [marks['min'], marks['low'], marks['high'], marks['promo']],
      })
      expect([...zone.lowmemReserve].slice(0, 4)).toEqual(v.protection[name])
    }
  })
  test.each(vectors.min_free_kbytes)('min_free_kbytes of $lowmem_pages pages is $kB', ({ lowmem_pages, kB }) => {
    expect(Math.min(262144, Math.max(128, intSqrt(lowmem_pages * 4 * 16)))).toBe(kB)
  })
  test.each(vectors.thp_min_free_kbytes)(
    'khugepaged asks $kB_uncapped kB of $zones zones',
    ({ zones, kB_uncapped }) => {
      expect(thpMinFreePages(zones) * 4).toBe(kB_uncapped)
    },
  )
  test.each(vectors.pcp)('pcp of $managed pages on $cpus CPUs', (v) => {
    expect(zoneBatchsize(v.managed)).toBe(v.batch)
    expect(pcpHighMarks(v, v.cpus, 0)).toEqual({ highMin: v.high_min, highMax: v.high_max })
  })
  test.each([
    [3840, 1],
    [50000, 15],
    [100000, 31],
    [262144, 63],
    [9e6, 63],
  ])('E8 batch of %i pages is %i', (managed, batch) => {
    expect(zoneBatchsize(managed)).toBe(batch)
  })
  test.each(vectors.vmstat_threshold)('threshold of $managed pages on $cpus CPUs', ({ managed, cpus, threshold }) => {
    expect(vmstatThreshold(managed, cpus)).toBe(threshold)
  })
})

describe('sysctls', () => {
  test("writing never to the THP switch recomputes from today's watermarks: 1 GiB machine gets 3841", () => {
    const capture = captures.find((c) => c.name === 'static-1g-2cpu')!
    const state = zoneState(captureConfig(capture, 'captured'))
    state.thpEnabled = 'never'
    khugepagedMinFree(state)
    expect(state.sysctl.minFreeKbytes).toBe(3841)
  })
  test('a user value survives the THP rule when it is larger', () => {
    const state = stateWithManaged({ DMA: 3840, DMA32: 765000, Normal: 1274880 })
    writeMinFreeKbytes(state, 200000)
    khugepagedMinFree(state)
    expect(state.sysctl.minFreeKbytes).toBe(200000)
  })
  test('values out of range are refused and change nothing', () => {
    const state = stateWithManaged({ DMA: 3840, DMA32: 765000 })
    const before = marksOf(state)
    expect(writeMinFreeKbytes(state, -1)).toBe('EINVAL')
    expect(writeWatermarkScaleFactor(state, 0)).toBe('EINVAL')
    expect(writeWatermarkScaleFactor(state, 3001)).toBe('EINVAL')
    expect(writePercpuPagelistHighFraction(state, 7)).toBe('EINVAL')
    expect(marksOf(state)).toEqual(before)
  })
  test('reading lowmem_reserve_ratio refreshes the protection: 439 at boot, 448 after', () => {
    const capture = captures.find((c) => c.name === 'static-512m-2cpu')!
    const state = zoneState(captureConfig(capture, 'captured'))
    expect(state.zones[0]!.lowmemReserve[1]).toBe(439)
    touchLowmemReserve(state)
    expect(state.zones[0]!.lowmemReserve[1]).toBe(448)
  })
})
