import { expect, test } from 'vitest'
import type { OomCandidate, OomReport } from '../../../protocol/messages'
import { readReport, rssByPid, savers, scoreRows, whatIfs } from './report'

const candidate = (pid: number, comm: string, rssPages: number, more: Partial<OomCandidate> = {}): OomCandidate => ({
  pid,
  comm,
  rssPages,
  swapPages: 0,
  pgtablePages: 0,
  adj: 0,
  adjPages: 0,
  points: rssPages,
  spared: '',
  chosen: false,
  ...more,
})
// As a real kernel printed it, shortened.
const report: OomReport = {
  atNs: 17_779_492_000,
  constraint: 'CONSTRAINT_NONE',
  oomMemcg: '',
  totalPages: 118685,
  allocator: { pid: 181, comm: 'hog' },
  victim: { pid: 181, comm: 'hog' },
  candidates: [
    candidate(164, 'db', 30892, { pgtablePages: 70, points: 30962 }),
    candidate(181, 'hog', 42508, { pgtablePages: 92, points: 42600, chosen: true }),
    candidate(180, 'mm', 1836, { adj: -1000, adjPages: -118000, points: 0, spared: 'oom_score_adj -1000' }),
  ],
  lines: [
    'hog invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO), order=0, oom_score_adj=0',
    'Call Trace:',
    ' <TASK>',
    ' dump_stack_lvl+0x5d/0x80',
    ' </TASK>',
    'Mem-Info:',
    'Node 0 DMA free:1836kB boost:0kB min:88kB low:108kB high:128kB',
    'Node 0 DMA32 free:2556kB boost:0kB min:2636kB low:3292kB high:3948kB',
    'Free swap  = 0kB',
    'Total swap = 0kB',
    '[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name',
    '[    181]     0   181   102729    42508    42336        0       172   376832        0             0 hog',
    'Out of memory: Killed process 181 (hog) total-vm:410916kB',
  ],
  explanation: [],
}

test('the notes point at the lines that decided', () => {
  const { lines, notes } = readReport(report, new Set())
  expect(notes.map((note) => note.text.split(':')[0]!.split(' is ')[0])).toEqual([
    'hog asked for the page that could not be found; that alone makes nobody the victim.',
    'DMA32 free 2556 kB',
    'No swap',
    'hog holds 42\u202f508 pages, 166 MiB',
  ])
  expect(lines.filter((line) => line.mark).map((line) => report.lines.indexOf(line.text))).toEqual([0, 7, 8, 11])
})

test('the call trace folds, and no line is lost or changed', () => {
  const { lines, nrFolded } = readReport(report, new Set())
  expect([lines.length, nrFolded]).toEqual([report.lines.length - 3, 3])
  expect(readReport(report, new Set([1])).lines.map((line) => line.text)).toEqual(report.lines)
})

test('the table of the report says what a task’s pages are', () =>
  expect(rssByPid(report.lines).get(181)).toEqual({ anon: 42336, file: 0, shmem: 172 }))

test('the points add up step by step, to the score that /proc shows', () => {
  const rows = scoreRows(report.candidates[1]!, report)
  expect(rows.map((row) => [row.label, row.text])).toEqual([
    ['rss', '42\u202f508'],
    ['swap', '0'],
    ['page tables', '92'],
    ['adjustment', '0'],
    ['badness', '42\u202f600'],
    ['oom_score', '905'],
  ])
})

test('a spared task has no badness and says why', () =>
  expect(scoreRows(report.candidates[2]!, report).at(-1)).toMatchObject({
    text: 'none',
    detail: 'oom_score_adj −1000: never chosen',
  }))

test('the smallest change of an adjustment is named that changes the choice', () => {
  const [less, more] = whatIfs(report)
  // One step is worth 118 pages: −99 leaves hog at 30 918, below db's 30 962; −98 would not.
  expect(less).toMatchObject({ comm: 'hog', adj: -99, then: 'then db 164' })
  // +99 lifts db to 42 644, above hog's 42 600.
  expect(more).toMatchObject({ comm: 'db', adj: 99, then: 'then db 164' })
})

test('without swap, swap would have helped; in a group, its own limits', () => {
  expect(savers(report)[0]).toContain('A swap device')
  const inGroup: OomReport = {
    ...report,
    constraint: 'CONSTRAINT_MEMCG',
    oomMemcg: '/lab',
    totalPages: 25600,
    lines: ['swap: usage 0kB, limit 0kB, failcnt 0'],
  }
  expect(savers(inGroup)[0]).toContain('A memory.max of /lab above 100 MiB')
  expect(savers(inGroup)[1]).toContain('memory.swap.max')
})
