/**
 * Translation hardware of named processors: data only. Sources: Intel 64 and IA-32 Optimization Reference Manual, AMD
 * Software Optimization Guides 56665 and 57647, CPUID leaves 2, 0x18 and 0x80000005; Skylake's are exact, the others are
 * good to one structure.
 * @spec    04 §4.2
 */

export type TlbPage = '4K' | '2M' | '1G'

/** One array of translations. */
export interface TlbArray {
  readonly entries: number
  /** Entries of a set; as many as there are entries: fully associative. */
  readonly ways: number
  /** Page sizes whose translations it holds. */
  readonly pages: readonly TlbPage[]
}

/** What one CPU has. */
export interface TlbGeometry {
  /** First level for instructions. */
  readonly itlb: readonly TlbArray[]
  /** First level for data. */
  readonly dtlb: readonly TlbArray[]
  /** Second level; of data alone where `stlbInstructions` is given. */
  readonly stlb: readonly TlbArray[]
  readonly stlbInstructions?: readonly TlbArray[]
  /** Paging-structure caches, fully associative: entries of PMD, PUD and PGD tables. */
  readonly pde: number
  readonly pdpte: number
  readonly pml4e: number
  /** Translations carry the number of their address space, so that a switch need not flush. */
  readonly pcid: boolean
  /** Pages of 1 GiB exist (pdpe1gb in /proc/cpuinfo). */
  readonly gigabytePages: boolean
}

const all: readonly TlbPage[] = ['4K', '2M', '1G']
const PSC = { pde: 32, pdpte: 16, pml4e: 4 } as const

export const TLB_PRESETS = {
  'skylake-sp': {
    itlb: [
      { entries: 128, ways: 8, pages: ['4K'] },
      { entries: 8, ways: 8, pages: ['2M'] },
    ],
    dtlb: [
      { entries: 64, ways: 4, pages: ['4K'] },
      { entries: 32, ways: 4, pages: ['2M'] },
      { entries: 4, ways: 4, pages: ['1G'] },
    ],
    stlb: [
      { entries: 1536, ways: 12, pages: ['4K', '2M'] },
      { entries: 16, ways: 4, pages: ['1G'] },
    ],
    ...PSC,
    pcid: true,
    gigabytePages: true,
  },
  // Its further 16 entries for stores alone are left out.
  'golden-cove': {
    itlb: [
      { entries: 256, ways: 8, pages: ['4K'] },
      { entries: 32, ways: 8, pages: ['2M'] },
    ],
    dtlb: [
      { entries: 96, ways: 6, pages: ['4K'] },
      { entries: 32, ways: 8, pages: ['2M'] },
      { entries: 8, ways: 8, pages: ['1G'] },
    ],
    stlb: [
      { entries: 2048, ways: 16, pages: ['4K', '2M'] },
      { entries: 1024, ways: 8, pages: ['1G'] },
    ],
    ...PSC,
    pcid: true,
    gigabytePages: true,
  },
  // The page-directory cache of AMD has 64 entries; the levels above it are taken to be Intel's.
  zen3: {
    itlb: [{ entries: 64, ways: 64, pages: all }],
    dtlb: [{ entries: 64, ways: 64, pages: all }],
    stlb: [
      { entries: 2048, ways: 16, pages: ['4K', '2M'] },
      { entries: 64, ways: 64, pages: ['1G'] },
    ],
    stlbInstructions: [{ entries: 512, ways: 8, pages: ['4K', '2M'] }],
    ...PSC,
    pde: 64,
    pcid: true,
    gigabytePages: true,
  },
  zen4: {
    itlb: [{ entries: 64, ways: 64, pages: all }],
    dtlb: [{ entries: 72, ways: 72, pages: all }],
    stlb: [
      { entries: 3072, ways: 24, pages: ['4K', '2M'] },
      { entries: 64, ways: 64, pages: ['1G'] },
    ],
    stlbInstructions: [{ entries: 512, ways: 8, pages: ['4K', '2M'] }],
    ...PSC,
    pde: 64,
    pcid: true,
    gigabytePages: true,
  },
} as const satisfies Record<string, TlbGeometry>

export type TlbPresetName = keyof typeof TLB_PRESETS

/** What a machine has whose profile says nothing: the processor whose figures are published best. */
export const DEFAULT_TLB: TlbPresetName = 'skylake-sp'
