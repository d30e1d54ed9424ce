/** What really happened, from the tracepoints of one request by hand: splits and merges as stories. Pure. */
import type { RecordedEvent } from '../../../protocol/messages'
import type { BuddyVerdict, MergeStep } from '../../../protocol/allocators'
import { hex, mergeStory, splitStory, type BlockStory } from './blocks'

export const STEP_EVENTS: readonly string[] = ['buddy_split', 'buddy_merge']

/**
 * Events of the second look that the first one did not have. By content, not by place: while the clock stands, a later
 * request may have spent less time in the kernel and so stand before an earlier one.
 */
export function newEvents(before: readonly RecordedEvent[], after: readonly RecordedEvent[]): readonly RecordedEvent[] {
  const keyOf = (event: RecordedEvent): string => JSON.stringify([event.name, event.atNs, event.fields])
  const known = new Map<string, number>()
  for (const event of before) known.set(keyOf(event), (known.get(keyOf(event)) ?? 0) + 1)
  return after.filter((event) => {
    const left = known.get(keyOf(event)) ?? 0
    if (left > 0) known.set(keyOf(event), left - 1)
    return left === 0
  })
}

const field = (event: RecordedEvent, name: string): number => event.fields[name] ?? 0

/** A chain of merges that goes on from each other. */
interface Chain {
  readonly steps: MergeStep[]
  /** Block at its end. */
  pfn: number
  order: number
}

/**
 * Splits and merges in the order in which they happened; merges that build on each other are one story.
 * @param stop  what stands beside the block that the last merge left
 */
export function storiesOf(events: readonly RecordedEvent[], stop?: MergeStep): readonly BlockStory[] {
  const stories: BlockStory[] = []
  let chain: Chain | undefined
  const close = (): void => {
    const story = chain && mergeStory(chain.steps)
    if (story) stories.push(story)
    chain = undefined
  }
  for (const event of events) {
    if (event.name === 'buddy_split') {
      close()
      stories.push(splitStory(field(event, 'pfn'), field(event, 'order_high'), field(event, 'order_low')))
    } else if (event.name === 'buddy_merge') {
      const [pfn, order] = [field(event, 'pfn'), field(event, 'order')]
      if (!chain || chain.pfn !== pfn || chain.order !== order) {
        close()
        chain = { steps: [], pfn, order }
      }
      chain.steps.push({ order, pfn, buddy: field(event, 'buddy_pfn'), verdict: 'merges', buddyOrder: order })
      chain.pfn = field(event, 'merged_pfn')
      chain.order = order + 1
    }
  }
  if (chain && stop?.pfn === chain.pfn && stop.order === chain.order) chain.steps.push(stop)
  close()
  return stories
}

/** The block that the last merge left, whose own buddy says why it stopped there. */
export function endOfMerges(
  events: readonly RecordedEvent[],
): { readonly pfn: number; readonly order: number } | undefined {
  const last = events.findLast((event) => event.name === 'buddy_merge')
  return last && { pfn: field(last, 'merged_pfn'), order: field(last, 'order') + 1 }
}

/** One request by hand and what it set off. */
export interface Happened {
  readonly verb: 'alloc' | 'free'
  readonly order: number
  /** First frame that was given or taken back, 0 unknown. */
  readonly pfn: number
  readonly stories: readonly BlockStory[]
  /** It waits in the slow path. */
  readonly isWaiting: boolean
}

const isPcpOrder = (order: number): boolean => order <= 3 || order === 9

/** Why there is nothing to step through. */
export function quietWords({ verb, order, pfn, isWaiting }: Happened, verdict: BuddyVerdict | undefined): string {
  if (isWaiting)
    return `No zone has ${2 ** order} pages above its mark: the request waits in the slow path for reclaim and compaction. Let time run.`
  const block = `order ${order} at ${hex(pfn)}`
  if (verb === 'alloc')
    return isPcpOrder(order)
      ? `Nothing was split: a per-CPU list had a block of order ${order}, and ${hex(pfn)} came from there.`
      : `Nothing was split: free list ${order} had a block of just that order, ${hex(pfn)}.`
  if (isPcpOrder(order))
    return `Nothing was merged: ${block} went to the list of the CPU, as orders 0 to 3 and 9 do. The buddy system sees it once that list is longer than its high mark.`
  return verdict === undefined || verdict === 'merges'
    ? `Nothing was merged: ${block} went to free list ${order}.`
    : `Nothing was merged: ${block} went to free list ${order}, because its buddy is ${verdict === 'split' ? 'free only in parts' : verdict}.`
}

/** Why pages were refused where the kernel only says that it has none. */
export function refusedWords(text: string): string {
  const order = Number(/order=(\d+)/.exec(text)?.[1] ?? 0)
  if (!text.startsWith('alloc')) return ''
  if (order > 10) return `The largest block is of order 10, 4 MiB: the kernel warns once and gives none.`
  return `No zone that these flags allow could give 2^${order} pages, also not after reclaim where they allow to wait; dmesg has the report.`
}
