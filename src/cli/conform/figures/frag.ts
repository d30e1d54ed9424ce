/** Free memory in crumbs: case kind 7. What was left free, what compaction made of it, how many huge pages came out. */
import { fragmentationIndex, unusableFreeIndex } from '../../../engine/mm/fragmentation'
import type { CaseFiles, CaseTraits, Figure } from '../figure'
import { parseBuddyinfo, parseIndex, parseMeminfo, parsePcpCount, parseVmstat } from '../parse/tables'

/** The zone in which everything happens. */
const ZONE = 'DMA32'
const FREED = '2-freed-alternate'

const yes = (condition: boolean): string => (condition ? 'yes' : 'no')

export function fragFigures(files: CaseFiles, traits: CaseTraits): Figure[] {
  const log = (files['scenario.log'] ?? '').split('\n').filter((line) => line !== '')
  const asked = log.find((line) => line.startsWith('hugepages asked'))
  const figures: Figure[] = [
    { name: 'log lines', value: log.filter((line) => line !== asked && !/^\[\d+\]/.test(line)) },
    ...freedFigures(files, traits),
    ...indexFigures(files),
    ...compactFigures(files),
  ]
  const got = Number(/asked \d+ got (\d+)/.exec(asked ?? '')?.[1] ?? 0)
  return [...figures, ...gotFigures(files, traits, got), ...hugeFigures(files)]
}

/**
 * Runs of keep − 1 pages fall into blocks of orders 0, 1, 2: as many of each as there are runs. A page on a per-CPU list
 * spoils one run.
 */
function freedFigures(files: CaseFiles, traits: CaseTraits): Figure[] {
  const counts = parseBuddyinfo(files[`${FREED}/buddyinfo`] ?? '')[ZONE]
  if (counts === undefined) return []
  const orders = Math.log2(Number(traits.parameters['keep'] ?? 2))
  const runs = Number(/kept=(\d+)/.exec(files['scenario.log'] ?? '')?.[1] ?? 0)
  const pcp = parsePcpCount(files[`${FREED}/zoneinfo`] ?? '', ZONE)
  return Array.from({ length: orders }, (_, order) => ({
    name: `freed: blocks of order ${order}, within the pages on per-CPU lists`,
    value: Math.abs(counts[order]! - runs) <= pcp ? runs : counts[order]!,
  }))
}

const stagesOf = (files: CaseFiles): string[] =>
  Object.keys(files)
    .filter((path) => /^\d-[^/]+\/buddyinfo$/.test(path))
    .map((path) => path.split('/')[0]!)
    .sort()

/** Thousandths by which single pages may move an index between two reads. */
const NOISE = 10

/** Whether the index follows from these counts, or from them with one block more or less. */
function follows(shown: readonly number[], counts: readonly number[], formula: typeof unusableFreeIndex): boolean {
  const fits = (with1: readonly number[]): boolean =>
    with1.every((_, order) => Math.abs((shown[order] ?? NaN) - formula(with1, order)) <= NOISE)
  const moved = counts.flatMap((_, order) => [-1, 1].map((by) => counts.map((n, o) => (o === order ? n + by : n))))
  return fits(counts) || moved.some((with1) => with1.every((n) => n >= 0) && fits(with1))
}

/** The files of debugfs against buddyinfo, read just before; one block may move between the two reads (spec 11 §7). */
function indexFigures(files: CaseFiles): Figure[] {
  const checks = [
    { file: 'unusable_index', formula: unusableFreeIndex },
    { file: 'extfrag_index', formula: fragmentationIndex },
  ]
  return stagesOf(files).flatMap((stage) =>
    checks.map(({ file, formula }) => {
      const buddy = parseBuddyinfo(files[`${stage}/buddyinfo`] ?? '')
      const shown = parseIndex(files[`${stage}/${file}`] ?? '')
      const zones = Object.keys(buddy)
      const agrees = zones.every((zone) => follows(shown[zone] ?? [], buddy[zone]!, formula))
      return { name: `${stage}: ${file} follows from buddyinfo`, value: yes(zones.length > 0 && agrees) }
    }),
  )
}

/** What compact_memory did, in direction: how much depends on where the scanners meet. */
function compactFigures(files: CaseFiles): Figure[] {
  const before = parseBuddyinfo(files[`${FREED}/buddyinfo`] ?? '')[ZONE]
  const after = parseBuddyinfo(files['3-compacted/buddyinfo'] ?? '')[ZONE]
  if (before === undefined || after === undefined) return []
  const moved = delta(files, FREED, '3-compacted', 'pgmigrate_success')
  return [
    { name: 'compacted: single pages become fewer', value: yes(after[0]! < before[0]!) },
    { name: 'compacted: blocks of order 10 become more', value: yes(after[10]! > before[10]!) },
    {
      name: 'compacted: unusable for order 9 falls',
      value: yes(unusableFreeIndex(after, 9) < unusableFreeIndex(before, 9)),
    },
    { name: 'compacted: pages moved', value: moved },
  ]
}

function delta(files: CaseFiles, from: string, to: string, key: string): number {
  const value = (stage: string): number => parseVmstat(files[`${stage}/vmstat`] ?? '')[key] ?? 0
  return value(to) - value(from)
}

/** Pages of a huge page are one block of this order. */
const HUGE_ORDER = 9

/**
 * After compaction a number. Without, the one capture cannot say how far another run may be from it: only that requests
 * made blocks themselves, more than there were.
 */
function gotFigures(files: CaseFiles, traits: CaseTraits, got: number): Figure[] {
  if (traits.parameters['hpfirst'] === undefined) return [{ name: 'huge pages got', value: got }]
  const buddy = parseBuddyinfo(files[`${FREED}/buddyinfo`] ?? '')
  const blocks = Object.values(buddy).reduce((sum, n) => sum + n[HUGE_ORDER]! + 2 * n[HUGE_ORDER + 1]!, 0)
  return [{ name: 'huge pages: requests make more', value: yes(got > blocks) }]
}

/** Around the write to nr_hugepages. */
function hugeFigures(files: CaseFiles): Figure[] {
  const stages = stagesOf(files)
  const at = stages.findIndex((stage) => stage === '3-hugepages-direct' || stage === '4-hugepages')
  if (at < 1) return []
  const change = (key: string): number => delta(files, stages[at - 1]!, stages[at]!, key)
  const stalls = change('compact_stall')
  const total = parseMeminfo(files[`${stages[at]}/meminfo`] ?? '')['HugePages_Total'] ?? 0
  return [
    { name: 'huge pages: HugePages_Total is what was got', value: yes(total === change('htlb_buddy_alloc_success')) },
    { name: 'huge pages: stalls', value: stalls },
    {
      name: 'huge pages: stalls are successes and failures',
      value: yes(stalls === change('compact_success') + change('compact_fail')),
    },
    { name: 'huge pages: htlb_buddy_alloc_fail', value: change('htlb_buddy_alloc_fail') },
  ]
}
