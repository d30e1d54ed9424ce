/** The table of the workbook's C programs. A new one is its file and a line here. */
import { adviceTest } from './advice_test'
import { badCalls } from './bad_calls'
import { cowTest } from './cow_test'
import { faultTest } from './fault_test'
import { mmapFile, pastTheEnd } from './files'
import { giantPage } from './giant_page'
import { hugePool } from './huge_pool'
import { nonCanonical, nullDeref, overflow, readOnly, stackOverflow, useAfterFree } from './invalid'
import { mallocTest } from './malloc_test'
import { mlockTest } from './mlock_test'
import type { BookProgram } from './source'
import { tlbStride } from './tlb_stride'

export type { BookProgram } from './source'

export const BOOK: readonly BookProgram[] = [
  adviceTest,
  badCalls,
  cowTest,
  faultTest,
  giantPage,
  hugePool,
  mallocTest,
  mlockTest,
  mmapFile,
  nonCanonical,
  nullDeref,
  overflow,
  pastTheEnd,
  readOnly,
  stackOverflow,
  tlbStride,
  useAfterFree,
]
