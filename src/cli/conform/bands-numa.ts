/**
 * Bands of the memory-policy cases.
 * @spec 11 §8
 */
import { exact, near, percent, type BandRow } from './band'
import type { CaseTraits } from './figure'

/** Longest per-CPU list of the captured nodes, pages. */
const PCP_HIGH_MAX = 15272

const isNuma = (t: CaseTraits): boolean => t.kind === '8-numa'
const under =
  (lru: CaseTraits['lru']) =>
  (t: CaseTraits): boolean =>
    isNuma(t) && t.lru === lru

export const NUMA_BANDS: readonly BandRow[] = [
  {
    cases: isNuma,
    figure: / says$| nodes in use$| after_\w+ pages N\d+$/,
    band: exact,
    reason: 'the policy decides; equal on three captured machines',
  },
  {
    cases: isNuma,
    figure: / spilled (?:pages|calls) N\d+/,
    band: near(PCP_HIGH_MAX),
    reason: 'what was free, and what the CPU keeps on its lists: at most 15272 pages (spec 11 §8)',
  },
  {
    cases: isNuma,
    figure: / calls N\d+ numa_hit$/,
    band: { kind: 'near', abs: 475, percent: 1 },
    reason: "1 % of the calls; the script's own tools make up to 475 in a capture, on any node whose CPU is idle",
  },
  {
    cases: isNuma,
    figure: / calls N\d+ (?:numa_miss|numa_foreign|interleave_hit|other_node)$/,
    band: percent(1),
    reason: '1 % of the calls: the C library of the real program allocates some 20 pages more',
  },
  {
    cases: under('classic'),
    figure: /^zone_reclaim_success$/,
    band: near(Math.ceil(PCP_HIGH_MAX / 32)),
    reason: '32 pages each, for as many as the node lacks: the bound of spilled pages',
  },
  {
    cases: under('mglru'),
    figure: /^zone_reclaim_failed$/,
    band: near(2 * PCP_HIGH_MAX),
    reason: 'at most two tries for each spilled page: Normal and DMA32 of the full node',
  },
  {
    cases: isNuma,
    figure: /^zone_reclaim/,
    band: exact,
    reason: 'MGLRU scans nothing in this mode; classic frees clean cache, 32 pages a time, and never fails',
  },
]
