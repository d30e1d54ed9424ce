/**
 * The order in which MGLRU visits memory cgroups: generations and random bins instead of the whole tree, so that many
 * groups do not make every reclaim slow.
 * @kernel  mm/vmscan.c shrink_many(), shrink_one(), lru_gen_rotate_memcg()
 * @spec    05 §5.10 "memcg LRU"
 */
import { below } from '../../../util/prng'
import type { KernelState } from '../../state'
import { lruvecOf, type Lruvec } from '../lruvec'
import { MEMCG_LOW, memcgBelowLow, memcgBelowMin, memcgEvent } from '../memcontrol'
import { lruvecIsSizable } from './mglru'
import { openVisit } from './reclaim_log'
import { OUTCOME_BELOW_LOW, OUTCOME_BELOW_MIN } from './reclaim_record'
import type { MemcgLru } from './reclaim_state'
import type { ScanControl, ShrinkRun } from './scan_control'

const NR_GENS = 3
const NR_BINS = 8

/** What becomes of a group after its visit. @kernel MEMCG_LRU_TAIL, MEMCG_LRU_YOUNG */
const STAY = 0
const TAIL = 2
const YOUNG = 4

/** @kernel  lru_gen_init_pgdat() */
export const createMemcgLru = (): MemcgLru => ({
  seq: 0,
  fifo: Array.from({ length: NR_GENS * NR_BINS }, () => []),
  nrMemcgs: Array.from({ length: NR_GENS }, () => 0),
})

const fifoOf = (lru: MemcgLru, gen: number, bin: number): number[] => lru.fifo[gen * NR_BINS + bin]!

/** Groups made since the last time join the current generation; groups that are gone leave. @kernel lru_gen_online_memcg() */
export function syncMemcgLru(state: KernelState, nid: number): void {
  const lru = state.reclaim.memcgLru[nid]!
  for (let i = 0; i < lru.fifo.length; i++) {
    const list = lru.fifo[i]!
    const alive = list.filter((id) => state.memcgs[id] !== undefined && lruvecOf(state, id, nid).memcgGen >= 0)
    lru.nrMemcgs[Math.floor(i / NR_BINS)]! -= list.length - alive.length
    lru.fifo[i] = alive
  }
  for (let id = 1; id < state.memcgs.length; id++) {
    if (state.memcgs[id] === undefined) continue
    const lruvec = lruvecOf(state, id, nid)
    if (lruvec.memcgGen >= 0) continue
    lruvec.memcgGen = lru.seq % NR_GENS
    lruvec.memcgBin = below(state.prng, 'mm/memcg_lru', NR_BINS)
    fifoOf(lru, lruvec.memcgGen, lruvec.memcgBin).push(id)
    lru.nrMemcgs[lruvec.memcgGen]!++
  }
}

/** @kernel  lru_gen_rotate_memcg() */
function rotate(state: KernelState, lruvec: Lruvec, op: number): void {
  const lru = state.reclaim.memcgLru[lruvec.nid]!
  const old = lruvec.memcgGen
  const list = fifoOf(lru, old, lruvec.memcgBin)
  list.splice(list.indexOf(lruvec.memcg), 1)
  lruvec.memcgSeg = op === TAIL ? TAIL : 0
  lruvec.memcgGen = op === YOUNG ? (lru.seq + 1) % NR_GENS : old
  lruvec.memcgBin = below(state.prng, 'mm/memcg_lru', NR_BINS)
  fifoOf(lru, lruvec.memcgGen, lruvec.memcgBin).push(lruvec.memcg)
  lru.nrMemcgs[old]!--
  lru.nrMemcgs[lruvec.memcgGen]!++
  if (lru.nrMemcgs[old] === 0 && old === lru.seq % NR_GENS) lru.seq++
}

/** Starts at a random bin of the current generation. @kernel shrink_many() */
export function beginMemcgWalk(state: KernelState, run: ShrinkRun): void {
  syncMemcgLru(state, run.nid)
  const { walk } = run
  walk.gen = state.reclaim.memcgLru[run.nid]!.seq % NR_GENS
  walk.firstBin = below(state.prng, 'mm/memcg_lru', NR_BINS)
  walk.bin = walk.firstBin
  walk.next = 0
  walk.visited = []
}

/** Next group of the generation, 0 at its end. A group rotated within it is met again once, at its new place. */
function nextInWalk(state: KernelState, run: ShrinkRun): number {
  const { walk } = run
  const lru = state.reclaim.memcgLru[run.nid]!
  for (;;) {
    const list = fifoOf(lru, walk.gen, walk.bin)
    if (walk.next < list.length) return list[walk.next]!
    walk.next = 0
    walk.bin = (walk.bin + 1) % NR_BINS
    if (walk.bin === walk.firstBin) return 0
  }
}

function leave(state: KernelState, run: ShrinkRun, lruvec: Lruvec, op: number): void {
  if (op === STAY) run.walk.next++
  else rotate(state, lruvec, op)
}

/**
 * Goes on to the next group that may be reclaimed: below min never; below low at its second visit.
 * @returns its id, 0 when the walk is over
 * @kernel  shrink_many(), shrink_one()
 */
export function nextMemcgToShrink(state: KernelState, sc: ScanControl, run: ShrinkRun): number {
  for (let id = nextInWalk(state, run); id !== 0; id = nextInWalk(state, run)) {
    const lruvec = lruvecOf(state, id, run.nid)
    if (memcgBelowMin(state, 0, id)) {
      openVisit(state, sc, lruvec, OUTCOME_BELOW_MIN)
      leave(state, run, lruvec, YOUNG)
      continue
    }
    if (memcgBelowLow(state, 0, id)) {
      if (lruvec.memcgSeg !== TAIL) {
        openVisit(state, sc, lruvec, OUTCOME_BELOW_LOW)
        leave(state, run, lruvec, TAIL)
        continue
      }
      memcgEvent(state, id, MEMCG_LOW)
    }
    return id
  }
  return 0
}

/** The visit is over: where the group goes. @kernel shrink_one(), end */
export function endMemcgVisit(state: KernelState, sc: ScanControl, run: ShrinkRun): void {
  const lruvec = lruvecOf(state, run.memcg, run.nid)
  const isOnline = state.memcgs[run.memcg]!.online
  if (run.nrToScan < 0 && isOnline) leave(state, run, lruvec, YOUNG)
  else if (run.nrToScan >= 0 && lruvecIsSizable(state, sc, run.memcg, run.nid)) leave(state, run, lruvec, STAY)
  else leave(state, run, lruvec, lruvec.memcgSeg === TAIL ? YOUNG : TAIL)
}

/** A group's own reclaim ended with aging: it is young. @kernel lru_gen_shrink_lruvec() */
export function noteMemcgYoung(state: KernelState, run: ShrinkRun, lruvec: Lruvec): void {
  if (run.nrToScan < 0 && lruvec.memcgGen >= 0) rotate(state, lruvec, YOUNG)
}
