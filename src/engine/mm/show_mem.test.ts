import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { captureConfig, staticCaptures } from '../../../test/static-captures'
import { zoneState } from '../../../test/zone-state'
import { ZONE_MOVABLE } from './gfp'
import { nodeListText, showMem } from './show_mem'

/** The Mem-Info block of a captured report, without time stamps. */
function capturedBlock(name: string): string[] {
  const text = readFileSync(new URL(`../../../test/captures/truth/${name}/dmesg-oom.txt`, import.meta.url), 'utf8')
  const lines = text.split('\n').map((line) => line.replace(/^\[ *\d+\.\d+\] /, ''))
  const start = lines.indexOf('Mem-Info:')
  return lines.slice(
    start,
    lines.findIndex((line, i) => i > start && line.startsWith('Tasks state')),
  )
}

/** Numbers, letters of migrate types and yes/no vary; everything else must be equal to the byte. */
const skeleton = (lines: readonly string[]): string[] =>
  lines.map((line) =>
    line
      .replace(/ \([UMEHCI]+\)/g, '')
      .replace(/(?<![A-Za-z_])\d+/g, 'N')
      .replace(/\? (yes|no)/, '? yes'),
  )

describe('the Mem-Info block has the captured lines', () => {
  test.each([
    ['oom-512m', 'static-512m-2cpu'],
    ['oom-512m-k61', 'static-2g-k61'],
  ])('%s', (report, machine) => {
    const capture = staticCaptures().find((c) => c.name === machine)!
    const state = zoneState(captureConfig(capture, 'captured'))
    expect(skeleton(showMem(state, ZONE_MOVABLE))).toEqual(skeleton(capturedBlock(report)))
  })
  test('the numbers of the 512 MB machine that do not depend on what runs are equal', () => {
    const capture = staticCaptures().find((c) => c.name === 'static-512m-2cpu')!
    const state = zoneState(captureConfig(capture, 'captured'))
    const fixed = (lines: readonly string[]): string[] =>
      lines.flatMap(
        (line) =>
          line.match(
            /^\d+ pages (RAM|reserved|HighMem.*)$|(min|low|high|present|managed|reserved_highatomic):\d+[kK]B/g,
          ) ?? [],
      )
    const ours = fixed(showMem(state, ZONE_MOVABLE))
    expect(ours).toEqual(fixed(capturedBlock('oom-512m')))
  })
})

test('buddy lines name the migrate types and sum up', () => {
  const capture = staticCaptures().find((c) => c.name === 'static-512m-2cpu')!
  const state = zoneState(captureConfig(capture, 'captured'))
  expect(showMem(state, ZONE_MOVABLE).find((line) => line.startsWith('Node 0 DMA:'))).toBe(
    'Node 0 DMA: 0*4kB 0*8kB 0*16kB 0*32kB 0*64kB 0*128kB 0*256kB 0*512kB 1*1024kB (M) 1*2048kB (M) 3*4096kB (M) = 15360kB',
  )
})

test('zones above the request are left out', () => {
  const capture = staticCaptures().find((c) => c.name === 'static-4g-4cpu')!
  const state = zoneState(captureConfig(capture, 'captured'))
  expect(showMem(state, 1).filter((line) => line.includes('Normal'))).toEqual([])
})

test.each([
  [[0], '0'],
  [[0, 1], '0-1'],
  [[0, 2, 3], '0,2-3'],
  [[], ''],
])('nodes %j are printed as %s', (nids, text) => {
  expect(nodeListText(nids)).toBe(text)
})
