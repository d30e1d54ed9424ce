/**
 * Page tables: a pool of 512-entry tables, each made of one simulated frame.
 * @kernel  arch/x86/include/asm/pgtable.h, mm/memory.c
 * @spec    04 §4.1
 */

export interface PageTables {
  /** Entries of all tables: table * 512 + index. A PTE is (payload << 4 | bits); an upper entry is the child's table number + 1. */
  entries: Uint32Array
  /** Frame that the table is made of; 0 = free table slot. */
  pfn: Int32Array
  /** 1 PTE, 2 PMD, 3 PUD, 4 PGD (5 with LA57). */
  level: Uint8Array
  /** Address space. */
  mm: Int32Array
  /** First virtual page that the table covers, divided by the span of one entry: fits 32 bits at every level. */
  base: Int32Array
  /** Entries that are not none. */
  used: Int32Array
  /** Free slots, as a stack. */
  free: number[]
  count: number
}
