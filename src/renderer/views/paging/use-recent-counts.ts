/** Counts of the last second of simulated time: a few older answers are kept to subtract from the newest. */
import { computed, shallowRef, watch, type ComputedRef } from 'vue'
import type { TlbCounts, TlbReply } from '../../../protocol/paging'
import { NS_PER_S } from '../../../util/units'
import { between } from './tlb'

const NONE: readonly TlbReply[] = []

/** Answers worth keeping: the newest one that is a second old, and all younger ones; none from a future that was undone. */
export function keep(samples: readonly TlbReply[], next: TlbReply): readonly TlbReply[] {
  const past = samples.filter(({ atNs }) => atNs < next.atNs)
  const old = past.findLastIndex(({ atNs }) => atNs <= next.atNs - NS_PER_S)
  return [...past.slice(Math.max(0, old)), next]
}

/** @returns counts by CPU since the oldest answer kept, and how long that is, ns */
export function useRecentCounts(
  reply: () => TlbReply | undefined,
): ComputedRef<{ readonly counts: readonly TlbCounts[]; readonly spanNs: number } | undefined> {
  const samples = shallowRef(NONE)
  watch(reply, (next) => {
    samples.value = next ? keep(samples.value, next) : NONE
  })
  return computed(() => {
    const now = reply()
    const [first] = samples.value
    if (!now) return undefined
    const counts = now.tlb.counts.map((each, cpu) => between(each, first?.tlb.counts[cpu]))
    return { counts, spanNs: now.atNs - (first?.atNs ?? now.atNs) }
  })
}
