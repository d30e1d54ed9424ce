/**
 * Blocks of 2^order frames and their buddies as arithmetic that can be read: splitting and merging step by step. Pure.
 * @kernel mm/page_alloc.c expand(), __free_one_page()
 */
import type { BuddyVerdict, MergeStep } from '../../../protocol/allocators'

export const ORDERS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

/** Half of a row: what it is once the row's step is done. */
export type HalfRole =
  /** Cut on, or given away at the end. */
  | 'kept'
  /** Goes to a free list. */
  | 'listed'
  /** What is being freed, with all that it has merged with. */
  | 'freed'
  /** A free buddy that joins it. */
  | 'joins'
  /** A buddy that does not. */
  | 'stays'

/** A word or two beside the block. */
export const HALF_WORDS: Readonly<Record<HalfRole, (order: number) => string>> = {
  kept: () => 'kept',
  listed: (order) => `free list ${order}`,
  freed: () => 'freed',
  joins: () => 'free: joins',
  stays: () => 'not free: stays',
}

export interface Half {
  readonly pfn: number
  readonly role: HalfRole
}

/** Two buddies of one order, the lower one left. */
export interface BuddyRow {
  readonly order: number
  readonly left: Half
  readonly right: Half
  /** Index of the step in which it happens. */
  readonly step: number
}

export interface BlockStep {
  readonly title: string
  readonly text: string
  readonly sum: XorSum | undefined
}

/** One split or merge: rows with the largest blocks on top, each a half of the row above. */
export interface BlockStory {
  readonly kind: 'split' | 'merge'
  readonly title: string
  readonly rows: readonly BuddyRow[]
  readonly steps: readonly BlockStep[]
}

// ---------------------------------------------------------------- the sum

/** pfn XOR (1 << order), with the bit that it turns. */
export interface XorSum {
  readonly pfn: number
  readonly order: number
  readonly buddy: number
  /** Bits from the highest shown to bit 0: those of the frame, of the mask, and of the buddy. */
  readonly bits: readonly {
    readonly bit: number
    readonly pfn: string
    readonly mask: string
    readonly buddy: string
  }[]
}

/** Bits that are shown at least: one more than the largest order needs. */
const BITS_MIN = 12

export const hex = (pfn: number): string => `0x${pfn.toString(16)}`

const bitOf = (value: number, bit: number): string => (Math.floor(value / 2 ** bit) % 2 === 1 ? '1' : '0')

/** Frames of machines up to 8 PiB are below 2^41: the low half of the number takes the XOR. */
export function buddyOf(pfn: number, order: number): number {
  const size = 2 ** order
  return Math.floor(pfn / size) % 2 === 0 ? pfn + size : pfn - size
}

export function xorSum(pfn: number, order: number): XorSum {
  const buddy = buddyOf(pfn, order)
  const bits = Array.from({ length: BITS_MIN }, (_, i) => {
    const bit = BITS_MIN - 1 - i
    return { bit, pfn: bitOf(pfn, bit), mask: bit === order ? '1' : '0', buddy: bitOf(buddy, bit) }
  })
  return { pfn, order, buddy, bits }
}

// ---------------------------------------------------------------- splitting

const pages = (order: number): string => (order === 0 ? '1 page' : `${2 ** order} pages`)

/** A block of order `from` cut down to `to`: the lower half is kept, the upper one goes to the free list, each time. */
export function splitStory(pfn: number, from: number, to: number): BlockStory {
  const rows: BuddyRow[] = []
  const steps: BlockStep[] = [
    {
      title: `Take the block of order ${from} at ${hex(pfn)}`,
      text:
        from === to
          ? `It is the head of free list ${from}, and no larger than the ${pages(to)} that are wanted: nothing is split.`
          : `${pages(to)} are wanted. The smallest list that has a block is that of order ${from}: its head leaves the list.`,
      sum: undefined,
    },
  ]
  for (let order = from - 1; order >= to; order--) {
    const sum = xorSum(pfn, order)
    rows.push({ order, left: { pfn, role: 'kept' }, right: { pfn: sum.buddy, role: 'listed' }, step: steps.length })
    steps.push({
      title: `Halve: order ${order + 1} becomes two of order ${order}`,
      text: `The upper half ${hex(sum.buddy)} goes to the head of free list ${order}. The lower half ${hex(pfn)} is ${order === to ? 'what was asked for' : 'still too large'}.`,
      sum,
    })
  }
  return { kind: 'split', title: `order ${from} at ${hex(pfn)} to order ${to}`, rows, steps }
}

// ---------------------------------------------------------------- merging

const VERDICTS: Readonly<Record<BuddyVerdict, string>> = {
  merges: 'is free and of the same order',
  'in use': 'is in use',
  'on a pcp list': 'waits on the list of a CPU, which is not free to the buddy system',
  split: 'is free only in parts',
  'other zone': 'is no memory of this zone',
  reserved: 'was never given to the allocator',
  'other type': 'is a pageblock of a type that must not mix with this one',
  largest: 'does not matter: there is no larger order',
}

/** A freed block and its buddies, upwards until one is not free. */
export function mergeStory(walk: readonly MergeStep[]): BlockStory | undefined {
  const first = walk[0]
  if (!first) return undefined
  const rows: BuddyRow[] = []
  const steps: BlockStep[] = [
    {
      title: `Free the block of order ${first.order} at ${hex(first.pfn)}`,
      text: `${pages(first.order)} come back. Before they go to a free list, the buddy is looked at.`,
      sum: undefined,
    },
  ]
  for (const { order, pfn, buddy, verdict } of walk) {
    const joins = verdict === 'merges'
    const merged = Math.min(pfn, buddy)
    if (verdict !== 'largest') {
      const own: Half = { pfn, role: 'freed' }
      const other: Half = { pfn: buddy, role: joins ? 'joins' : 'stays' }
      const isLower = pfn < buddy
      rows.unshift({ order, left: isLower ? own : other, right: isLower ? other : own, step: steps.length })
    }
    steps.push({
      title: joins
        ? `Merge: two of order ${order} become order ${order + 1} at ${hex(merged)}`
        : `Stop: order ${order} at ${hex(pfn)} goes to free list ${order}`,
      text:
        verdict === 'largest'
          ? 'There is no larger order: the block is whole.'
          : `The buddy ${hex(buddy)} ${VERDICTS[verdict]}${joins ? `: it leaves free list ${order}, and the block begins at pfn AND buddy = ${hex(merged)}` : ', so the block stays as it is'}.`,
      sum: verdict === 'largest' ? undefined : xorSum(pfn, order),
    })
  }
  const last = walk.at(-1)!
  const end = last.verdict === 'merges' ? last.order + 1 : last.order
  return { kind: 'merge', title: `order ${first.order} at ${hex(first.pfn)} to order ${end}`, rows, steps }
}
