/**
 * Which neighbouring mappings become one, and when a mapping gets its anon_vma: the conditions of merging look at both.
 * @kernel  mm/vma.c (mm/mmap.c before 6.10), mm/rmap.c
 * @spec    04 §4.4
 */
import type { KernelState } from '../state'
import { mpolEqual } from './mempolicy'
import { VM_ACCESS_FLAGS, VM_SPECIAL, type Mm, type Vma } from './mm_types'
import { findVmaIndex } from './vma_find'

/** The one that is new or has changed. What lies left and right of it stays as it is, or takes it in. */
type Target = Vma

/**
 * Whether `neighbour` may take `target` in as far as anonymous pages go: the same anon_vma, or one of them has none and
 * the neighbour's is its own alone. A changed mapping with pages is not taken in by a neighbour without.
 * @kernel  mm/vma.c is_mergeable_anon_vma() as of 6.1 to 6.15
 */
const isAnonMergeable = (target: Target, neighbour: Vma): boolean =>
  target.anonVma === neighbour.anonVma ||
  (target.anonVma === 0 && neighbour.anonVma !== 0 && neighbour.isCloned !== true)

/** Alike in everything but access and place. @kernel is_mergeable_vma() */
const isAlike = (a: Vma, b: Vma): boolean =>
  a.ino === b.ino &&
  a.name === b.name &&
  a.incompressible === b.incompressible &&
  mpolEqual(a.policy, b.policy) &&
  a.end === b.start &&
  a.pgoff + (a.end - a.start) === b.pgoff

const isMergeable = (a: Vma, b: Vma): boolean => isAlike(a, b) && a.flags === b.flags && (a.flags & VM_SPECIAL) === 0

/** Neighbours that take a mapping in. */
export interface Mergers {
  readonly left: Vma | undefined
  readonly right: Vma | undefined
}

/**
 * Who of the neighbours takes the mapping in.
 * @param target  as it is going to be
 * @kernel  mm/vma.c vma_merge_new_range(), vma_merge_existing_range(); cases 1 to 8 of vma_merge() in 6.1
 */
export function findMergers(target: Target, before: Vma | undefined, after: Vma | undefined): Mergers {
  const left =
    before !== undefined && isMergeable(before, target) && isAnonMergeable(target, before) ? before : undefined
  let right = after !== undefined && isMergeable(target, after) && isAnonMergeable(target, after) ? after : undefined
  // All three become one only if the outer two may share their pages.
  const areForeign =
    left !== undefined &&
    right !== undefined &&
    left.anonVma !== 0 &&
    right.anonVma !== 0 &&
    left.anonVma !== right.anonVma
  if (areForeign) right = undefined
  return { left, right }
}

/** The anonymous pages of `from` belong to `to` from now on. @kernel dup_anon_vma() */
function takeAnonVma(to: Vma, from: Vma): void {
  if (to.anonVma !== 0 || from.anonVma === 0) return
  to.anonVma = from.anonVma
  if (from.isCloned === true) to.isCloned = true
}

/** Two rows of the list become one; one mapping less holds the file. */
function joinNext(state: KernelState, mm: Mm, i: number): void {
  const vma = mm.vmas[i]!
  const [gone] = mm.vmas.splice(i + 1, 1)
  vma.end = gone!.end
  takeAnonVma(vma, gone!)
  if (gone!.ino !== 0) state.inodes[gone!.ino]!.users--
}

/** Joins mapping `i` with those that take it in. @returns the mapping that it is part of now */
export function mergeAt(state: KernelState, mm: Mm, i: number): Vma {
  const { left, right } = findMergers(mm.vmas[i]!, mm.vmas[i - 1], mm.vmas[i + 1])
  if (right !== undefined) joinNext(state, mm, i)
  if (left !== undefined) joinNext(state, mm, i - 1)
  return mm.vmas[left === undefined ? i : i - 1]!
}

/**
 * The mapping gets its first anonymous page: it shares the anon_vma of a neighbour with which it might merge one day
 * (mprotect() and back again), else it gets one of its own.
 * @kernel  mm/rmap.c __anon_vma_prepare(), mm/mmap.c find_mergeable_anon_vma()
 */
export function anonVmaPrepare(mm: Mm, vma: Vma): void {
  if (vma.anonVma !== 0) return
  const i = findVmaIndex(mm, vma.start)
  vma.anonVma = reusable(mm.vmas[i + 1], vma, mm.vmas[i + 1]) || reusable(mm.vmas[i - 1], mm.vmas[i - 1], vma)
  if (vma.anonVma === 0) vma.anonVma = ++mm.lastAnonVma
}

/** @returns 0 = none @kernel reusable_anon_vma(), anon_vma_compatible() */
function reusable(owner: Vma | undefined, a: Vma | undefined, b: Vma | undefined): number {
  if (owner === undefined || a === undefined || b === undefined || owner.isCloned === true) return 0
  return isAlike(a, b) && ((a.flags ^ b.flags) & ~VM_ACCESS_FLAGS) === 0 ? owner.anonVma : 0
}
