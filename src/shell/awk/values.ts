/** Values of awk: numbers, strings, and text from input that looks like a number and compares as one. */
import { formatOnce } from '../printf'

export type Value = number | string | undefined | { readonly text: string; readonly number: number }

const NUMERIC = /^\s*[-+]?(\d+\.?\d*([eE][-+]?\d+)?|\.\d+([eE][-+]?\d+)?)\s*$/

/** A field, a -v value, an element of split(): numeric when it looks so. */
export const fromInput = (text: string): Value => (NUMERIC.test(text) ? { text, number: Number(text) } : text)

export function toNumber(value: Value): number {
  if (typeof value === 'number') return value
  if (value === undefined) return 0
  if (typeof value === 'object') return value.number
  const prefix = /^\s*[-+]?(\d+\.?\d*([eE][-+]?\d+)?|\.\d+([eE][-+]?\d+)?)/.exec(value)?.[0]
  return prefix === undefined ? 0 : Number(prefix)
}

export function toText(value: Value, format: string): string {
  if (typeof value === 'string') return value
  if (value === undefined) return ''
  if (typeof value === 'object') return value.text
  if (Number.isInteger(value)) return Math.abs(value) < 1e16 ? String(value) : formatNumber('%d', value)
  if (Number.isNaN(value)) return 'nan'
  return Number.isFinite(value) ? formatNumber(format, value) : value > 0 ? 'inf' : '-inf'
}

const formatNumber = (format: string, value: number): string => formatOnce(format, () => String(value), Number)

export const toBoolean = (value: Value): boolean =>
  typeof value === 'object' ? value.number !== 0 : typeof value === 'number' ? value !== 0 : Boolean(value)

/** −1, 0 or 1: as numbers when both are, as text otherwise. */
export function compare(left: Value, right: Value, format: string): number {
  const isNumber = (v: Value): boolean => typeof v !== 'string'
  if (isNumber(left) && isNumber(right)) {
    const [a, b] = [toNumber(left), toNumber(right)]
    return a < b ? -1 : a > b ? 1 : 0
  }
  const [a, b] = [toText(left, format), toText(right, format)]
  return a < b ? -1 : a > b ? 1 : 0
}
