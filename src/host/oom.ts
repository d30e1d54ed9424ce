/** OOM kills as the window shows them: the kernel's own record, and in sentences why it chose as it did. */
import type { KernelState } from '../engine/state'
import type { OomCandidate, OomReport } from '../protocol/messages'
import { pagesToBytes } from '../util/units'

type OomRecord = KernelState['oomReports'][number]

export const oomReports = (state: KernelState): OomReport[] => state.oomReports.map(oomReport)

function oomReport(record: OomRecord): OomReport {
  const candidates = record.candidates.map((c): OomCandidate => ({
    pid: c.pid,
    comm: c.comm,
    rssPages: c.rss,
    swapPages: c.swap,
    pgtablePages: c.pgtables,
    adj: c.adj,
    adjPages: c.adjPages,
    points: c.points,
    spared: c.spared,
    chosen: c.pid === record.victimPid,
  }))
  const victim = record.victimPid === 0 ? undefined : { pid: record.victimPid, comm: record.victimComm }
  return {
    atNs: record.atNs,
    constraint: record.constraint,
    oomMemcg: record.oomMemcg,
    totalPages: record.totalPages,
    allocator: { pid: record.allocatorPid, comm: record.allocatorComm },
    victim,
    candidates,
    lines: [...record.lines],
    explanation: explain(record, candidates),
  }
}

const mib = (pages: number): string => `${(pagesToBytes(pages) / 1048576).toFixed(1)} MiB`

function explain(record: OomRecord, candidates: readonly OomCandidate[]): string[] {
  const sentences = [whyNow(record), whoAsked(record)]
  const victim = candidates.find((c) => c.chosen)
  if (victim === undefined) return [...sentences, 'No task could be killed: every one was spared.']
  sentences.push(whyThisOne(victim))
  const second = candidates.filter((c) => !c.chosen && c.spared === '').sort((a, b) => b.points - a.points)[0]
  if (second !== undefined) {
    sentences.push(`Next in line was ${second.comm} (pid ${second.pid}) with ${second.points} points.`)
  }
  const spared = candidates.filter((c) => c.spared !== '')
  if (spared.length > 0) {
    const named = spared.slice(0, 5).map((c) => `${c.comm} (pid ${c.pid}): ${c.spared}`)
    const more = spared.length > named.length ? `; and ${spared.length - named.length} more` : ''
    sentences.push(`Not considered: ${named.join('; ')}${more}.`)
  }
  return sentences
}

function whyNow(record: OomRecord): string {
  if (record.oomMemcg !== '' && record.constraint === 'CONSTRAINT_MEMCG') {
    return `The group ${record.oomMemcg} stood at its memory.max of ${mib(record.totalPages)} and reclaim inside it freed too little, so only tasks of that group were looked at.`
  }
  if (record.constraint === 'CONSTRAINT_MEMORY_POLICY' || record.constraint === 'CONSTRAINT_CPUSET') {
    const [what, file] =
      record.constraint === 'CONSTRAINT_CPUSET'
        ? ['a cpuset', 'cpuset.mems of its group']
        : ['a memory policy', 'the policy in its numa_maps']
    return `The request was kept to some nodes by ${what} (see ${file}), and those were full: other nodes may have free memory. Only tasks that may use these nodes were looked at. Points are measured against ${mib(record.totalPages)}, which is their memory and swap.`
  }
  return `No zone had a free page above its min watermark and reclaim made no progress, so every task was looked at. Points are measured against ${mib(record.totalPages)} of memory and swap.`
}

const whoAsked = (record: OomRecord): string =>
  `${record.allocatorComm} (pid ${record.allocatorPid}) asked for the page that could not be found; that alone makes nobody the victim.`

/** The formula of oom_badness() with its numbers. */
function whyThisOne(victim: OomCandidate): string {
  const parts = `${victim.rssPages} resident + ${victim.swapPages} swapped + ${victim.pgtablePages} page-table pages`
  const adj = victim.adjPages === 0 ? '' : `, and ${victim.adjPages} for oom_score_adj ${victim.adj}`
  return `${victim.comm} (pid ${victim.pid}) had the most points: ${parts}${adj} = ${victim.points}. Killing it gives back about ${mib(victim.rssPages)}.`
}
