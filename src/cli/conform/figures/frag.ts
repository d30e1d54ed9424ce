/** Free memory in crumbs: case kind 7. What was left free, what compaction made of it, how many huge pages came out. */
import { fragmentationIndex, unusableFreeIndex } from '../../../engine/mm/fragmentation'
import type { CaseFiles, CaseTraits, Figure } from '../figure'
import { parseBuddyinfo, parseIndex, parseMeminfo, parseVmstat } from '../parse/tables'

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
  const got = /asked \d+ got (\d+)/.exec(asked ?? '')
  if (got !== null) figures.push({ name: 'huge pages got', value: Number(got[1]) })
  return [...figures, ...hugeFigures(files, Number(traits.parameters['hp'] ?? 100))]
}

/** Runs of keep − 1 pages fall into blocks of orders 0, 1, 2: as many of each as there are runs. */
function freedFigures(files: CaseFiles, traits: CaseTraits): Figure[] {
  const counts = parseBuddyinfo(files[`${FREED}/buddyinfo`] ?? '')[ZONE]
  if (counts === undefined) return []
  const orders = Math.log2(Number(traits.parameters['keep'] ?? 2))
  return Array.from({ length: orders }, (_, order) => ({
    name: `freed: blocks of order ${order}`,
    value: counts[order]!,
  }))
}

const stagesOf = (files: CaseFiles): string[] =>
  Object.keys(files)
    .filter((path) => /^\d-[^/]+\/buddyinfo$/.test(path))
    .map((path) => path.split('/')[0]!)
    .sort()

/** The files of debugfs against buddyinfo of the same moment; one block may move between the two reads. */
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
      const agrees = zones.every((zone) =>
        buddy[zone]!.every((_, order) => Math.abs((shown[zone]?.[order] ?? NaN) - formula(buddy[zone]!, order)) <= 10),
      )
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

/** Around the write to nr_hugepages. */
function hugeFigures(files: CaseFiles, asked: number): Figure[] {
  const stages = stagesOf(files)
  const at = stages.findIndex((stage) => stage === '3-hugepages-direct' || stage === '4-hugepages')
  if (at < 1) return []
  const change = (key: string): number => delta(files, stages[at - 1]!, stages[at]!, key)
  const stalls = change('compact_stall')
  return [
    {
      name: 'huge pages: HugePages_Total',
      value: parseMeminfo(files[`${stages[at]}/meminfo`] ?? '')['HugePages_Total'] ?? 0,
    },
    { name: 'huge pages: stalls', value: stalls },
    {
      name: 'huge pages: stalls are successes and failures',
      value: yes(stalls === change('compact_success') + change('compact_fail')),
    },
    {
      name: 'huge pages: the first failure ends it',
      value: yes(change('htlb_buddy_alloc_fail') === (change('htlb_buddy_alloc_success') < asked ? 1 : 0)),
    },
  ]
}
