/**
 * A virtual address as the hardware cuts it: sign extension, one field of nine bits a level, offset. For readers from
 * outside, who may type any 64 bits; the engine itself only ever has page numbers.
 * @spec    04 §4.1
 */
import type { Vpn } from '../../util/units'

/** Levels of page tables, top first. With four levels the P4D is folded into the PGD. */
export const LEVEL_NAMES = ['', 'PTE', 'PMD', 'PUD', 'P4D', 'PGD'] as const

/** @kernel the names of include/linux/pgtable.h: the top level is always the PGD */
export const levelName = (level: number, levels: number): string => (level === levels ? 'PGD' : LEVEL_NAMES[level]!)

/** Bits `high` to `low` of an address. */
export interface AddressField {
  /** 'sign', 'PGD', 'P4D', 'PUD', 'PMD', 'PTE', 'offset' */
  readonly name: string
  /** Level that the field indexes; 0 the offset, −1 the sign extension. */
  readonly level: number
  readonly high: number
  readonly low: number
  readonly value: number
}

export interface CutAddress {
  /** All 64 bits: '0x00007f1234567abc'. */
  readonly address: string
  readonly levels: number
  readonly fields: readonly AddressField[]
  /** A hole lies between the halves: the bits above the top level's all equal its highest one. */
  readonly half: 'user' | 'kernel' | 'hole'
  /** Page number in the user half; meaningless elsewhere. */
  readonly vpn: Vpn
  /** Within 4 KiB. */
  readonly offset: number
}

const MAX = (1n << 64n) - 1n

/**
 * Reads an address as a person types it: '0x7f12…', hexadecimal digits with or without underscores, or a decimal number.
 * @returns undefined when it is none, or has more than 64 bits
 * @model   accepts what /proc/<pid>/maps prints (hexadecimal without 0x) when a letter says that it is hexadecimal
 */
export function parseAddress(text: string): bigint | undefined {
  const digits = text.trim().toLowerCase().replace(/[_\s]/g, '')
  const isHex = /^0x[0-9a-f]{1,16}$/.test(digits) || /^(?=.*[a-f])[0-9a-f]{1,16}$/.test(digits)
  if (!isHex && !/^\d{1,20}$/.test(digits)) return undefined
  const value = BigInt(isHex && !digits.startsWith('0x') ? `0x${digits}` : digits)
  return value > MAX ? undefined : value
}

/** @kernel __pa_symbol's printk format %016lx */
export const hex64 = (value: bigint): string => `0x${value.toString(16).padStart(16, '0')}`

/**
 * @param levels  4 or 5
 * @kernel  arch/x86/include/asm/page_64_types.h __VIRTUAL_MASK_SHIFT; __is_canonical_address()
 */
export function cutAddress(value: bigint, levels: number): CutAddress {
  const top = 12 + 9 * levels
  const bits = (high: number, low: number): number =>
    Number((value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n))
  const fields: AddressField[] = [{ name: 'sign', level: -1, high: 63, low: top, value: bits(63, top) }]
  for (let level = levels; level >= 1; level--) {
    const low = 12 + 9 * (level - 1)
    fields.push({ name: levelName(level, levels), level, high: low + 8, low, value: bits(low + 8, low) })
  }
  fields.push({ name: 'offset', level: 0, high: 11, low: 0, value: bits(11, 0) })
  const sign = value >> BigInt(top - 1)
  const half = sign === 0n ? 'user' : sign === MAX >> BigInt(top - 1) ? 'kernel' : 'hole'
  return {
    address: hex64(value),
    levels,
    fields,
    half,
    vpn: half === 'user' ? Number(value >> 12n) : 0,
    offset: bits(11, 0),
  }
}
