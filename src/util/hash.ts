/**
 * Digest of a state tree: plain data and typed arrays. Equal trees have equal digests on every machine of ours
 * (all are little-endian); a difference in one bit changes it. Not cryptographic.
 */
import { assert } from './assert'
import { isColumn, skipZeroes, type Column } from './clone'

/** Two 32-bit lanes with different multipliers: 64 bits together. */
interface Lanes {
  a: number
  b: number
  /** Larger columns count with their type and length only. */
  readonly columnBytesMax: number
}

const scratch = new Float64Array(1)
const scratchWords = new Int32Array(scratch.buffer)

const TAG_UNDEFINED = 1
const TAG_NULL = 2
const TAG_TRUE = 3
const TAG_FALSE = 4
const TAG_NUMBER = 5
const TAG_STRING = 6
const TAG_ARRAY = 7
const TAG_OBJECT = 8
const TAG_COLUMN = 9
const TAG_ZEROES = 10

function mix(lanes: Lanes, word: number): void {
  let a = Math.imul(lanes.a ^ word, 0x85ebca6b)
  a = (a << 13) | (a >>> 19)
  let b = Math.imul(lanes.b ^ word, 0xc2b2ae35)
  b = (b << 17) | (b >>> 15)
  lanes.a = (Math.imul(a, 5) + 0x6b64e653) | 0
  lanes.b = (Math.imul(b, 9) + 0x52dce729) | 0
}

function mixNumber(lanes: Lanes, value: number): void {
  // One bit pattern for every NaN; −0 stays apart from 0, because programs can tell them apart.
  scratch[0] = value === value ? value : NaN
  mix(lanes, scratchWords[0]!)
  mix(lanes, scratchWords[1]!)
}

function mixString(lanes: Lanes, text: string): void {
  mix(lanes, text.length)
  for (let i = 0; i < text.length; i++) mix(lanes, text.charCodeAt(i))
}

const WORDS_PER_RUN = 16384

/** Untouched stretches count as one word each, so that a large empty machine is as quick as a small one. */
function mixColumn(lanes: Lanes, column: Column): void {
  mix(lanes, TAG_COLUMN)
  mix(lanes, column.BYTES_PER_ELEMENT)
  mix(lanes, column.length)
  if (column.byteLength > lanes.columnBytesMax) return
  const aligned = column.byteOffset % 4 === 0
  const bytes = aligned ? column : column.slice()
  const nrWords = bytes.byteLength >> 2
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, nrWords)
  for (let from = 0; from < nrWords; from += WORDS_PER_RUN) {
    const to = Math.min(nrWords, from + WORDS_PER_RUN)
    mixRun(lanes, words, from, to)
  }
  const tail = new Uint8Array(bytes.buffer, bytes.byteOffset + nrWords * 4, bytes.byteLength & 3)
  for (const byte of tail) mix(lanes, byte)
}

function mixRun(lanes: Lanes, words: Int32Array, from: number, to: number): void {
  let i = skipZeroes(words, from, to)
  if (i > from) {
    mix(lanes, TAG_ZEROES)
    mix(lanes, i - from)
  }
  let a = lanes.a
  let b = lanes.b
  for (; i < to; i++) {
    const word = words[i]!
    a = Math.imul(a ^ word, 0x85ebca6b)
    a = (Math.imul((a << 13) | (a >>> 19), 5) + 0x6b64e653) | 0
    b = Math.imul(b ^ word, 0xc2b2ae35)
    b = (Math.imul((b << 17) | (b >>> 15), 9) + 0x52dce729) | 0
  }
  lanes.a = a
  lanes.b = b
}

function mixValue(lanes: Lanes, value: unknown): void {
  switch (typeof value) {
    case 'undefined':
      return mix(lanes, TAG_UNDEFINED)
    case 'boolean':
      return mix(lanes, value ? TAG_TRUE : TAG_FALSE)
    case 'number':
      mix(lanes, TAG_NUMBER)
      return mixNumber(lanes, value)
    case 'string':
      mix(lanes, TAG_STRING)
      return mixString(lanes, value)
    case 'object':
      return mixObject(lanes, value)
    default:
      assert(false, `a ${typeof value} in a state tree`)
  }
}

function mixObject(lanes: Lanes, value: object | null): void {
  if (value === null) return mix(lanes, TAG_NULL)
  if (isColumn(value)) return mixColumn(lanes, value)
  if (Array.isArray(value)) {
    mix(lanes, TAG_ARRAY)
    mix(lanes, value.length)
    for (let i = 0; i < value.length; i++) mixValue(lanes, value[i])
    return
  }
  const proto: unknown = Object.getPrototypeOf(value)
  assert(proto === Object.prototype || proto === null, `a ${value.constructor?.name} in a state tree`)
  const keys = Object.keys(value)
  mix(lanes, TAG_OBJECT)
  mix(lanes, keys.length)
  for (const key of keys) {
    mixString(lanes, key)
    mixValue(lanes, (value as Record<string, unknown>)[key])
  }
}

const avalanche = (h: number): number => {
  let x = Math.imul(h ^ (h >>> 16), 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return (x ^ (x >>> 16)) >>> 0
}

/**
 * 16 hex digits. Keys count in their order, because the order of keys is something a program can see.
 * @param columnBytesMax  where speed matters more than the last bit: contents of larger columns are left out
 */
export function digestTree(tree: unknown, columnBytesMax = Infinity): string {
  const lanes: Lanes = { a: 0x9747b28c, b: 0x1b873593, columnBytesMax }
  mixValue(lanes, tree)
  const a = avalanche(lanes.a ^ Math.imul(lanes.b, 0x9e3779b1))
  const b = avalanche(lanes.b ^ Math.imul(a, 0x85ebca77))
  return a.toString(16).padStart(8, '0') + b.toString(16).padStart(8, '0')
}
