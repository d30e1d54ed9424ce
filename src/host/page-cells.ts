/** Frames → cells: which kind most of the frames of a cell have, and how many frames of each kind there are. Pure. */
import { FRAME_HOLE, PAGE_KINDS_MAX } from '../engine/mm/page_kinds'

const counted = new Int32Array(PAGE_KINDS_MAX)

/** The kind with most frames; holes only when there is nothing else; the lower of equals. */
export function mostFrequent(counts: Int32Array | Float64Array): number {
  let most = 0
  let kind = FRAME_HOLE
  for (let k = FRAME_HOLE + 1; k < PAGE_KINDS_MAX; k++) {
    if (counts[k]! > most) {
      most = counts[k]!
      kind = k
    }
  }
  return kind
}

/**
 * Kinds of 1024 frames as cells of 2^shift frames into `cells` from `cellAt`, and frames by kind into `counts` from
 * `countAt`.
 */
export function countCells(
  frames: Uint8Array,
  shift: number,
  cells: Uint8Array,
  cellAt: number,
  counts: Uint16Array,
  countAt: number,
): void {
  counts.fill(0, countAt, countAt + PAGE_KINDS_MAX)
  const size = 1 << shift
  let cell = cellAt
  for (let at = 0; at < frames.length; at += size) {
    const first = frames[at]!
    let same = 1
    while (same < size && frames[at + same] === first) same++
    counts[countAt + first]! += same
    if (same === size) {
      cells[cell++] = first
      continue
    }
    counted.fill(0)
    counted[first] = same
    for (let i = at + same; i < at + size; i++) {
      const kind = frames[i]!
      counted[kind]!++
      counts[countAt + kind]!++
    }
    cells[cell++] = mostFrequent(counted)
  }
}
