/** The table of the workbook's C programs. A new one is its file and a line here. */
import { cowTest } from './cow_test'
import { faultTest } from './fault_test'
import { mmapFile, pastTheEnd } from './files'
import { hugePool } from './huge_pool'
import { nullDeref, overflow, readOnly, stackOverflow, useAfterFree } from './invalid'
import { mallocTest } from './malloc_test'
import { mlockTest } from './mlock_test'
import type { BookProgram } from './source'
import { tlbStride } from './tlb_stride'

export type { BookProgram } from './source'

export const BOOK: readonly BookProgram[] = [
  cowTest,
  faultTest,
  hugePool,
  mallocTest,
  mlockTest,
  mmapFile,
  nullDeref,
  overflow,
  pastTheEnd,
  readOnly,
  stackOverflow,
  tlbStride,
  useAfterFree,
]
