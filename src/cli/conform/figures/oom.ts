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
    for (const [i, victim] of victims.entries()) {
      figures.push({ name: `victim ${i + 1}: anon-rss`, value: victim.anonRssKib })
      figures.push({ name: `victim ${i + 1}: oom_score_adj`, value: victim.adj })
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
