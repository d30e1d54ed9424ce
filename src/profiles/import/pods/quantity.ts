/**
 * Amounts of memory as Kubernetes and compose write them. Exact: decimal fractions are worked out with integers, because
 * 0.1Gi is no binary fraction and the kubelet rounds up to whole bytes.
 * @source  k8s.io/apimachinery/pkg/api/resource Quantity; docker/go-units RAMInBytes()
 */
import type { Bytes } from '../../../util/units'
import { refuse, type Tree } from './yaml-tree'

const BINARY: Readonly<Record<string, bigint>> = {
  Ki: 1n << 10n,
  Mi: 1n << 20n,
  Gi: 1n << 30n,
  Ti: 1n << 40n,
  Pi: 1n << 50n,
  Ei: 1n << 60n,
}
/** Powers of ten. */
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }

const tenTo = (n: number): bigint => BigInt(`1${'0'.repeat(n)}`)
const ceilDiv = (a: bigint, b: bigint): bigint => (a + b - 1n) / b

/** A quantity times `scale`, rounded up; undefined when it is none. Beyond 2^63 − 1 it stays there, as in Kubernetes. */
export function quantity(text: string, scale: 1 | 1000): number | undefined {
  const match = /^\+?(\d*)(?:\.(\d*))?(?:([eE][+-]?\d{1,3})|(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]?))$/.exec(text)
  const digits = (match?.[1] ?? '') + (match?.[2] ?? '')
  if (match === null || digits === '' || digits.length > 40) return undefined
  const suffix = match[4] ?? ''
  const power = (match[3] === undefined ? (DECIMAL[suffix] ?? 0) : Number(match[3].slice(1))) - (match[2]?.length ?? 0)
  const whole = BigInt(digits) * (BINARY[suffix] ?? 1n) * BigInt(scale)
  const value = power >= 0 ? whole * tenTo(Math.min(power, 60)) : ceilDiv(whole, tenTo(Math.min(-power, 400)))
  const most = (1n << 63n) - 1n
  return Number(value > most ? most : value)
}

/** Bytes of a Kubernetes quantity. */
export function memoryOf(at: Tree): Bytes {
  if (/^-/.test(at.source)) refuse(at, 'quantity', `${at.source} is below zero.`, 'Use an amount such as 512Mi.')
  const bytes = at.scalar === undefined || typeof at.scalar === 'boolean' ? undefined : quantity(sourceOf(at), 1)
  if (bytes !== undefined) return bytes
  const near = /^([\d.]+)\s*(?:([kmgt])i?b?)$/i.exec(sourceOf(at))
  const fix =
    near === null
      ? 'Use an amount such as 512Mi, 1.5Gi, 500M or 134217728.'
      : `Did you mean ${near[1]}${near[2]!.toUpperCase()}i?`
  return refuse(at, 'quantity', `'${sourceOf(at)}' is no amount of memory.`, fix)
}

/** Thousandths of a CPU. */
export function cpuOf(at: Tree): number {
  const millis = at.scalar === undefined || typeof at.scalar === 'boolean' ? undefined : quantity(sourceOf(at), 1000)
  return millis ?? refuse(at, 'quantity', `'${sourceOf(at)}' is no amount of CPU.`, 'Use an amount such as 500m or 2.')
}

/** As written, without quotes: YAML itself would read 1e3 as a number. */
const sourceOf = (at: Tree): string => (typeof at.scalar === 'string' ? at.scalar : at.source)

const DOCKER_UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1024, m: 1 << 20, g: 1 << 30 }

/** Bytes as Docker reads them: 512m, 1.5gb; units are powers of 1024. */
export function dockerBytes(at: Tree): Bytes {
  const text = sourceOf(at)
  if (/\$\{?\w/.test(text))
    return refuse(at, 'variable', `'${text}' is a variable of somebody's shell.`, 'Write its value here.')
  const match = /^(\d+(?:\.\d+)?) ?([bkmgt]?)(?:i?b)?$/i.exec(text)
  if (match === null) return refuse(at, 'size', `'${text}' is no size.`, 'Use a size such as 512m, 1.5g or 1048576.')
  const unit = match[2]!.toLowerCase()
  return Math.floor(Number(match[1]) * (unit === 't' ? 1024 * 1024 * 1024 * 1024 : DOCKER_UNITS[unit]!))
}
