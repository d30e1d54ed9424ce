/**
 * Copies of a state tree: plain data and typed arrays, nothing else. Two forms: a live copy, and a frozen one for
 * checkpoints whose large columns are kept in chunks that neighbouring checkpoints share while they are equal.
 *
 * Apart from the engine, because nothing here knows what the tree means.
 */
import { assert } from './assert'

/** Bytes of a column that are compared, copied and shared as one. Zero chunks are never stored nor written. */
export const CHUNK_BYTES = 65536
/** What one plain value costs in a copy, roughly; only used to keep budgets honest. */
const PLAIN_VALUE_BYTES = 16

export type Column =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array

export const isColumn = (value: unknown): value is Column => ArrayBuffer.isView(value) && !(value instanceof DataView)

const isPlainObject = (value: object): value is Record<string, unknown> => {
  const proto: unknown = Object.getPrototypeOf(value)
  return proto === Object.prototype || proto === null
}

/** The words of bytes [from, from + bytes) of a column; chunk borders are multiples of 4 from its own start. */
const wordsOf = (column: Column, from: number, bytes: number): Int32Array =>
  new Int32Array(column.buffer, column.byteOffset + from, bytes >> 2)

/**
 * Index of the first word that is not zero, from `from`; `to` when there is none. Sixteen words a step: most of a large
 * machine is untouched, and looking at it is what a copy costs (measured: 4 times as fast as word by word).
 */
export function skipZeroes(words: Int32Array, from: number, to: number): number {
  let i = from
  for (; i + 16 <= to; i += 16) {
    const low = words[i]! | words[i + 1]! | words[i + 2]! | words[i + 3]! | words[i + 4]! | words[i + 5]!
    const middle = words[i + 6]! | words[i + 7]! | words[i + 8]! | words[i + 9]! | words[i + 10]! | words[i + 11]!
    if ((low | middle | words[i + 12]! | words[i + 13]! | words[i + 14]! | words[i + 15]!) !== 0) break
  }
  while (i < to && words[i] === 0) i++
  return i
}

const isZero = (words: Int32Array): boolean => skipZeroes(words, 0, words.length) === words.length

/** Stops early at the first difference in each step of eight words. */
function isEqual(a: Int32Array, b: Int32Array): boolean {
  if (a.length !== b.length) return false
  let i = 0
  for (; i + 8 <= a.length; i += 8) {
    const low = (a[i]! ^ b[i]!) | (a[i + 1]! ^ b[i + 1]!) | (a[i + 2]! ^ b[i + 2]!) | (a[i + 3]! ^ b[i + 3]!)
    const high = (a[i + 4]! ^ b[i + 4]!) | (a[i + 5]! ^ b[i + 5]!) | (a[i + 6]! ^ b[i + 6]!) | (a[i + 7]! ^ b[i + 7]!)
    if ((low | high) !== 0) return false
  }
  for (; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

const isLarge = (column: Column): boolean => column.byteLength > CHUNK_BYTES && column.byteOffset % 4 === 0

/** An empty column of the same type and length. */
const emptyLike = (column: Column): Column => new (column.constructor as new (n: number) => Column)(column.length)

function copyColumn(column: Column): Column {
  if (!isLarge(column)) return column.slice()
  const copy = emptyLike(column)
  const wordBytes = column.byteLength & ~3
  for (let at = 0; at < wordBytes; at += CHUNK_BYTES) {
    const bytes = Math.min(CHUNK_BYTES, wordBytes - at)
    const words = wordsOf(column, at, bytes)
    if (!isZero(words)) wordsOf(copy, at, bytes).set(words)
  }
  copyTail(column, copy, wordBytes)
  return copy
}

/** The last one to three bytes of a column whose size is no multiple of four. */
function copyTail(from: Column, to: Column, at: number): void {
  if (at === from.byteLength) return
  const rest = from.byteLength - at
  new Uint8Array(to.buffer, to.byteOffset + at, rest).set(new Uint8Array(from.buffer, from.byteOffset + at, rest))
}

/** A deep copy. Anything but plain data and typed arrays is our bug. */
export function cloneTree<T>(tree: T): T {
  return cloneValue(tree) as T
}

function cloneValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) {
    assert(typeof value !== 'function' && typeof value !== 'symbol', `a ${typeof value} in a state tree`)
    return value
  }
  if (Array.isArray(value)) {
    const copy: unknown[] = new Array(value.length)
    for (let i = 0; i < value.length; i++) copy[i] = cloneValue(value[i])
    return copy
  }
  if (isColumn(value)) return copyColumn(value)
  assert(isPlainObject(value), `a ${value.constructor?.name ?? 'nameless class'} in a state tree`)
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) copy[key] = cloneValue(value[key])
  return copy
}

// ---------------------------------------------------------------- frozen form

/** A piece of a column, shared by every frozen tree in which it has these contents. */
interface Chunk {
  readonly words: Int32Array
  users: number
}

/** A large column inside a frozen tree. A class, so that it cannot be taken for plain data. */
class FrozenColumn {
  readonly like: Column
  readonly byteLength: number
  readonly length: number
  readonly chunks: (Chunk | undefined)[]
  readonly tail: Uint8Array
  constructor(column: Column, chunks: (Chunk | undefined)[]) {
    this.like = new (column.constructor as new (n: number) => Column)(0)
    this.byteLength = column.byteLength
    this.length = column.length
    this.chunks = chunks
    this.tail = new Uint8Array(
      column.buffer,
      column.byteOffset + (column.byteLength & ~3),
      column.byteLength & 3,
    ).slice()
  }
}

/** An unchangeable copy of a tree; thaw() makes live ones of it as often as asked. */
export interface Frozen<T> {
  readonly root: unknown
  /** Plain values and small columns, which are never shared. */
  readonly plainBytes: number
  /** Bytes of chunks that it does not share with the one it was told of. */
  readonly chunkBytes: number
  readonly columns: readonly FrozenColumn[]
  readonly type?: T
}

interface FreezeRun {
  plainBytes: number
  chunkBytes: number
  readonly columns: FrozenColumn[]
}

/** A frozen copy; chunks equal to those of `previous` at the same place are shared, not copied. */
export function freezeTree<T>(tree: T, previous?: Frozen<T>): Frozen<T> {
  const run: FreezeRun = { plainBytes: 0, chunkBytes: 0, columns: [] }
  const root = freezeValue(tree, previous?.root, run)
  return { root, plainBytes: run.plainBytes, chunkBytes: run.chunkBytes, columns: run.columns }
}

function freezeValue(value: unknown, before: unknown, run: FreezeRun): unknown {
  run.plainBytes += PLAIN_VALUE_BYTES
  if (typeof value !== 'object' || value === null) {
    assert(typeof value !== 'function' && typeof value !== 'symbol', `a ${typeof value} in a state tree`)
    return value
  }
  if (Array.isArray(value)) {
    const old: readonly unknown[] = Array.isArray(before) ? before : []
    const copy: unknown[] = new Array(value.length)
    for (let i = 0; i < value.length; i++) copy[i] = freezeValue(value[i], old[i], run)
    return copy
  }
  if (isColumn(value)) return freezeColumn(value, before, run)
  assert(isPlainObject(value), `a ${value.constructor?.name ?? 'nameless class'} in a state tree`)
  const old = typeof before === 'object' && before !== null ? (before as Record<string, unknown>) : {}
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) copy[key] = freezeValue(value[key], old[key], run)
  return copy
}

function freezeColumn(column: Column, before: unknown, run: FreezeRun): unknown {
  if (!isLarge(column)) {
    run.plainBytes += column.byteLength
    return column.slice()
  }
  const old = before instanceof FrozenColumn ? before.chunks : []
  const chunks: (Chunk | undefined)[] = []
  const wordBytes = column.byteLength & ~3
  for (let at = 0; at < wordBytes; at += CHUNK_BYTES) {
    const words = wordsOf(column, at, Math.min(CHUNK_BYTES, wordBytes - at))
    const same = old[chunks.length]
    if (same !== undefined && isEqual(words, same.words)) {
      same.users++
      chunks.push(same)
    } else if (isZero(words)) {
      chunks.push(undefined)
    } else {
      run.chunkBytes += words.byteLength
      chunks.push({ words: words.slice(), users: 1 })
    }
  }
  const frozen = new FrozenColumn(column, chunks)
  run.columns.push(frozen)
  return frozen
}

/** A live tree with the contents that were frozen. */
export const thawTree = <T>(frozen: Frozen<T>): T => thawValue(frozen.root) as T

function thawValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof FrozenColumn) return thawColumn(value)
  if (Array.isArray(value)) {
    const copy: unknown[] = new Array(value.length)
    for (let i = 0; i < value.length; i++) copy[i] = thawValue(value[i])
    return copy
  }
  if (isColumn(value)) return value.slice()
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) copy[key] = thawValue((value as Record<string, unknown>)[key])
  return copy
}

function thawColumn(frozen: FrozenColumn): Column {
  const column = new (frozen.like.constructor as new (n: number) => Column)(frozen.length)
  frozen.chunks.forEach((chunk, i) => {
    if (chunk !== undefined) wordsOf(column, i * CHUNK_BYTES, chunk.words.length * 4).set(chunk.words)
  })
  new Uint8Array(column.buffer, frozen.byteLength & ~3).set(frozen.tail)
  return column
}

/** Gives a frozen tree up. Returns the bytes that nobody shares any more; the tree must not be thawed again. */
export function releaseFrozen(frozen: Frozen<unknown>): number {
  let bytes = frozen.plainBytes
  for (const column of frozen.columns) {
    for (const chunk of column.chunks) {
      if (chunk === undefined) continue
      assert(chunk.users > 0, 'a chunk of a checkpoint was released twice')
      if (--chunk.users === 0) bytes += chunk.words.byteLength
    }
  }
  return bytes
}
