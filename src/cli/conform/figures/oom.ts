/** Who was killed, in which order, how the report reads, and what was left. */
import type { CaseFiles, CaseTraits, Figure } from '../figure'
import { parseOomLog, type OomReportText } from '../parse/oom-log'
import { parseExits, parseMeminfo, parseProcesses } from '../parse/tables'

/** A global OOM: case kind 6. */
export function oomFigures(files: CaseFiles, traits: CaseTraits): Figure[] {
  const reports = parseOomLog(files['dmesg-oom.txt'] ?? '')
  const figures: Figure[] = [
    ...reportFigures(reports, traits),
    { name: 'exit lines', value: parseExits(files['exit.txt'] ?? '') },
  ]
  const idle = new Set([...idleNames(traits), 'init', 'mm'])
  for (const row of parseProcesses(files['procs-before.txt'] ?? '')) {
    if (idle.has(row.comm) && (row.comm !== 'init' || row.pid === 1)) {
      figures.push({ name: `before: oom_score of ${row.comm}`, value: row.oomScore })
      figures.push({ name: `before: oom_score_adj of ${row.comm}`, value: row.oomScoreAdj })
    }
  }
  const limit = parseMeminfo(files['before/meminfo'] ?? '')['CommitLimit']
  if (limit !== undefined) figures.push({ name: 'before: CommitLimit', value: limit })
  return figures
}

/** trip=web:60:0,db:120:-500 → names of the processes that only sit there. */
const idleNames = (traits: CaseTraits): string[] =>
  (traits.parameters['trip'] ?? '').split(',').map((t) => t.split(':')[0]!)

/**
 * In a global OOM the pages of a victim that grows and those that the allocator still keeps are what the others leave of RAM; how the
 * two share it is decided by which CPU freed last (free_pcp: 1159 to 5102 pages in five captures).
 */
const heldBy = (anonRssKib: number, keptKib: number | undefined, victim: string): Figure =>
  keptKib === undefined
    ? { name: `${victim}: anon-rss`, value: anonRssKib }
    : { name: `${victim}: anon-rss, free and free_pcp`, value: anonRssKib + keptKib }

/** Figures of the reports themselves, for global and group kills alike. */
export function reportFigures(reports: readonly OomReportText[], traits: CaseTraits): Figure[] {
  const victims = reports.flatMap((r) => r.victims)
  const killsAllocator = traits.parameters['kill_alloc'] !== undefined
  const figures: Figure[] = killsAllocator
    ? [
        {
          name: 'every victim is the allocator',
          value: reports.every((r) => r.victims[0]?.name === r.invoker) ? 'yes' : 'no',
        },
      ]
    : [{ name: 'victims in order', value: victims.map((v) => v.name) }]
  if (!killsAllocator) {
    let i = 0
    for (const report of reports) {
      for (const victim of report.victims) {
        i++
        // Only the scenario's hog is still growing; what the others hold was settled long before.
        const keptKib = victim.name === 'hog' ? report.keptKib : undefined
        figures.push(heldBy(victim.anonRssKib, keptKib, `victim ${i}`))
        figures.push({ name: `victim ${i}: oom_score_adj`, value: victim.adj })
      }
    }
  }
  const first = reports[0]
  if (!first) return figures
  figures.push({ name: 'report: constraint', value: first.constraint })
  figures.push({ name: 'report: domain', value: first.domain })
  if (first.constraint === 'CONSTRAINT_MEMCG') figures.push({ name: 'report: gfp_mask', value: first.gfp })
  figures.push({ name: 'report: layout', value: first.layout })
  return figures
}
