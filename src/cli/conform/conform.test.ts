import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readCase, type TruthCase } from './cases'
import { compareFigures, fits } from './compare'
import { parseCgroupDump, keyed } from './parse/cgroup'
import { parseOomLog } from './parse/oom-log'
import { compareCase, isComparable } from './report'

const TRUTH = 'test/captures/truth'
const names = readdirSync(TRUTH).filter((name) => name !== 'harness')

function load(name: string): TruthCase {
  const truth = readCase(TRUTH, name)
  if (!truth.ok) throw new Error(truth.error.message)
  return truth.value
}

describe('a capture agrees with itself in every figure, and every figure has a band', () => {
  test.each(names)('%s', (name) => {
    const { files, traits } = load(name)
    expect(isComparable(traits)).toBe(true)
    const verdicts = compareCase(files, files, traits)
    expect(verdicts.filter((v) => !v.agrees)).toEqual([])
    expect(verdicts.length).toBeGreaterThan(6)
  })
})

describe('repeated captures of one case agree within the bands', () => {
  test.each([
    ['oom-512m', 'oom-512m-r2'],
    ['oom-512m', 'oom-512m-r3'],
    ['oom-512m-r2', 'oom-512m-r3'],
    ['cg-protect-low64-classic', 'cg-protect-low64-classic-r2'],
    ['cg-protect-low64-classic', 'cg-protect-low64-classic-r3'],
    ['cg-protect-low64-mglru', 'cg-protect-low64-mglru-r2'],
    ['cg-protect-low64-mglru-r2', 'cg-protect-low64-mglru-r3'],
  ])('%s and %s', (a, b) => {
    const real = load(a)
    const verdicts = compareCase(real.files, load(b).files, real.traits)
    expect(verdicts.filter((v) => !v.agrees)).toEqual([])
  })
})

test('an exact figure that is one off differs, and so does one that is missing', () => {
  const { traits } = load('static-1g-2cpu')
  const figure = (value: number) => [{ name: 'base N0/DMA min', value }]
  expect(compareFigures(figure(176), figure(176), traits)[0]!.agrees).toBe(true)
  expect(compareFigures(figure(176), figure(177), traits)[0]!.agrees).toBe(false)
  expect(compareFigures(figure(176), [], traits)).toEqual([
    expect.objectContaining({ real: '176', simulated: 'absent', agrees: false }),
  ])
  expect(compareFigures([], figure(1), traits)[0]!.agrees).toBe(false)
})

test.each([
  [{ kind: 'near', abs: 5 } as const, 100, 105, true],
  [{ kind: 'near', abs: 5 } as const, 100, 106, false],
  [{ kind: 'near', percent: 1 } as const, 1000, 990, true],
  [{ kind: 'near', percent: 1 } as const, 1000, 989, false],
  [{ kind: 'range', min: 35, max: 47 } as const, 36, 47, true],
  [{ kind: 'range', min: 35, max: 47 } as const, 36, 48, false],
  [{ kind: 'sameSign' } as const, 14, 1, true],
  [{ kind: 'sameSign' } as const, 14, 0, false],
])('band %j: real %d and simulated %d', (band, real, simulated, agrees) => {
  expect(fits(band, real, simulated)).toBe(agrees)
})

describe('parsers', () => {
  test('a group kill is one report with a victim twice', () => {
    const reports = parseOomLog(load('cg-oomgroup1-100').files['dmesg-oom.txt']!)
    expect(reports.length).toBe(1)
    expect(reports[0]!.victims.map((v) => v.name)).toEqual(['hog80', 'hog20', 'hog30', 'hog80'])
    expect(reports[0]!.constraint).toBe('CONSTRAINT_MEMCG')
    expect(reports[0]!.domain).toBe(
      'oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=a,mems_allowed=0,oom_memcg=/a,task_memcg=/a',
    )
    expect(reports[0]!.tasks).toEqual(['hog20', 'hog30', 'hog80'])
  })

  test('the layout of a report forgets numbers, names and traces, and keeps words and columns', () => {
    const [report] = parseOomLog(load('oom-512m').files['dmesg-oom.txt']!)
    expect(report!.layout).toContain('NAME invoked oom-killer: gfp_mask=GFP, order=N, oom_score_adj=N')
    expect(report!.layout).toContain(' <TASK> … </TASK>')
    expect(report!.layout).toContain('task row, numbers end in columns 8 15 21 30 39 48 57 67 76 85 99')
    expect(report!.layout).toContain('N pages in swap cache')
    const shifted = parseOomLog(
      load('oom-512m').files['dmesg-oom.txt']!.replace('pages in swap cache', 'pages in the swap cache'),
    )
    expect(shifted[0]!.layout).not.toEqual(report!.layout)
  })

  test('a dump of a cgroup is its files', () => {
    const dump = parseCgroupDump(load('cg-oom-max100-hog200').files['cg/a.txt']!)
    expect(dump.files['memory.peak']).toBe('104857600')
    expect(keyed(dump.files['memory.events'])).toEqual({
      low: 0,
      high: 0,
      max: 36,
      oom: 1,
      oom_kill: 1,
      oom_group_kill: 0,
    })
    expect(dump.files['cgroup.procs']).toBe('')
  })
})

test('folders that are no truth are refused with the reason', async () => {
  const { findCases } = await import('./cases')
  const said = (folder: string, named: string[] = []): string => {
    const found = findCases(folder, named)
    return found.ok ? 'accepted' : found.error.message
  }
  expect(said('nowhere')).toBe('This is not a folder.')
  expect(said(join(TRUTH, 'static-1g-2cpu'))).toBe('There is no harness/fn.sh in it.')
  expect(said(TRUTH, ['static-1g'])).toBe('There is no such case.')
  expect(said(TRUTH, ['static-1g-2cpu'])).toBe('accepted')
})
