/**
 * The ordered queue of future events: a binary heap over (time, sequence) kept as plain arrays, so that it copies and
 * hashes like the rest of the state.
 */
import { assert, AssertionError } from '../util/assert'
import type { Ns } from '../util/units'
import type { SimEvent } from './events'

export interface QueueEntry {
  readonly atNs: Ns
  /** Order of scheduling: ties in time are handled first come, first served. */
  readonly sequence: number
  readonly event: SimEvent
}

export interface EventQueue {
  heap: QueueEntry[]
  nextSequence: number
}

export const createQueue = (): EventQueue => ({ heap: [], nextSequence: 1 })

const before = (a: QueueEntry, b: QueueEntry): boolean =>
  a.atNs < b.atNs || (a.atNs === b.atNs && a.sequence < b.sequence)

export function schedule(queue: EventQueue, atNs: Ns, event: SimEvent): void {
  if (!Number.isSafeInteger(atNs) || atNs < 0) throw new AssertionError(`event ${event.kind} at ${atNs} ns`)
  const heap = queue.heap
  const entry: QueueEntry = { atNs, sequence: queue.nextSequence++, event }
  let i = heap.length
  heap.push(entry)
  while (i > 0) {
    const parent = (i - 1) >> 1
    if (!before(entry, heap[parent]!)) break
    heap[i] = heap[parent]!
    i = parent
  }
  heap[i] = entry
}

export const nextEventAt = (queue: EventQueue): Ns | undefined => queue.heap[0]?.atNs

/** Removes and returns the earliest event; the queue must not be empty. */
export function popEvent(queue: EventQueue): QueueEntry {
  const heap = queue.heap
  const first = heap[0]
  assert(first !== undefined, 'popEvent on an empty queue')
  const last = heap.pop()!
  const n = heap.length
  if (n > 0) {
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= n) break
      if (child + 1 < n && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = last
  }
  return first
}
