/**
 * MGLRU's generations and tiers of one group on one node as a reader from outside sees them, and what its feedback would
 * choose next, with the numbers. Reads only; nothing here may be used by a mechanism.
 * @kernel  mm/vmscan.c lru_gen_seq_show(): debugfs lru_gen, lru_gen_full
 * @spec    05 §5.10
 */
import type { Ns, Pages } from '../../../util/units'
import type { KernelState } from '../../state'
import { LRU_GEN_ANON, LRU_GEN_FILE, MAX_NR_TIERS, lruvecOf, type LruGen } from '../lruvec'
import { fullestGroup, type AnonFile } from './lists_view'
import { genFromSeq, genSize } from './lru_gen'
import { shouldRunAging } from './mglru_aging'
import { getTierIdx, positiveCtrlErr, readCtrlPos, type CtrlPos } from './mglru_pid'
import { getSwappiness } from './mglru_swappiness'
import type { ScanControl } from './scan_control'

export interface GenView {
  /** −1 in a sum over groups: each counts its own. */
  readonly seq: number
  /** Generations that are younger. */
  readonly younger: number
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
  /** Memcg id whose choice, ages and sequence numbers these are. */
  readonly leader: number
  readonly nrGroups: number
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

/** Of one group. */
function gensOf(state: KernelState, sc: ScanControl, nid: number, memcg: number): GensView {
  const lruvec = lruvecOf(state, memcg, nid)
  const g = lruvec.gen
  const minSeq: AnonFile = [g.minSeq[LRU_GEN_ANON]!, g.minSeq[LRU_GEN_FILE]!]
  const swappiness = getSwappiness(state, sc, lruvec)
  const gens: GenView[] = []
  for (let seq = Math.min(...minSeq); seq <= g.maxSeq; seq++) {
    const gen = genFromSeq(seq)
    const size = (type: number): Pages => (seq < minSeq[type]! ? -1 : genSize(g, gen, type))
    gens.push({
      seq,
      younger: g.maxSeq - seq,
      ageNs: state.nowNs - g.bornNs[gen]!,
      pages: [size(LRU_GEN_ANON), size(LRU_GEN_FILE)],
    })
  }
  const last = [getTierIdx(g, LRU_GEN_ANON), getTierIdx(g, LRU_GEN_FILE)] as const
  const considered = (of: GenView | undefined): Pages =>
    Math.max(0, of?.pages[1] ?? 0) + (swappiness === 0 ? 0 : Math.max(0, of?.pages[0] ?? 0))
  return {
    leader: memcg,
    nrGroups: 1,
    maxSeq: g.maxSeq,
    minSeq,
    gens,
    tiers: Array.from({ length: MAX_NR_TIERS }, (_, tier) => tierView(g, tier, last)),
    choice: choose(g, swappiness),
    aging: {
      isDue: shouldRunAging(lruvec, swappiness !== 0).shouldAge,
      young: considered(gens.at(-1)),
      old: considered(gens.at(-3)),
      total: gens.reduce((sum, gen) => sum + considered(gen), 0),
    },
  }
}

const add = (a: AnonFile, b: AnonFile): AnonFile => [a[0] + b[0], a[1] + b[1]]

/** Each group counts its generations by itself, so that pages are added up by how many generations are younger. */
function sumOf(views: readonly GensView[], leader: GensView): GensView {
  const deepest = Math.max(...views.flatMap(({ gens }) => gens.map(({ younger }) => younger)))
  const gens = Array.from({ length: deepest + 1 }, (_, i): GenView => {
    const younger = deepest - i
    const same = views.flatMap((view) => view.gens.filter((gen) => gen.younger === younger))
    const pages = same.reduce<AnonFile>(
      (sum, gen) => add(sum, [Math.max(0, gen.pages[0]), Math.max(0, gen.pages[1])]),
      [0, 0],
    )
    const led = leader.gens.find((gen) => gen.younger === younger)
    return { seq: -1, younger, ageNs: led?.ageNs ?? -1, pages }
  })
  const tiers = leader.tiers.map((tier, i) => ({
    ...tier,
    evicted: views.reduce((sum, view) => add(sum, view.tiers[i]!.evicted), [0, 0] as AnonFile),
    protectedPages: views.reduce((sum, view) => add(sum, view.tiers[i]!.protectedPages), [0, 0] as AnonFile),
    refaulted: views.reduce((sum, view) => add(sum, view.tiers[i]!.refaulted), [0, 0] as AnonFile),
  }))
  return { ...leader, gens, tiers, nrGroups: views.length }
}

/**
 * @param groups  one or more memcg ids; of several, generations and tiers are sums, and what would be chosen is that of
 *   the group with the most pages
 * @kernel  mm/vmscan.c lru_gen_seq_show()
 */
export function gensView(state: KernelState, sc: ScanControl, nid: number, groups: readonly number[]): GensView {
  const views = groups.map((memcg) => gensOf(state, sc, nid, memcg))
  const most = fullestGroup(state, nid, groups)
  const leader = views.find((view) => view.leader === most)!
  return views.length === 1 ? leader : sumOf(views, leader)
}
