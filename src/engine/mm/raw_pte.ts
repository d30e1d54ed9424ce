/**
 * Page-table entries as the processor would read them: 64 bits, put together from our 32 and from what they follow from.
 * Apart from pgtable.ts, because no mechanism needs them.
 * @kernel  arch/x86/include/asm/pgtable_types.h, pgtable_64.h
 * @spec    04 §4.1 (Entry bits)
 */
import type { KernelState } from '../state'
import { VM_EXEC, type Vma } from './mm_types'
import { PTE_ACCESSED, PTE_DIRTY, PTE_PRESENT, PTE_WRITE, isSwapPte, ptePfn, pteSwapSlot } from './pgtable'
import { areaOfSlot, swapCount } from './swapfile'

/** One set bit, or an inverted field, by the name that the manuals give it. */
export type EntryFlag =
  'P' | 'W' | 'U' | 'A' | 'D' | 'PS' | 'G' | 'NX' | 'special' | 'soft-dirty' | 'saved-dirty' | 'protnone' | 'exclusive'

const BIT: Readonly<Record<EntryFlag, number>> = {
  P: 0,
  W: 1,
  U: 2,
  A: 5,
  D: 6,
  PS: 7,
  G: 8,
  NX: 63,
  special: 9,
  'soft-dirty': 11,
  'saved-dirty': 58,
  // The same bits as G and PWT, which mean something else in an entry that is not present.
  protnone: 8,
  exclusive: 3,
}

const FRAME_MASK = ((1n << 52n) - 1n) & ~0xfffn

export interface RawEntry {
  readonly raw: bigint
  /** In the order of the bits. */
  readonly flags: readonly EntryFlag[]
}

function compose(flags: readonly EntryFlag[], rest: bigint): RawEntry {
  let raw = rest
  for (const flag of flags) raw |= 1n << BigInt(BIT[flag])
  return { raw, flags: flags.toSorted((a, b) => BIT[a] - BIT[b]) }
}

export const RAW_NONE: RawEntry = { raw: 0n, flags: [] }

/**
 * An entry that points to a table of the next level. Linux makes it accessed and dirty at once, so that no walk has to.
 * @param pfn  of the table
 * @kernel  _PAGE_TABLE
 */
export const rawTableEntry = (pfn: number): RawEntry => compose(['P', 'W', 'U', 'A', 'D'], BigInt(pfn) << 12n)

/**
 * A leaf that is present. A write-protected dirty entry is marked beside the hardware's bit (6.6+): for a processor with
 * shadow stacks, read-only and dirty means one.
 * @param pfn  first frame
 * @param bits  of our entry: PTE_*
 * @kernel      mk_pte(), pte_mkdirty(), pte_wrprotect()
 * @simplifies  soft-dirty follows the dirty bit: what only the hardware wrote cannot be told from what the kernel made dirty
 */
export function rawLeaf(
  state: KernelState,
  vma: Vma | undefined,
  { pfn, bits, isHuge }: { readonly pfn: number; readonly bits: number; readonly isHuge: boolean },
): RawEntry {
  const flags: EntryFlag[] = ['P', 'U']
  const writable = (bits & PTE_WRITE) !== 0
  if (writable) flags.push('W')
  if ((bits & PTE_ACCESSED) !== 0) flags.push('A')
  if ((bits & PTE_DIRTY) !== 0) {
    flags.push(writable || state.config.series === '6.1' ? 'D' : 'saved-dirty', 'soft-dirty')
  }
  if (isHuge) flags.push('PS')
  if (pfn === state.zeroPfn) flags.push('special')
  if (vma !== undefined && (vma.flags & VM_EXEC) === 0) flags.push('NX')
  return compose(flags, BigInt(pfn) << 12n)
}

/** A swap entry: type in the five highest bits, the offset inverted below. @kernel __swp_entry() */
function rawSwapEntry(state: KernelState, slot: number): RawEntry {
  const area = areaOfSlot(state, slot)
  const type = BigInt(swapType(state, slot))
  const offset = BigInt(slot - area.base)
  const rest = (type << 59n) | ((~offset & ((1n << 50n) - 1n)) << 9n)
  return compose(swapCount(state, slot) === 1 ? ['exclusive'] : [], rest)
}

/** Number of a swap area in entries: areas count in the order in which they were switched on. @kernel swp_type() */
export function swapType(state: KernelState, slot: number): number {
  const { base } = areaOfSlot(state, slot)
  return state.swapAreas.filter((area) => area.base < base).length
}

/** A frame behind PROT_NONE: not present, and its number inverted, against L1TF. @kernel protnone_mask() */
function rawProtNone(state: KernelState, vma: Vma | undefined, entry: number): RawEntry {
  const leaf = rawLeaf(state, vma, { pfn: ptePfn(entry), bits: entry & 15, isHuge: false })
  const flags = leaf.flags.filter((flag) => flag !== 'P')
  return compose([...flags, 'protnone'], ~(BigInt(ptePfn(entry)) << 12n) & FRAME_MASK)
}

export type PteKind = 'none' | 'page' | 'swap' | 'protnone'

/** @param entry  our entry of a PTE table @kernel pte_none(), pte_present(), pte_protnone() */
export function pteKind(entry: number): PteKind {
  if (entry === 0) return 'none'
  if ((entry & PTE_PRESENT) !== 0) return 'page'
  return isSwapPte(entry) ? 'swap' : 'protnone'
}

/** The 64 bits of an entry of a PTE table. @kernel pte_val() */
export function rawPte(state: KernelState, vma: Vma | undefined, entry: number): RawEntry {
  switch (pteKind(entry)) {
    case 'page':
      return rawLeaf(state, vma, { pfn: ptePfn(entry), bits: entry & 15, isHuge: false })
    case 'swap':
      return rawSwapEntry(state, pteSwapSlot(entry))
    case 'protnone':
      return rawProtNone(state, vma, entry)
    case 'none':
      return RAW_NONE
  }
}
