/**
 * How far a simulated figure may lie from the captured one, with the reason. One table for all cases; the first row that
 * fits decides. Everything that repeats exactly on real kernels has band 0; a band is taken from repeated captures or
 * from a documented direction, never chosen to make a figure pass.
 * @spec 11 §10
 */
import { assert } from '../../util/assert'
import { exact, near, percent, type Band, type BandRow } from './band'
import { FAULT_BANDS } from './bands-fault'
import { NUMA_BANDS } from './bands-numa'
import { PRESSURE_BANDS } from './bands-pressure'
import type { CaseTraits } from './figure'

const MIB = 1024 * 1024
const PAGE = 4096

const all = (): boolean => true
const isStatic = (t: CaseTraits): boolean => t.kind === '1-static'
const isFrag = (t: CaseTraits): boolean => t.kind === '7-frag'
const isOom = (t: CaseTraits): boolean => t.scenario === 'oom'
const lab =
  (...names: string[]) =>
  (t: CaseTraits): boolean =>
    t.scenario === 'cglab' && names.includes(t.lab)
const protects =
  (lru: 'classic' | 'mglru', series?: '6.1') =>
  (t: CaseTraits): boolean =>
    lab('protect', 'nested')(t) && t.lru === lru && (series === undefined || t.series === series)
const hasFloor = (t: CaseTraits): boolean => protects('mglru')(t) && t.parameters['pmin'] !== undefined

export const BANDS: readonly BandRow[] = [
  {
    cases: isStatic,
    figure: /^slab/,
    band: exact,
    reason: 'arithmetic over object sizes, flags and CPUs: every cache of 18 captures agrees',
  },
  { cases: isStatic, figure: /./, band: exact, reason: 'arithmetic over the memory map: 101 of 101 captures agree' },

  {
    cases: isFrag,
    figure: /^log lines$|follows from buddyinfo$|fewer$|more$|falls$/,
    band: exact,
    reason: 'arithmetic, or the direction that all captures show',
  },
  {
    cases: isFrag,
    figure: /^freed: /,
    band: exact,
    reason: 'one block a run of pages, but for pages that wait on per-CPU lists: each side counts its own',
  },
  {
    cases: isFrag,
    figure: /^compacted: pages moved$/,
    band: { kind: 'sameSign' },
    reason: 'depends on where the scanners meet: 40726 in one capture',
  },
  {
    cases: (t) => isFrag(t) && t.parameters['hpfirst'] === undefined,
    figure: /^huge pages/,
    band: exact,
    reason: 'after compaction all that were asked for are there, without a stall, in four of four captures',
  },
  {
    cases: isFrag,
    figure: /^huge pages: stalls$/,
    band: { kind: 'sameSign' },
    reason: 'without compaction before, requests beyond the free blocks compact themselves; how many varies',
  },
  {
    cases: isFrag,
    figure: /^huge pages/,
    band: exact,
    reason: 'rule of the kernel, or the direction of the only capture without compaction before',
  },

  ...FAULT_BANDS,

  ...NUMA_BANDS,

  ...PRESSURE_BANDS,

  {
    cases: all,
    figure: /^report: |^victims in order|^every victim|oom_score_adj|lines$|read pass|subtree_control/,
    band: exact,
    reason: 'rule of the kernel; equal in all repeated captures',
  },
  {
    cases: all,
    figure: /memory\.(?:min|low|high|max|oom\.group|swap\.max)$|memory\.stat keys$/,
    band: exact,
    reason: 'written by the scenario, or layout',
  },
  {
    cases: all,
    figure: /anon-rss(?:, free and free_pcp)?$/,
    band: percent(1),
    reason: 'printed from per-CPU counters and reached at the moment of the kill: 168.7–170.2 MB in three captures',
  },

  {
    cases: isOom,
    figure: /oom_score of /,
    band: near(1),
    reason: 'the score uses a counter that lags by up to 63 pages: half a point of 119 pages',
  },
  { cases: isOom, figure: /CommitLimit/, band: exact, reason: 'RAM and swap times overcommit_ratio' },

  { cases: all, figure: /events (?:oom_kill|oom_group_kill)$/, band: exact, reason: 'one a kill' },
  {
    cases: lab('adj'),
    figure: /events oom$/,
    band: { kind: 'range', min: 1, max: 16 },
    reason: 'rounds while the victim exits: 1 and 4 in two captures',
  },
  { cases: all, figure: /events oom$/, band: exact, reason: 'one a call of the killer' },

  {
    cases: lab('oom', 'group'),
    figure: /events max$/,
    band: { kind: 'range', min: 35, max: 47 },
    reason: '17 + 18 rounds, and up to 12 more when a stock of another CPU was drained',
  },
  {
    cases: lab('adj'),
    figure: /events max$/,
    band: { kind: 'range', min: 18, max: 200 },
    reason: 'at least 17 rounds and the first; more while the victim exits',
  },
  {
    cases: lab('swap'),
    figure: /events max$/,
    band: percent(3),
    reason: 'one a batch of 64 pages; some rounds free two',
  },
  { cases: lab('cache'), figure: /events max$/, band: near(1), reason: 'clean cache: one a batch of 64 pages' },
  {
    cases: lab('high'),
    figure: /^high events when/,
    band: near(17),
    reason: '17 events a round of 64 pages; sampled every 200 ms',
  },
  {
    cases: (t) => lab('high')(t) && t.parameters['sw'] === undefined,
    figure: /events high$/,
    band: near(34),
    reason: 'two rounds of 17: the captures run 0.7–0.9 s longer than their sleeps',
  },
  { cases: lab('high'), figure: /events high$/, band: percent(3), reason: 'one a batch; some free two' },
  {
    cases: protects('mglru'),
    figure: /events low$/,
    band: { kind: 'sameSign' },
    reason: 'visits below the protection: 12–15 in three captures',
  },
  {
    cases: all,
    figure: /events (?:low|high|max|sock_throttled)$/,
    band: exact,
    reason: 'nothing in this lab raises it',
  },

  {
    cases: lab('oom', 'group', 'adj', 'cache'),
    figure: /memory\.peak$/,
    band: exact,
    reason: 'single pages fill the last gap below memory.max',
  },
  { cases: lab('swap'), figure: /memory\.peak$/, band: exact, reason: 'usage meets memory.max' },
  {
    cases: lab('high'),
    figure: /memory\.(?:peak|current)$/,
    band: near(MIB),
    reason: '64 pages a round of 2 s; up to four rounds',
  },
  { cases: lab('swap', 'high'), figure: /swap\.peak$/, band: percent(1), reason: 'stops within one batch of 64 pages' },
  { cases: all, figure: /swap\.peak$/, band: exact, reason: 'nothing swaps in this lab' },

  {
    cases: lab('oom', 'swap'),
    figure: /memory\.current$/,
    band: near(2 * PAGE),
    reason: 'log page and slab page of the dead process',
  },
  {
    cases: lab('group', 'adj', 'cache'),
    figure: /memory\.current$/,
    band: { kind: 'near', abs: 128 * PAGE, percent: 1 },
    reason: 'stocks of both CPUs, 64 pages each',
  },
  {
    cases: protects('classic', '6.1'),
    figure: /cg-after\/(?:p|u|P|c\d) memory\.current$/,
    band: near(5 * MIB),
    reason: 'one capture lies 4 MB from the rule, unexplained',
  },
  {
    cases: protects('classic'),
    figure: /cg-after\/P memory\.current$/,
    band: near(4 * MIB),
    reason: 'sum of its children',
  },
  {
    cases: protects('classic'),
    figure: /cg-after\/u memory\.current$/,
    band: near(5 * MIB),
    reason: 'unprotected: gets what kswapd left free, 18–23 MB in three equal runs',
  },
  {
    cases: protects('classic'),
    figure: /cg-after\/(?:p|c\d) memory\.current$/,
    band: near(2 * MIB),
    reason: 'proportional scan, closed form: within 2 MB in nine captures',
  },
  {
    cases: hasFloor,
    figure: /cg-after\/p memory\.current$/,
    band: near(64 * PAGE),
    reason: 'a hard floor, up to one batch',
  },
  {
    cases: protects('mglru'),
    figure: /cg-after\/P memory\.current$/,
    band: near(8 * MIB),
    reason: 'sum of its children',
  },
  {
    cases: protects('mglru'),
    figure: /cg-after\/u memory\.current$/,
    band: near(7 * MIB),
    reason: 'unprotected: 45.4–52.8 MB in three equal runs',
  },
  {
    cases: protects('mglru'),
    figure: /cg-after\/(?:p|u|c\d) memory\.current$/,
    band: near(4 * MIB),
    reason: 'every group loses the same: within 4 MB in three captures',
  },
  {
    cases: lab('protect', 'nested'),
    figure: /memory\.(?:current|peak)$/,
    band: percent(0.5),
    reason: 'stocks and read-ahead at the end of the read',
  },
]

/** The row that decides a figure. That there is one for every figure is a rule of the tool, tested. */
export function bandFor(traits: CaseTraits, figure: string): BandRow {
  const row = BANDS.find((r) => r.figure.test(figure) && r.cases(traits))
  assert(row !== undefined, `no band for '${figure}' of ${traits.name}`)
  return row
}

export function bandText(band: Band): string {
  switch (band.kind) {
    case 'exact':
      return '0'
    case 'near':
      return [band.abs === undefined ? '' : `±${band.abs}`, band.percent === undefined ? '' : `±${band.percent} %`]
        .filter((t) => t !== '')
        .join(' or ')
    case 'range':
      return `${band.min}…${band.max}`
    case 'sameSign':
      return 'both 0 or both not'
  }
}
