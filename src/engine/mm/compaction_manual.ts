/**
 * Compaction by hand: a write to compact_memory, or to a node's `compact`, goes over every zone from end to end.
 * @kernel  mm/compaction.c compact_nodes()
 * @spec    08 §8.7
 */
import type { Errno } from '../../util/errno'
import { currentTask, hasWriterTime, now, suspend, writerPieceEnd } from '../exec'
import type { KernelState } from '../state'
import { abandonCompactZone, beginCompactZone, continueCompactZone, createCompactControl } from './compaction'
import type { CompactControl } from './compaction_state'
import { COMPACT_CONTINUE } from './compaction_suitable'
import { PREEMPTED } from './direct_reclaim'
import { lruAddDrainAll } from './swap'

const SIGKILL = 9

/** Longest piece between two looks at the scheduler. @model cond_resched() in the kernel's loops */
const PIECE_NS = 1_000_000

/**
 * Every zone of some nodes, from end to end.
 * @returns EINTR when the writer was killed; undefined = done, or the task has to wait (isSuspended)
 * @kernel  mm/compaction.c compact_nodes(), compact_node()
 */
export function compactNodes(state: KernelState, nids: readonly number[]): Errno | undefined {
  const task = currentTask(state)
  const { manual } = state.compaction
  const pid = hasWriterTime(state) ? state.exec.pid : 0
  if (manual[pid] === undefined) lruAddDrainAll(state)
  const work = manual[pid] ?? { zones: populated(state, nids), control: undefined }
  const endNs = writerPieceEnd(state, PIECE_NS)
  while (work.zones.length > 0 && task?.killSignal !== SIGKILL) {
    work.control ??= beginManual(state, work.zones[0]!)
    if (continueCompactZone(state, work.control, endNs) === COMPACT_CONTINUE) {
      manual[pid] = work
      suspend(state, now(state), PREEMPTED)
      return undefined
    }
    work.control = undefined
    work.zones.shift()
  }
  endManualCompaction(state, pid)
  return task?.killSignal === SIGKILL ? 'EINTR' : undefined
}

/** The write is over, or its writer is gone. @kernel fatal_signal_pending() in compact_node() */
export function endManualCompaction(state: KernelState, pid: number): void {
  const { manual } = state.compaction
  const control = manual[pid]?.control
  if (control !== undefined) abandonCompactZone(state, control)
  delete manual[pid]
}

const populated = (state: KernelState, nids: readonly number[]): number[] =>
  nids.flatMap((nid) => state.nodes[nid]!.zones.filter((z) => state.zones[z]!.managed > 0))

function beginManual(state: KernelState, zone: number): CompactControl {
  const control = createCompactControl({
    zone,
    order: -1,
    mode: 'sync',
    by: 'manual',
    wholeZone: true,
    ignoreSkipHint: true,
  })
  beginCompactZone(state, control)
  return control
}
