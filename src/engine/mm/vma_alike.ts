/**
 * Whether two mappings that touch differ in nothing but access: what merging and the loan of an anon_vma both ask.
 * @kernel  mm/vma.c is_mergeable_vma(), mm/mmap.c anon_vma_compatible()
 */
import { mpolEqual } from './mempolicy'
import type { Vma } from './mm_types'

/** Alike in everything but access and place. @kernel is_mergeable_vma() */
export const isAlike = (a: Vma, b: Vma): boolean =>
  a.ino === b.ino &&
  a.name === b.name &&
  a.incompressible === b.incompressible &&
  a.isSameFilled === b.isSameFilled &&
  mpolEqual(a.policy, b.policy) &&
  a.end === b.start &&
  a.pgoff + (a.end - a.start) === b.pgoff
