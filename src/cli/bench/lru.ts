/** A bare LRU cache of the page columns' lists against the LRU library, on one stream of requests. */
import { LRUCache } from 'lru-cache'
import { createLists, createMemMap, listAddHead, listDel, listTail, type MemMap } from '../../engine/mm/memmap'
import { assert } from '../../util/assert'
import type { Figure } from './figure'
import { createRandom, medianCpuSeconds } from './measure'

const KEYS = 1 << 20
const CAPACITY = 100_000
const REQUESTS = 4_000_000
const ROUNDS = 3
/** Zipf's exponent. */
const SKEW = 0.9

/** Page numbers by Zipf's law; popular ones are spread over the whole range. */
function zipfStream(): Int32Array {
  const cumulated = new Float64Array(KEYS)
  let sum = 0
  for (let i = 0; i < KEYS; i++) cumulated[i] = sum += 1 / (i + 1) ** SKEW
  const random = createRandom(2463534242)
  return Int32Array.from({ length: REQUESTS }, () => {
    const wanted = (random() / 2 ** 32) * sum
    let low = 0
    let high = KEYS - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (cumulated[middle]! < wanted) low = middle + 1
      else high = middle
    }
    return Math.imul(low, 0x9e3779b1) & (KEYS - 1)
  })
}

interface PageLru {
  readonly map: MemMap
  readonly lists: Int32Array
  /** Page number → frame, 0 = not cached; and back. */
  readonly frameOf: Int32Array
  readonly pageOf: Int32Array
  used: number
}

const createPageLru = (): PageLru => ({
  map: createMemMap(CAPACITY + 1),
  lists: createLists(1),
  frameOf: new Int32Array(KEYS),
  pageOf: new Int32Array(CAPACITY + 1),
  used: 0,
})

/** @returns misses */
function runPageLru(lru: PageLru, stream: Int32Array): number {
  const { map, lists, frameOf, pageOf } = lru
  let misses = 0
  for (let i = 0; i < stream.length; i++) {
    const page = stream[i]!
    let frame = frameOf[page]!
    if (frame !== 0) {
      listDel(map, lists, 0, frame)
    } else {
      misses++
      if (lru.used < CAPACITY) frame = ++lru.used
      else {
        frame = listTail(lists, 0)
        listDel(map, lists, 0, frame)
        frameOf[pageOf[frame]!] = 0
      }
      frameOf[page] = frame
      pageOf[frame] = page
    }
    listAddHead(map, lists, 0, frame)
  }
  return misses
}

function runLibrary(stream: Int32Array): number {
  const cache = new LRUCache<number, number>({ max: CAPACITY })
  let misses = 0
  for (let i = 0; i < stream.length; i++) {
    const page = stream[i]!
    if (cache.get(page) !== undefined) continue
    misses++
    cache.set(page, page)
  }
  return misses
}

export function lru(): Figure[] {
  const stream = zipfStream()
  let ours = 0
  let theirs = 0
  const seconds = medianCpuSeconds(ROUNDS, () => (ours = runPageLru(createPageLru(), stream)))
  const librarySeconds = medianCpuSeconds(ROUNDS, () => (theirs = runLibrary(stream)))
  const ratio = (misses: number): string => (misses / REQUESTS).toFixed(4)
  assert(ratio(ours) === ratio(theirs), `miss ratio ${ratio(ours)}, of the library ${ratio(theirs)}`)
  return [
    {
      id: 'lru',
      title: 'bare LRU of page lists, Zipf requests',
      value: REQUESTS / seconds,
      unit: 'requests/s',
      against: { what: 'lru-cache', value: REQUESTS / librarySeconds },
      aim: { kind: 'ratio', at: 2 },
      note: `${KEYS} pages, ${CAPACITY} cached, miss ratio ${ratio(ours)} in both`,
    },
  ]
}
