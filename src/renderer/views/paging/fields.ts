/** An address and its bit fields, as a person turns them: pure, on 64-bit values. */
import type { AddressField } from '../../../protocol/paging'

/** '0x7f12…' as the engine writes it, without the leading zeros that only fill 64 bits. */
export const shortHex = (address: string): string => `0x${BigInt(address).toString(16)}`

export const hex = (value: number): string => `0x${value.toString(16)}`

/** Most significant bit first. */
export function bitsOf({ high, low, value }: AddressField): readonly (0 | 1)[] {
  return Array.from({ length: high - low + 1 }, (_, i) => (Math.floor(value / 2 ** (high - low - i)) % 2 === 1 ? 1 : 0))
}

/** The address with another value in one field; values wrap within the field. */
export function withField(address: string, { high, low }: AddressField, value: number): string {
  const size = 1n << BigInt(high - low + 1)
  const wrapped = ((BigInt(value) % size) + size) % size
  const mask = (size - 1n) << BigInt(low)
  return `0x${((BigInt(address) & ~mask) | (wrapped << BigInt(low))).toString(16)}`
}

/** Makes the bits above the top level agree with its highest one. */
export function canonical(address: string, levels: number): string {
  const top = BigInt(12 + 9 * levels)
  const low = BigInt(address) & ((1n << top) - 1n)
  const isHigh = ((low >> (top - 1n)) & 1n) === 1n
  return `0x${(isHigh ? low | (((1n << (64n - top)) - 1n) << top) : low).toString(16)}`
}

/** By how much a key turns a field. */
export const turnOf = (key: string): number =>
  ({ ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 16, PageDown: -16 })[key] ?? 0

/** Token of a field's colour: the same from the bits to the table and its entry. */
export const LEVEL_TOKENS: Readonly<Record<string, string>> = {
  PGD: '--m-highatomic',
  P4D: '--m-isolate',
  PUD: '--m-unmovable',
  PMD: '--m-reclaimable',
  PTE: '--m-cma',
  offset: '--m-movable',
}
export const levelColour = (name: string): string => `var(${LEVEL_TOKENS[name] ?? '--b-edge'})`
