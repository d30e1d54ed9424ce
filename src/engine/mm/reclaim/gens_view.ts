/**
 * MGLRU's generations and tiers of one group on one node as a reader from outside sees them, and what its feedback would
 * choose next, with the numbers. Reads only; nothing here may be used by a mechanism.
 * @kernel  mm/vmscan.c lru_gen_seq_show(): debugfs lru_gen, lru_gen_full
 * @spec    05 §5.10
 */
import type { Ns, Pages } from '../../../util/units'
import type { KernelState } from '../../state'
import { LRU_GEN_ANON, LRU_GEN_FILE, MAX_NR_TIERS, lruvecOf, type LruGen } from '../lruvec'
import type { AnonFile } from './lists_view'
import { genFromSeq, genSize } from './lru_gen'
import { shouldRunAging } from './mglru_aging'
import { getTierIdx, positiveCtrlErr, readCtrlPos, type CtrlPos } from './mglru_pid'
import { getSwappiness } from './mglru_swappiness'
import type { ScanControl } from './scan_control'

export interface GenView {
  readonly seq: number
  readonly ageNs: Ns
  /** Of a type that has no pages this old any more: −1. */
  readonly pages: AnonFile
}

export interface TierView {
  readonly tier: number
  readonly evicted: AnonFile
  readonly protectedPages: AnonFile
  readonly refaulted: AnonFile
  /** Pages of this tier are not evicted with the generation but moved to the next. */
  readonly isProtected: readonly [boolean, boolean]
}

/** Why eviction would take from this type, in the order in which the kernel asks. */
export type TypeReason = 'no-swap' | 'anon-older' | 'swappiness-1' | 'swappiness-200' | 'feedback'

export interface TypeChoice {
  readonly type: 'anon' | 'file'
  readonly reason: TypeReason
  /** As getSwappiness() gives it: 0 when no swap may be used. */
  readonly swappiness: number
  /** Of tier 0: refaulted, total and gain. */
  readonly anon: CtrlPos
  readonly file: CtrlPos
}

export interface GensView {
  readonly maxSeq: number
  readonly minSeq: AnonFile
  /** Oldest first. */
  readonly gens: readonly GenView[]
  readonly tiers: readonly TierView[]
  readonly choice: TypeChoice
  readonly aging: { readonly isDue: boolean; readonly young: Pages; readonly old: Pages; readonly total: Pages }
}

function choose(g: LruGen, swappiness: number): TypeChoice {
  const anon = readCtrlPos(g, LRU_GEN_ANON, 0, swappiness)
  const file = readCtrlPos(g, LRU_GEN_FILE, 0, 200 - swappiness)
  const pick = (type: TypeChoice['type'], reason: TypeReason): TypeChoice => ({ type, reason, swappiness, anon, file })
  if (swappiness === 0) return pick('file', 'no-swap')
  if (g.minSeq[LRU_GEN_ANON]! < g.minSeq[LRU_GEN_FILE]!) return pick('anon', 'anon-older')
  if (swappiness === 1) return pick('file', 'swappiness-1')
  if (swappiness === 200) return pick('anon', 'swappiness-200')
  return pick(positiveCtrlErr(anon, file) ? 'file' : 'anon', 'feedback')
}

function tierView(g: LruGen, tier: number, last: readonly [number, number]): TierView {
  const of = (column: Float64Array): AnonFile => [column[tier]!, column[MAX_NR_TIERS + tier]!]
  return {
    tier,
    evicted: of(g.evicted),
    protectedPages: of(g.protectedPages),
    refaulted: of(g.refaulted),
    isProtected: [tier > last[0], tier > last[1]],
  }
}

/** @kernel  mm/vmscan.c lru_gen_seq_show() */
export function gensView(state: KernelState, sc: ScanControl, nid: number, memcg: number): GensView {
  const lruvec = lruvecOf(state, memcg, nid)
  const g = lruvec.gen
  const minSeq: AnonFile = [g.minSeq[LRU_GEN_ANON]!, g.minSeq[LRU_GEN_FILE]!]
  const swappiness = getSwappiness(state, sc, lruvec)
  const gens: GenView[] = []
  for (let seq = Math.min(...minSeq); seq <= g.maxSeq; seq++) {
    const gen = genFromSeq(seq)
    const size = (type: number): Pages => (seq < minSeq[type]! ? -1 : genSize(g, gen, type))
    gens.push({ seq, ageNs: state.nowNs - g.bornNs[gen]!, pages: [size(LRU_GEN_ANON), size(LRU_GEN_FILE)] })
  }
  const last = [getTierIdx(g, LRU_GEN_ANON), getTierIdx(g, LRU_GEN_FILE)] as const
  const considered = (of: GenView): Pages =>
    Math.max(0, of.pages[1]) + (swappiness === 0 ? 0 : Math.max(0, of.pages[0]))
  const sizeOf = (seq: number): Pages => {
    const found = gens.find((gen) => gen.seq === seq)
    return found === undefined ? 0 : considered(found)
  }
  return {
    maxSeq: g.maxSeq,
    minSeq,
    gens,
    tiers: Array.from({ length: MAX_NR_TIERS }, (_, tier) => tierView(g, tier, last)),
    choice: choose(g, swappiness),
    aging: {
      isDue: shouldRunAging(lruvec, swappiness !== 0).shouldAge,
      young: sizeOf(g.maxSeq),
      old: sizeOf(g.maxSeq - 2),
      total: gens.reduce((sum, gen) => sum + considered(gen), 0),
    },
  }
}
