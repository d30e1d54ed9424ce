/**
 * Amounts as people write them ('512M', '4 GiB', '60s', '0-3,8') and as they like to read them. Binary units: a kernel
 * command line means 1024 by K, and so do we.
 */
import type { Bytes, Ns } from '../util/units'
import { GIB, KIB, MIB, NS_PER_MS, NS_PER_S, NS_PER_US } from '../util/units'

const TIB = 1024 * GIB
const SIZE_UNITS: Readonly<Record<string, number>> = { '': 1, K: KIB, M: MIB, G: GIB, T: TIB }
const TIME_UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: NS_PER_US,
  ms: NS_PER_MS,
  s: NS_PER_S,
  m: 60 * NS_PER_S,
}

/** '4G', '512 MiB', '1.5g', '4096' → bytes; undefined when it is no size or not a whole number of bytes. */
export function parseSize(text: string): Bytes | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?\s*$/i.exec(text)
  if (!match) return undefined
  const bytes = Number(match[1]) * SIZE_UNITS[match[2]!.toUpperCase()]!
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** 1.5 GiB → '1.5 GiB', 3 GiB → '3 GiB', 1536 B → '1.5 KiB'; at most three decimals. */
export function formatSize(bytes: Bytes): string {
  for (const [unit, size] of [
    ['TiB', TIB],
    ['GiB', GIB],
    ['MiB', MIB],
    ['KiB', KIB],
  ] as const) {
    if (bytes >= size) return `${Number((bytes / size).toFixed(3))} ${unit}`
  }
  return `${bytes} bytes`
}

/** The shortest exact spelling that parseSize reads back: 4294967296 → '4G'. */
export function spellSize(bytes: Bytes): string {
  for (const [unit, size] of [
    ['T', TIB],
    ['G', GIB],
    ['M', MIB],
    ['K', KIB],
  ] as const) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`
  }
  return `${bytes}`
}

/** '60s', '500ms', '10m' → ns; undefined when it is no duration. */
export function parseDuration(text: string): Ns | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(ns|us|ms|s|m)\s*$/.exec(text)
  if (!match) return undefined
  const ns = Number(match[1]) * TIME_UNITS[match[2]!]!
  return Number.isSafeInteger(ns) ? ns : undefined
}

/** The kernel's list format: '0-3,8' → [0, 1, 2, 3, 8]; '' → []; undefined when malformed or not ascending. */
export function parseCpuList(text: string): number[] | undefined {
  const cpus: number[] = []
  if (text.trim() === '') return cpus
  for (const part of text.trim().split(',')) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part)
    if (!match) return undefined
    const first = Number(match[1])
    const last = Number(match[2] ?? match[1])
    if (last < first || first <= (cpus.at(-1) ?? -1)) return undefined
    for (let cpu = first; cpu <= last; cpu++) cpus.push(cpu)
  }
  return cpus
}

/** [0, 1, 2, 8] → '0-2,8' */
export function formatCpuList(cpus: readonly number[]): string {
  const parts: string[] = []
  for (let i = 0; i < cpus.length; i++) {
    const first = cpus[i]!
    while (i + 1 < cpus.length && cpus[i + 1] === cpus[i]! + 1) i++
    parts.push(first === cpus[i] ? `${first}` : `${first}-${cpus[i]}`)
  }
  return parts.join(',')
}
