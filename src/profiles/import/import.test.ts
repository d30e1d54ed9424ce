import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { previewMachine } from '../../engine/preview'
import { layoutZones } from '../../engine/machine_layout'
import { ZONE_NAMES } from '../../engine/mm/gfp'
import { formatMachine, loadMachine } from '../machine'
import { toConfig } from '../machine-config'
import { importCapture } from '.'
import { parseZoneinfo } from './zoneinfo'

const TRUTH = 'test/captures/truth'

function filesOf(folder: string): Record<string, string> {
  const out: Record<string, string> = {}
  const walk = (at: string): void => {
    for (const name of readdirSync(at)) {
      const path = join(at, name)
      if (statSync(path).isDirectory()) walk(path)
      else if (name.endsWith('.gz'))
        out[relative(folder, path).slice(0, -3)] = gunzipSync(readFileSync(path)).toString()
      else out[relative(folder, path)] = readFileSync(path, 'utf8')
    }
  }
  walk(folder)
  return out
}

const cases = readdirSync(TRUTH).filter((name) => name !== 'harness')
const statics = cases.filter((name) => name.startsWith('static-'))

function imported(name: string) {
  const files = filesOf(join(TRUTH, name))
  const profile = importCapture(files, name)
  if (!profile.ok) throw new Error(JSON.stringify(profile.error))
  return { files, profile: profile.value }
}

/** Of the first snapshot; kinds name it differently. */
function firstZoneinfo(files: Record<string, string>): string {
  const text = files['base/zoneinfo'] ?? files['before/zoneinfo'] ?? files['0-start/zoneinfo']
  if (text === undefined) throw new Error(`no zoneinfo among ${Object.keys(files).join(', ')}`)
  return text
}

describe('a captured case becomes a machine whose zones are those of the capture', () => {
  test.each(cases)('%s', (name) => {
    const { files, profile } = imported(name)
    const captured = parseZoneinfo(firstZoneinfo(files), name)
    if (!captured.ok) throw new Error(captured.error.message)
    const zones = layoutZones(toConfig(profile))
    const figures = (z: { nid: number; name: string; spanned: number; present: number; managed: number }) =>
      `${z.nid} ${z.name} ${z.spanned} ${z.present} ${z.managed}`
    expect(zones.map((z) => figures({ ...z, name: ZONE_NAMES[z.idx]! }))).toEqual(captured.value.map(figures))
  })
})

test('there are captures of every kind to import', () => {
  expect(statics.length).toBe(18)
  expect(cases.length).toBeGreaterThan(30)
})

describe('pages returned late are found in the zone where they were: watermarks and protection of boot follow', () => {
  // These labs wrote a sysctl or the THP switch before their snapshot, so it shows later values (spec 11 §1).
  const untouched = cases.filter(
    (name) => !name.includes('overcommit') && !name.startsWith('frag-') && !name.startsWith('fault-'),
  )
  test.each(untouched)('%s', (name) => {
    const { files, profile } = imported(name)
    const captured = parseZoneinfo(firstZoneinfo(files), name)
    if (!captured.ok) throw new Error(captured.error.message)
    const preview = previewMachine(toConfig(profile)).zones.filter((z) => z.present > 0)
    const populated = captured.value.filter((z) => z.present > 0)
    expect(preview.map((z) => [z.min, z.low, z.high])).toEqual(populated.map((z) => [z.min, z.low, z.high]))
    expect(preview.map((z) => [...z.protection])).toEqual(populated.map((z) => z.protection))
  })
})

test('the size of the vmalloc area tells four levels of page tables from five', () => {
  const { files } = imported('static-8g-2cpu')
  const four = Object.entries(files).map(([path, text]) => [path, text.replace('13743895347199 kB', '34359738367 kB')])
  const levels = (source: Readonly<Record<string, string>>) => {
    const profile = importCapture(source, 'host')
    if (!profile.ok) throw new Error(profile.error.message)
    return [profile.value.hardware?.fiveLevelPaging, toConfig(profile.value).fiveLevelPaging]
  }
  expect(levels(files)).toEqual([true, true])
  expect(levels(Object.fromEntries(four))).toEqual([undefined, undefined])
})

test('an imported profile is saved and loaded without a change', () => {
  for (const name of cases) {
    const { profile } = imported(name)
    const again = loadMachine(formatMachine(profile), `${name}.json`)
    expect(again).toEqual({ ok: true, value: profile })
  }
})
