/**
 * Aging and eviction by hand: what can be written to /sys/kernel/debug/lru_gen.
 *
 *   + memcg_id node max_gen [can_swap [force_scan]]           walks page tables and opens a new generation
 *   - memcg_id node min_gen [swappiness [nr_to_reclaim]]      evicts generations up to this one
 * @kernel  mm/vmscan.c lru_gen_seq_write(), run_cmd(), run_aging(), run_eviction()
 * @spec    05 §5.10
 */
import type { Errno } from '../../../util/errno'
import { currentTask } from '../../exec'
import type { KernelState } from '../../state'
import { GFP_KERNEL, MAX_NR_ZONES } from '../gfp'
import { LRU_GEN_ANON, LRU_GEN_FILE, MAX_NR_GENS, MIN_NR_GENS, lruvecOf, type Lruvec } from '../lruvec'
import { tryToIncMaxSeq } from './mglru_aging'
import { evictFolios } from './mglru_evict'
import { getSwappiness } from './mglru_swappiness'
import { closeRun, openRun, openVisit } from './reclaim_log'
import { OUTCOME_SCANNED } from './reclaim_record'
import { createScanControl, type ScanControl } from './scan_control'

const MAX_SWAPPINESS = 200

/** The oldest generation of the types that may be taken. */
const oldest = ({ gen }: Lruvec, swappiness: number): number =>
  gen.minSeq[swappiness === 0 ? LRU_GEN_FILE : LRU_GEN_ANON]!

/**
 * @returns EINVAL not the youngest generation; ERANGE there are four already, and moving the oldest was not asked for
 * @kernel  run_aging()
 */
function runAging(
  state: KernelState,
  lruvec: Lruvec,
  seq: number,
  how: { readonly swappiness: number; readonly isForced: boolean },
): Errno | undefined {
  const { maxSeq } = lruvec.gen
  if (seq < maxSeq) return undefined
  if (seq > maxSeq) return 'EINVAL'
  if (!how.isForced && oldest(lruvec, how.swappiness) + MAX_NR_GENS - 1 <= maxSeq) return 'ERANGE'
  tryToIncMaxSeq(state, lruvec, how.swappiness !== 0)
  return undefined
}

/**
 * @returns EINVAL one of the two youngest generations; EINTR on a signal
 * @kernel  run_eviction()
 */
function runEviction(
  state: KernelState,
  sc: ScanControl,
  lruvec: Lruvec,
  seq: number,
  how: { readonly swappiness: number; readonly nrToReclaim: number },
): Errno | undefined {
  if (seq + MIN_NR_GENS > lruvec.gen.maxSeq) return 'EINVAL'
  const task = currentTask(state)
  while (task === undefined || (task.killSignal === 0 && !task.signalled)) {
    if (seq < oldest(lruvec, how.swappiness)) return undefined
    if (sc.nrReclaimed >= how.nrToReclaim) return undefined
    if (evictFolios(state, sc, lruvec, how.swappiness) === 0) return undefined
  }
  return 'EINTR'
}

/** '+ 1 0 5 1' → its numbers; undefined when it is none. */
function parse(text: string): { readonly cmd: string; readonly numbers: readonly number[] } | undefined {
  const match = /^(.)\s*(\d+)\s+(\d+)\s+(\d+)(?:\s+(\d+))?(?:\s+(\d+))?\s*$/.exec(text)
  if (match === null) return undefined
  return { cmd: match[1]!, numbers: match.slice(2).flatMap((word) => (word === undefined ? [] : [Number(word)])) }
}

/** @kernel run_cmd() */
function runCommand(state: KernelState, text: string): Errno | undefined {
  const parsed = parse(text)
  if (parsed === undefined) return 'EINVAL'
  const [memcg = 0, nid = 0, seq = 0, swappinessGiven, option] = parsed.numbers
  if (state.nodes[nid]?.hasMemory !== true || state.memcgs[memcg]?.online !== true) return 'EINVAL'
  const lruvec = lruvecOf(state, memcg, nid)
  const sc = createScanControl({
    kind: 'direct',
    target: 0,
    nrToReclaim: option ?? lruvec.sizes.reduce((sum, size) => sum + size, 0),
    order: 0,
    gfp: GFP_KERNEL,
    reclaimIdx: MAX_NR_ZONES - 1,
  })
  const swappiness = swappinessGiven ?? getSwappiness(state, sc, lruvec)
  if (swappiness > MAX_SWAPPINESS) return 'EINVAL'
  if (parsed.cmd === '+') return runAging(state, lruvec, seq, { swappiness, isForced: option !== 0 })
  if (parsed.cmd !== '-') return 'EINVAL'
  openRun(state, sc, nid, 'lru_gen')
  openVisit(state, sc, lruvec, OUTCOME_SCANNED)
  const errno = runEviction(state, sc, lruvec, seq, { swappiness, nrToReclaim: sc.nrToReclaim })
  closeRun(state, sc)
  return errno
}

/**
 * Commands, separated by commas, semicolons or line ends, up to the first that fails.
 * @kernel  lru_gen_seq_write()
 */
export function lruGenCommands(state: KernelState, text: string): Errno | undefined {
  const task = currentTask(state)
  const wasMemalloc = task?.memalloc ?? false
  if (task !== undefined) task.memalloc = true
  let errno: Errno | undefined
  for (const piece of text.split(/[,;\n]/)) {
    if (piece.trim() === '') continue
    errno = runCommand(state, piece.trimStart())
    if (errno !== undefined) break
  }
  if (task !== undefined) task.memalloc = wasMemalloc
  return errno
}
