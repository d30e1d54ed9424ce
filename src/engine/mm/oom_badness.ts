/**
 * How bad a process is: the points by which the OOM killer chooses, and the score that /proc shows.
 * @kernel  mm/oom_kill.c oom_badness(), fs/proc/base.c proc_oom_score()
 * @spec    06 §6.3
 */
import { bytesToPagesFloor, type Bytes, type Pages } from '../../util/units'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { MM_SWAPENTS, type Mm } from './mm_types'
import type { OomCandidate } from './oom_report'
import { totalRamPages } from './overcommit'
import { mmOf, roughRss, roughRssTotal } from './rss'
import { totalSwapPages } from './swap_space'

export const OOM_SCORE_ADJ_MIN = -1000

/** Never chosen, whatever it holds. @kernel oom_unkillable_task() */
export const isUnkillable = (task: Task): boolean => task.pid === 1 || task.isKthread

/** What a process is worth to the OOM killer, from the plain numbers. @spec 06 §6.3 */
export interface BadnessInput {
  /** File, anonymous and shmem pages as a cheap reader sees them. */
  readonly rss: Pages
  readonly swap: Pages
  readonly pgtablesBytes: Bytes
  readonly adj: number
  readonly totalPages: Pages
}

/**
 * Pages, plus oom_score_adj in thousandths of all memory. May be negative.
 * @returns undefined: never chosen
 * @kernel  oom_badness()
 */
export function badnessPoints(input: BadnessInput): number | undefined {
  if (input.adj === OOM_SCORE_ADJ_MIN) return undefined
  return memoryPoints(input) + adjPoints(input)
}

const memoryPoints = (input: BadnessInput): number => input.rss + input.swap + bytesToPagesFloor(input.pgtablesBytes)
/** The division comes first: small machines round a lot. */
const adjPoints = (input: BadnessInput): number => input.adj * Math.floor(input.totalPages / 1000)

function badnessInput(state: KernelState, task: Task, mm: Mm, totalPages: Pages): BadnessInput {
  return {
    rss: roughRssTotal(state, task.mm),
    swap: roughRss(state, task.mm, MM_SWAPENTS),
    pgtablesBytes: mm.pgtablesBytes,
    adj: task.oomScoreAdj,
    totalPages,
  }
}

/** @returns undefined: never chosen */
export function oomBadness(state: KernelState, task: Task, totalPages: Pages): number | undefined {
  const mm = mmOf(state, task)
  if (isUnkillable(task) || mm === undefined || mm.oomSkip) return undefined
  return badnessPoints(badnessInput(state, task, mm, totalPages))
}

/** Of points the number that /proc shows: 666 for a process that uses nothing. @kernel proc_oom_score() */
export function oomScoreOf(points: number | undefined, totalPages: Pages): number {
  if (points === undefined) return 0
  return Math.trunc(((1000 + Math.trunc((points * 1000) / totalPages)) * 2) / 3)
}

/** /proc/<pid>/oom_score: always measured against the whole machine. @kernel proc_oom_score() */
export function oomScore(state: KernelState, pid: number): number {
  const task = state.tasks[pid]
  if (task === undefined) return 0
  const totalPages = totalRamPages(state) + totalSwapPages(state)
  return oomScoreOf(oomBadness(state, task, totalPages), totalPages)
}

/** Every process that was looked at, with what it would have counted. @model for the user interface; the kernel keeps no such list */
export function oomCandidates(state: KernelState, tasks: readonly Task[], totalPages: Pages): OomCandidate[] {
  return tasks.flatMap((task) => {
    const mm = mmOf(state, task)
    if (mm === undefined || task.isKthread) return []
    const input = badnessInput(state, task, mm, totalPages)
    return {
      pid: task.pid,
      comm: task.comm,
      rss: input.rss,
      swap: input.swap,
      pgtables: bytesToPagesFloor(input.pgtablesBytes),
      adj: input.adj,
      adjPages: adjPoints(input),
      points: memoryPoints(input) + adjPoints(input),
      spared: sparedBecause(task, mm),
    }
  })
}

function sparedBecause(task: Task, mm: Mm): OomCandidate['spared'] {
  if (task.pid === 1) return 'init'
  if (task.oomScoreAdj === OOM_SCORE_ADJ_MIN) return 'oom_score_adj -1000'
  if (mm.oomSkip) return 'already reaped'
  return task.isOomVictim ? 'already dying' : ''
}
