/**
 * The ways through the slab allocator as questions, asked in this order until one is answered with yes. Pure.
 * @kernel mm/slub.c slab_alloc_node(), ___slab_alloc(), do_slab_free(), __slab_free()
 */
import type { SlabCacheView } from '../../../protocol/allocators'
import { formatCount } from '../../format'

export interface Rung {
  /** The counter of CONFIG_SLUB_STATS; the file says by it which way was taken. */
  readonly path: string
  readonly question: string
  readonly yes: string
  /** No lock is taken up to here. */
  readonly isFast?: boolean
}

export const ALLOC_RUNGS: readonly Rung[] = [
  {
    path: 'alloc_fastpath',
    question: 'Has the CPU’s own freelist an object?',
    yes: 'Taken with one compare-and-exchange, no lock: the fast path.',
    isFast: true,
  },
  {
    path: 'alloc_refill',
    question: 'Did others give objects back to its slab?',
    yes: 'The whole freelist of the slab becomes the CPU’s own.',
  },
  {
    path: 'cpu_partial_alloc',
    question: 'Has the CPU set slabs aside?',
    yes: 'The first of them becomes its slab.',
  },
  {
    path: 'alloc_from_partial',
    question: 'Is a slab on a partial list of a node?',
    yes: 'Taken under the list lock; some more are set aside at once.',
  },
  {
    path: 'alloc_slab',
    question: 'None at all:',
    yes: 'new pages come from the buddy allocator and become a slab.',
  },
]

export const FREE_RUNGS: readonly Rung[] = [
  {
    path: 'free_fastpath',
    question: 'Is it in the slab that this CPU allocates from?',
    yes: 'Put at the head of the CPU’s own freelist, no lock: the fast path.',
    isFast: true,
  },
  {
    path: 'free_frozen',
    question: 'Does another CPU allocate from its slab?',
    yes: 'Put on the slab’s own freelist: the CPU takes it once its own is empty.',
  },
  {
    path: 'cpu_partial_free',
    question: 'Was its slab full, on no list?',
    yes: 'This CPU sets the slab aside.',
  },
  {
    path: 'cpu_partial_drain',
    question: 'The same, but has the CPU set enough aside?',
    yes: 'All of them go to the node’s partial list first.',
  },
  {
    path: 'free_slab',
    question: 'Was it the last object, and has the node enough partial slabs?',
    yes: 'The pages of the slab go back to the buddy allocator.',
  },
  {
    path: 'free_slowpath',
    question: 'None of these:',
    yes: 'it goes on the slab’s own freelist, and the slab stays where it is.',
  },
]

export interface RungState extends Rung {
  readonly state: 'no' | 'yes' | 'not asked'
}

/** What was answered on the way that was taken; nothing is known of an unknown way. */
export function ladderOf(verb: string, path: string): readonly RungState[] {
  const rungs = verb === 'free' ? FREE_RUNGS : ALLOC_RUNGS
  const taken = rungs.findIndex((rung) => rung.path === path)
  return rungs.map((rung, at) => ({
    ...rung,
    state: taken < 0 || at > taken ? 'not asked' : at === taken ? 'yes' : 'no',
  }))
}

// ---------------------------------------------------------------- what changed

/** Free objects that all CPUs hold on lists of their own, and so on: a figure for each list. */
function figuresOf(cache: SlabCacheView): ReadonlyMap<string, number> {
  const figures = new Map<string, number>()
  for (const { cpu, active, cpuFree, nrPartial } of cache.cpus) {
    figures.set(`cpu${cpu} freelist`, cpuFree)
    figures.set(`freelist of cpu${cpu}’s slab`, active?.free ?? 0)
    figures.set(`cpu${cpu} partial`, nrPartial)
  }
  for (const { nid, nrPartial, nrFull, nrSlabs } of cache.nodes) {
    figures.set(`node ${nid} partial`, nrPartial)
    figures.set(`full on node ${nid}`, nrFull)
    figures.set(`slabs on node ${nid}`, nrSlabs)
  }
  return figures
}

/** 'cpu0 freelist 15 → 14': every list that an operation made longer or shorter. */
export function listChanges(before: SlabCacheView, after: SlabCacheView): readonly string[] {
  const was = figuresOf(before)
  const changes: string[] = []
  for (const [list, now] of figuresOf(after)) {
    const then = was.get(list) ?? 0
    if (then !== now) changes.push(`${list} ${formatCount(then)} → ${formatCount(now)}`)
  }
  return changes
}
