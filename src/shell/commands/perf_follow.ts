/** Which tasks a counter counts: all, some by number, or a command from its exec on with everybody it forks. */
import type { DataTlbCounts } from '../../engine/mm/tlb_task'
import type { Tracepoint } from '../../engine/trace'
import type { ToolContext } from '../process'
import type { TraceEvent, Usage } from '../sys'
import { startCommand } from './run'

/** What tells who forks whom, and when a command begins and ends. */
export const LIFE: readonly Tracepoint[] = ['sched_process_fork', 'sched_process_exec', 'sched_process_exit']

const NOTHING: Usage = { minorFaults: 0, majorFaults: 0, contextSwitches: 0, userNs: 0, systemNs: 0 }

export interface Follower {
  /** The command that is followed from its exec on; 0 until it is known. */
  root: number
  readonly isCounted: (pid: number) => boolean
  /** Looks at the life of tasks; before isCounted() is asked about the same event. */
  readonly see: (event: TraceEvent) => void
  /** Usage of all who were followed, as far as it is known: of those that ended, and of the living through `usageOf`. */
  readonly total: (usageOf: (pid: number) => Usage | undefined) => Usage
}

const NO_TLB: DataTlbCounts = { loads: 0, stores: 0, loadWalks: 0, storeWalks: 0, l2Hits: 0 }

const combineTlb = (a = NO_TLB, b = NO_TLB, sign: 1 | -1): DataTlbCounts => ({
  loads: a.loads + sign * b.loads,
  stores: a.stores + sign * b.stores,
  loadWalks: a.loadWalks + sign * b.loadWalks,
  storeWalks: a.storeWalks + sign * b.storeWalks,
  l2Hits: a.l2Hits + sign * b.l2Hits,
})

/** What was used beside what was used before, with `sign` −1 the difference. */
export const combine = (a: Usage, b: Usage, sign: 1 | -1): Usage => ({
  minorFaults: a.minorFaults + sign * b.minorFaults,
  majorFaults: a.majorFaults + sign * b.majorFaults,
  contextSwitches: a.contextSwitches + sign * b.contextSwitches,
  userNs: a.userNs + sign * b.userNs,
  systemNs: a.systemNs + sign * b.systemNs,
  tlb: combineTlb(a.tlb, b.tlb, sign),
})

/** @param pids  followed from the start, with what they had used by then */
export function createFollower(pids: ReadonlyMap<number, Usage>): Follower {
  /** pid → usage when counting began. */
  const living = new Map(pids)
  let ended = NOTHING
  const follower: Follower = {
    root: 0,
    isCounted: (pid) => living.has(pid),
    see: ({ name, args, usage }) => {
      const [first = 0, second = 0] = args
      if (name === 'sched_process_fork' && living.has(first)) living.set(second, NOTHING)
      if (name === 'sched_process_exec' && first === follower.root && !living.has(first))
        living.set(first, usage ?? NOTHING)
      const since = living.get(first)
      if (name !== 'sched_process_exit' || since === undefined) return
      ended = combine(ended, combine(usage ?? since, since, -1), 1)
      living.delete(first)
    },
    total: (usageOf) => {
      let sum = ended
      for (const [pid, since] of living) sum = combine(sum, combine(usageOf(pid) ?? since, since, -1), 1)
      return sum
    },
  }
  return follower
}

/**
 * Runs the command that perf was given, while the follower watches.
 * @returns its status, and how long it took; a status alone when there is no such command
 */
export async function runFollowed(
  context: ToolContext,
  command: readonly string[],
  follower: Follower,
): Promise<{ readonly status: number; readonly elapsedNs: number } | number> {
  const startNs = context.sys.now()
  const started = await startCommand(context, command)
  if (typeof started === 'number') {
    const isMissing = started === 126 || started === 127
    return isMissing ? started : { status: started, elapsedNs: context.sys.now() - startNs }
  }
  follower.root = started.pid
  const status = await context.doom.race(started.done, { interruptible: false })
  return { status, elapsedNs: context.sys.now() - startNs }
}
