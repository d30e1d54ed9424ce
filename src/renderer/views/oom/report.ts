/** An OOM report read as a person would: which lines decide, what each task weighed, and what else could have been. Pure. */
import type { OomCandidate, OomReport } from '../../../protocol/messages'
import { formatBytes, formatCount, joinFigure } from '../../format'
import type { Pages } from '../../../util/units'
import { KIB, pagesToBytes } from '../../../util/units'

// ---------------------------------------------------------------- the kernel's text

export interface ReportLine {
  readonly text: string
  /** Number of the note that speaks of this line; 0 is none. */
  readonly mark: number
  /** How many lines are folded behind this one. */
  readonly folds: number
  readonly isFolded: boolean
  /** Index in the report: what copying and finding go by. */
  readonly at: number
}
export interface Note {
  readonly mark: number
  readonly text: string
}

const ZONE_LINE = /^Node (\d+) (\w+) free:(\d+)kB boost:\d+kB min:(\d+)kB/
const MEMCG_LINE = /^memory: usage (\d+)kB, limit (\d+)kB, failcnt (\d+)/
const SWAP_LINE = /^Free swap\s+= (\d+)kB/
const MEMCG_SWAP_LINE = /^swap: usage (\d+)kB, limit (\d+)kB/
const TASK_LINE = /^\[\s*(\d+)\]\s+\d+\s+\d+\s+\d+\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s/

const kb = (text: string): string => `${formatCount(Number(text))} kB`

/** What a line of the report means for the decision, '' for most. */
function meaningOf(text: string, report: OomReport): string {
  if (/ invoked oom-killer: /.test(text))
    return `${report.allocator.comm} asked for the page that could not be found; that alone makes nobody the victim.`
  const memcg = MEMCG_LINE.exec(text)
  if (memcg)
    return `The group uses ${kb(memcg[1]!)} of its limit of ${kb(memcg[2]!)}; ${formatCount(Number(memcg[3]))} charges hit it before.`
  const memcgSwap = MEMCG_SWAP_LINE.exec(text)
  if (memcgSwap) return memcgSwap[2] === '0' ? 'The group may not swap, so its anonymous pages cannot leave.' : ''
  const zone = ZONE_LINE.exec(text)
  if (zone && Number(zone[3]) <= Number(zone[4]))
    return `${zone[2]} free ${kb(zone[3]!)} is not above min ${kb(zone[4]!)}: only reserves are left.`
  const swap = SWAP_LINE.exec(text)
  if (swap && swap[1] === '0') return 'No swap is free, so anonymous pages cannot leave.'
  const task = TASK_LINE.exec(text)
  if (task && Number(task[1]) === report.victim?.pid)
    return `${report.victim.comm} holds ${formatCount(Number(task[2]))} pages, ${joinFigure(formatBytes(pagesToBytes(Number(task[2]))))}${isHeaviest(report) ? ': the most points of all' : ''}.`
  return ''
}

/** Not so when the asker is killed (oom_kill_allocating_task), or a whole group with the heaviest. */
const isHeaviest = (report: OomReport): boolean => {
  const chosen = report.candidates.find((candidate) => candidate.pid === report.victim?.pid)
  return report.candidates.every((candidate) => candidate.spared !== '' || candidate.points <= (chosen?.points ?? 0))
}

/** Parts of the text that fold away: what never decides, but belongs to the report. */
function foldLength(lines: readonly string[], at: number): number {
  const text = lines[at]!
  if (/^Call Trace:/.test(text)) {
    const end = lines.findIndex((line, i) => i > at && /^\s*<\/TASK>/.test(line))
    return end < 0 ? 0 : end - at
  }
  if (/^Memory cgroup stats for /.test(text)) {
    const end = lines.findIndex((line, i) => i > at && !/^\w+ \d+$/.test(line))
    return end < 0 ? 0 : end - at - 1
  }
  return 0
}

/** The lines with their notes, in order. `open` holds the lines whose fold is open. */
export function readReport(
  report: OomReport,
  open: ReadonlySet<number>,
): { lines: readonly ReportLine[]; notes: readonly Note[]; nrFolded: number } {
  const lines: ReportLine[] = []
  const notes: Note[] = []
  let nrFolded = 0
  for (let at = 0; at < report.lines.length; at++) {
    const text = report.lines[at]!
    const meaning = meaningOf(text, report)
    if (meaning) notes.push({ mark: notes.length + 1, text: meaning })
    const folds = foldLength(report.lines, at)
    const isFolded = folds > 0 && !open.has(at)
    lines.push({ text, mark: meaning ? notes.length : 0, folds, isFolded, at })
    if (isFolded) {
      nrFolded += folds
      at += folds
    }
  }
  return { lines, notes, nrFolded }
}

export interface RssParts {
  readonly anon: Pages
  readonly file: Pages
  readonly shmem: Pages
}

/** The tasks of the report's own table, by pid. */
export function rssByPid(lines: readonly string[]): ReadonlyMap<number, RssParts> {
  const out = new Map<number, RssParts>()
  for (const line of lines) {
    const task = TASK_LINE.exec(line)
    if (task) out.set(Number(task[1]), { anon: Number(task[3]), file: Number(task[4]), shmem: Number(task[5]) })
  }
  return out
}

// ---------------------------------------------------------------- the score

export interface ScoreRow {
  readonly label: string
  readonly detail: string
  readonly text: string
  readonly unit: string
  readonly isTotal?: boolean
}

/** How many of all pages one step of oom_score_adj is worth. @kernel oom_badness(): totalpages / 1000 */
export const adjUnit = (totalPages: Pages): Pages => Math.floor(totalPages / 1000)

/** @kernel fs/proc/base.c proc_oom_score() */
const scoreOf = (points: number, totalPages: Pages): number =>
  Math.trunc(((1000 + Math.trunc((points * 1000) / Math.max(1, totalPages))) * 2) / 3)

/** A candidate's points, step by step. @kernel mm/oom_kill.c oom_badness() */
export function scoreRows(candidate: OomCandidate, report: OomReport): readonly ScoreRow[] {
  const parts = rssByPid(report.lines).get(candidate.pid)
  const rssDetail = parts
    ? `anon ${formatCount(parts.anon)} + file ${formatCount(parts.file)} + shmem ${formatCount(parts.shmem)}`
    : 'anon + file + shmem'
  const unit = 'pages'
  const rows: ScoreRow[] = [
    { label: 'rss', detail: rssDetail, text: formatCount(candidate.rssPages), unit },
    { label: 'swap', detail: 'pages that it has on swap', text: formatCount(candidate.swapPages), unit },
    { label: 'page tables', detail: 'bytes / 4096', text: formatCount(candidate.pgtablePages), unit },
    {
      label: 'adjustment',
      detail: `${formatCount(candidate.adj)} × ${formatCount(report.totalPages)} / 1000`,
      text: formatCount(candidate.adjPages),
      unit,
    },
  ]
  if (candidate.spared)
    return [...rows, { label: 'badness', detail: sparedWords(candidate), text: 'none', unit: '', isTotal: true }]
  rows.push({
    label: 'badness',
    detail: candidate.chosen && isHeaviest(report) ? `highest of ${report.candidates.length} candidates` : 'the sum',
    text: formatCount(candidate.points),
    unit,
    isTotal: true,
  })
  if (report.constraint === 'CONSTRAINT_NONE')
    rows.push({
      label: 'oom_score',
      detail: `(1000 + ${formatCount(candidate.points)} × 1000 / ${formatCount(report.totalPages)}) × 2 / 3`,
      text: String(scoreOf(candidate.points, report.totalPages)),
      unit: '',
    })
  return rows
}

export const sparedWords = (candidate: OomCandidate): string =>
  ({
    '': '',
    init: 'init is never killed',
    'oom_score_adj -1000': 'oom_score_adj −1000: never chosen',
    'already reaped': 'already reaped: nothing left to gain',
    'already dying': 'already on its way out',
  })[candidate.spared] ?? candidate.spared

// ---------------------------------------------------------------- what if

export interface WhatIf {
  readonly comm: string
  readonly pid: number
  /** The oom_score_adj that would have changed the choice. */
  readonly adj: number
  readonly sum: string
  readonly then: string
}

const ADJ_MAX = 1000

/** The smallest changes of one oom_score_adj after which somebody else would have been chosen. */
export function whatIfs(report: OomReport, nr = 3): readonly WhatIf[] {
  const unit = adjUnit(report.totalPages)
  const open = report.candidates.filter((candidate) => candidate.spared === '').sort((a, b) => b.points - a.points)
  const victim = open.find((candidate) => candidate.chosen)
  const second = open.find((candidate) => !candidate.chosen)
  if (!victim || !second || unit === 0) return []
  const bare = (candidate: OomCandidate): number => candidate.points - candidate.adjPages
  const sum = (candidate: OomCandidate, adj: number): string => {
    const by = adj * unit
    return `${formatCount(bare(candidate))} ${by < 0 ? '−' : '+'} ${formatCount(Math.abs(by))} = ${formatCount(bare(candidate) + by)}`
  }
  const out: WhatIf[] = []
  const less = Math.ceil((second.points - bare(victim)) / unit) - 1
  if (less > -ADJ_MAX)
    out.push({
      comm: victim.comm,
      pid: victim.pid,
      adj: less,
      sum: sum(victim, less),
      then: `then ${second.comm} ${second.pid}`,
    })
  else
    out.push({
      comm: victim.comm,
      pid: victim.pid,
      adj: -ADJ_MAX,
      sum: 'never chosen',
      then: `then ${second.comm} ${second.pid}`,
    })
  for (const candidate of open) {
    if (candidate.chosen || out.length >= nr) continue
    const more = Math.floor((victim.points - bare(candidate)) / unit) + 1
    if (more <= ADJ_MAX)
      out.push({
        comm: candidate.comm,
        pid: candidate.pid,
        adj: more,
        sum: sum(candidate, more),
        then: `then ${candidate.comm} ${candidate.pid}`,
      })
  }
  return out
}

/** What would have kept the victim alive, apart from its score. */
export function savers(report: OomReport): readonly string[] {
  const size = (pages: Pages): string => joinFigure(formatBytes(pagesToBytes(pages)))
  const inGroup = report.constraint === 'CONSTRAINT_MEMCG'
  const out: string[] = []
  if (inGroup) {
    const noSwap = report.lines.some((line) => MEMCG_SWAP_LINE.exec(line)?.[2] === '0')
    out.push(`A memory.max of ${report.oomMemcg} above ${size(report.totalPages)}, or a program that asks for less.`)
    if (noSwap) out.push('A memory.swap.max above 0: its anonymous pages could have left.')
    out.push('A memory.high below the limit: tasks are slowed down first, and somebody has time to act.')
    return out
  }
  if (report.constraint === 'CONSTRAINT_CPUSET')
    out.push('More nodes in cpuset.mems of the group: others may have free memory.')
  if (report.constraint === 'CONSTRAINT_MEMORY_POLICY')
    out.push('numactl --preferred instead of --membind: the rest would have come from other nodes.')
  const total = report.lines.map((line) => /^Total swap = (\d+)kB/.exec(line)?.[1]).find(Boolean)
  if (total === '0') out.push('A swap device: anonymous pages could have left memory.')
  else if (total) out.push(`More swap than ${joinFigure(formatBytes(Number(total) * KIB))}: all of it was taken.`)
  out.push('A memory.max on the group of the largest: the kill would have stayed inside it, and come earlier.')
  out.push('vm.overcommit_memory=2: the request would have been refused before a page was touched.')
  return out
}
