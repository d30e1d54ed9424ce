/**
 * How cgroup files read and print numbers: the kernel's own parsers, with their errors.
 * @kernel  lib/cmdline.c memparse(), lib/kstrtox.c, mm/page_counter.c page_counter_memparse()
 * @spec    07 §7.2
 */
import type { Errno } from '../../util/errno'
import { err, ok, type Result } from '../../util/result'
import { PAGE_SIZE, pagesToBytes, type Bytes, type Pages } from '../../util/units'
import { COUNTER_MAX } from '../mm/page_counter'

/** PAGE_COUNTER_MAX of a 64-bit kernel: LONG_MAX / PAGE_SIZE. */
const PAGE_COUNTER_MAX = 2n ** 63n / BigInt(PAGE_SIZE)
const SUFFIX_SHIFT: Readonly<Record<string, bigint>> = { K: 10n, M: 20n, G: 30n, T: 40n, P: 50n, E: 60n }

/** Digits of a number with its base from the prefix: 0x hexadecimal, 0 octal. '' when there is none. */
function leadingNumber(text: string): { value: bigint; length: number } {
  const hex = /^0x[0-9a-f]+/i.exec(text)?.[0]
  if (hex !== undefined) return { value: BigInt(hex), length: hex.length }
  const octal = /^0[0-7]*/.exec(text)?.[0]
  if (octal !== undefined) return { value: BigInt(octal === '0' ? '0' : `0o${octal}`), length: octal.length }
  const decimal = /^\d*/.exec(text)![0]
  return { value: decimal === '' ? 0n : BigInt(decimal), length: decimal.length }
}

/**
 * A size with an optional suffix K … E. An empty text is 0.
 * @returns bytes (64 bits, wrapping), or EINVAL for a sign, a fraction or anything behind the suffix
 * @kernel  memparse()
 */
export function parseMem(text: string): Result<bigint, Errno> {
  const { value, length } = leadingNumber(text)
  const rest = text.slice(length)
  if (rest === '') return ok(BigInt.asUintN(64, value))
  const shift = rest.length === 1 ? SUFFIX_SHIFT[rest.toUpperCase()] : undefined
  return shift === undefined ? err('EINVAL') : ok(BigInt.asUintN(64, value << shift))
}

/**
 * A limit: bytes rounded down to pages, or 'max'.
 * @returns pages; COUNTER_MAX for 'max' and for anything as large as the counter
 * @kernel  page_counter_memparse()
 */
export function parseCounter(text: string): Result<Pages, Errno> {
  const word = text.trim()
  if (word === 'max') return ok(COUNTER_MAX)
  const bytes = parseMem(word)
  if (!bytes.ok) return bytes
  const pages = bytes.value / BigInt(PAGE_SIZE)
  return ok(pages >= PAGE_COUNTER_MAX - 1n ? COUNTER_MAX : Number(pages))
}

/** @kernel  seq_puts_memcg_tunable() */
export const formatCounter = (pages: Pages): string => (pages === COUNTER_MAX ? 'max\n' : formatBytes(pages))
export const formatBytes = (pages: Pages): string => `${pagesToBytes(pages) as Bytes}\n`

const INT_MAX = 2n ** 31n - 1n

/**
 * A whole number of C's int, nothing around it but white space.
 * @returns EINVAL for other text, ERANGE beyond 32 bits
 * @kernel  kstrtoint()
 */
export function parseInt32(text: string): Result<number, Errno> {
  const word = text.trim()
  const sign = /^[+-]/.exec(word)?.[0] ?? ''
  const digits = word.slice(sign.length)
  const { value, length } = leadingNumber(digits)
  if (digits === '' || length !== digits.length) return err('EINVAL')
  const signed = sign === '-' ? -value : value
  return signed > INT_MAX || signed < -INT_MAX - 1n ? err('ERANGE') : ok(Number(signed))
}

/** cgroup.max.depth and cgroup.max.descendants: 'max' or a count. @kernel cgroup_max_depth_write() */
export function parseCount(text: string): Result<number, Errno> {
  if (text.trim() === 'max') return ok(Infinity)
  const value = parseInt32(text)
  return value.ok && value.value < 0 ? err('ERANGE') : value
}
export const formatCount = (count: number): string => (count === Infinity ? 'max\n' : `${count}\n`)
