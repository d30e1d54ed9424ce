import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  inactiveIsLowFor,
  inactiveRatio,
  scanCounts,
  scanFractions,
  unprotectedPages,
  type ScanBalance,
} from './scan_count'

interface Row {
  'inactive_anon,active_anon,inactive_file,active_file': number[]
  priority: number
  swappiness: number
  anon_cost: number
  file_cost: number
  mode: ScanBalance
  usage_protection: [number, number] | null
  ap: number
  fp: number
  scan: number[]
}
const vectors = JSON.parse(readFileSync(new URL('../../../../test/vectors.json', import.meta.url), 'utf8')) as {
  scan_count: Row[]
  inactive_ratio: { pages: number; ratio: number }[]
}

describe('pages to scan of each list (spec 05 §5.4, E1–E3)', () => {
  test.each(vectors.scan_count.map((row) => [`prio ${row.priority} s ${row.swappiness} ${row.mode}`, row] as const))(
    '%s',
    (_, row) => {
      const fractions = scanFractions(row.swappiness, row.anon_cost, row.file_cost)
      expect([fractions.anon, fractions.file]).toEqual([row.ap, row.fp])
      const [usage, protection] = row.usage_protection ?? [0, 0]
      const out: number[] = []
      scanCounts(
        {
          sizes: row['inactive_anon,active_anon,inactive_file,active_file'],
          priority: row.priority,
          balance: row.mode,
          fractions,
          protection: row.usage_protection === null ? undefined : { usage, protection },
          isOnline: true,
        },
        out,
      )
      expect(out).toEqual(row.scan)
    },
  )

  test('one pass at priority 12 over 3000000 cache pages scans 732 (E9, big cache)', () => {
    const out: number[] = []
    const fractions = scanFractions(60, 0, 0)
    const sizes = [0, 0, 3_000_000, 0]
    scanCounts({ sizes, priority: 12, balance: 'FILE', fractions, protection: undefined, isOnline: true }, out)
    expect(out).toEqual([0, 0, 732, 0])
  })

  test('a group that is gone is scanned although its lists are too short for the priority', () => {
    const out: number[] = []
    const fractions = scanFractions(60, 0, 0)
    scanCounts(
      { sizes: [10, 0, 100, 0], priority: 12, balance: 'FRACT', fractions, protection: undefined, isOnline: false },
      out,
    )
    expect(out).toEqual([3, 0, 23, 0])
  })

  test('protection scales the list and leaves at least 32 pages to scan (E3)', () => {
    expect(unprotectedPages(300_000, { usage: 750_000, protection: 250_000 })).toBe(200_001)
    expect(unprotectedPages(1000, { usage: 1000, protection: 1000 })).toBe(32)
  })
})

describe('balance of active and inactive (spec 05 §5.3, E4)', () => {
  test.each(vectors.inactive_ratio)('$pages pages allow $ratio active for one inactive', ({ pages, ratio }) => {
    expect(inactiveRatio(pages)).toBe(ratio)
  })
  test('below 1 GiB the inactive list is low as soon as it is shorter than the active one', () => {
    expect(inactiveIsLowFor(100, 100)).toBe(false)
    expect(inactiveIsLowFor(100, 101)).toBe(true)
  })
})
