import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { captureConfig, captureText, hasCapture, staticCaptures, type Capture } from '../../../test/static-captures'
import { zoneState } from '../../../test/zone-state'
import type { KernelState } from '../state'
import { buddyinfoText } from './buddyinfo'
import { meminfoText, memAvailable } from './meminfo'
import { pagetypeinfoText } from './pagetypeinfo'
import { vmstatText } from './vmstat'
import { zoneinfoText } from './zoneinfo'

const captures = staticCaptures()

function stateOf(capture: Capture): KernelState {
  const config = captureConfig(capture, 'captured')
  const release = (JSON.parse(captureText(capture, 'machine.json')) as { kernel: string }).kernel
  return zoneState({ ...config, release, fiveLevelPaging: true })
}

/** Where columns are padded, the end of each number must be at the same place. */
const ends = (text: string): string => text.replace(/ *>?\d+/g, (run) => `${'_'.repeat(run.length - 1)}9`)

describe('/proc/zoneinfo has the captured layout to the byte', () => {
  test.each(captures)('$name', (capture) => {
    const state = stateOf(capture)
    const strip = (text: string): string => text.replace(/\d+$/gm, 'N')
    const protections = (text: string): string[] => text.match(/protection: .*/g)!
    expect(strip(zoneinfoText(state))).toBe(strip(captureText(capture, 'base/zoneinfo')))
    expect(protections(zoneinfoText(state))).toEqual(protections(captureText(capture, 'base/zoneinfo')))
  })
})

describe('/proc/buddyinfo and /proc/pagetypeinfo have the captured layout to the byte', () => {
  test.each(captures)('$name', (capture) => {
    const state = stateOf(capture)
    expect(ends(buddyinfoText(state))).toBe(ends(captureText(capture, 'base/buddyinfo')))
    expect(ends(pagetypeinfoText(state))).toBe(ends(captureText(capture, 'base/pagetypeinfo')))
  })
  test.each(captures)('$name: as many pageblocks in each zone', (capture) => {
    const blocks = (text: string): number[] =>
      text
        .split('\n')
        .filter((l) => /^Node \d, zone +\w+ +\d+ +\d+ +\d+ +\d+ +\d+ $/.test(l))
        .map((l) =>
          l
            .trim()
            .split(/ +/)
            .slice(4)
            .map(Number)
            .reduce((a, b) => a + b, 0),
        )
    expect(blocks(pagetypeinfoText(stateOf(capture)))).toEqual(blocks(captureText(capture, 'base/pagetypeinfo')))
  })
})

describe('/proc/meminfo has the captured rows and columns', () => {
  test.each(captures)('$name', (capture) => {
    expect(ends(meminfoText(stateOf(capture)))).toBe(ends(captureText(capture, 'base/meminfo')))
  })
  test.each(captures)('$name: MemTotal and VmallocTotal are equal', (capture) => {
    const rows = (text: string): string[] => text.match(/^(MemTotal|VmallocTotal|Percpu|Hugepagesize).*$/gm)!
    expect(rows(meminfoText(stateOf(capture)))).toEqual(rows(captureText(capture, 'base/meminfo')))
  })
  const vectors = JSON.parse(readFileSync(new URL('../../../test/vectors.json', import.meta.url), 'utf8')) as {
    mem_available: {
      free: number
      totalreserve: number
      low: number
      file_lru: number
      reclaimable: number
      available: number
    }[]
  }
  test.each(vectors.mem_available)('MemAvailable of $free free pages is $available', (v) => {
    expect(memAvailable({ ...v, fileLru: v.file_lru })).toBe(v.available)
  })
})

describe('/proc/vmstat lists the captured names in order', () => {
  test.each(captures.filter((c) => hasCapture(c, 'base/vmstat')))('$name', (capture) => {
    const names = (text: string): string[] =>
      text
        .trim()
        .split('\n')
        .map((l) => l.replace(/ \d+$/, ''))
    const state = stateOf(capture)
    expect(names(vmstatText(state))).toEqual(names(captureText(capture, 'base/vmstat')))
    const memmap = (text: string): string[] | null => text.match(/^nr_memmap.*$/gm)
    expect(memmap(vmstatText(state))).toEqual(memmap(captureText(capture, 'base/vmstat')))
  })
})

test('a long list is printed as more than 100000', () => {
  const state = stateOf(captures.find((c) => c.name === 'static-8g-2cpu')!)
  state.zones[2]!.nrFreeType[1] = 123456
  expect(pagetypeinfoText(state)).toContain('Node    0, zone   Normal, type      Movable >100000      0 ')
})

test('an untouched 512 MB machine prints this', () => {
  const state = stateOf(captures.find((c) => c.name === 'static-512m-2cpu')!)
  expect(buddyinfoText(state)).toMatchInlineSnapshot(`
    "Node 0, zone      DMA      0      0      0      0      0      0      0      0      1      1      3 
    Node 0, zone    DMA32      1      0      1      1      1      0      0      1      0      0    112 
    "
  `)
})
