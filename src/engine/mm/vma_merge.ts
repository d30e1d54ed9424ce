/**
 * Which neighbouring mappings become one.
 * @kernel  mm/vma.c (mm/mmap.c before 6.10)
 * @spec    04 §4.4
 */
import type { KernelState } from '../state'
import { anonVmaMerge } from './anon_vma'
import { VM_SPECIAL, type Mm, type Vma } from './mm_types'
import { updateMapleTree, vmAreaFree } from './vm_area'
import { isAlike } from './vma_alike'

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

/** Two rows of the list become one; one mapping less holds the file. */
function joinNext(state: KernelState, mm: Mm, i: number): void {
  const vma = mm.vmas[i]!
  const [gone] = mm.vmas.splice(i + 1, 1)
  vma.end = gone!.end
  anonVmaMerge(state, vma, gone!)
  // A range that never was a mapping of its own grows the one beside it.
  if (vma.objects === undefined && gone!.objects !== undefined) {
    vma.objects = gone!.objects
    delete gone!.objects
  } else vmAreaFree(state, gone!)
  updateMapleTree(state, mm, 0)
  if (gone!.ino !== 0) state.inodes[gone!.ino]!.users--
}

/** Joins mapping `i` with those that take it in. @returns the mapping that it is part of now */
export function mergeAt(state: KernelState, mm: Mm, i: number): Vma {
  const { left, right } = findMergers(mm.vmas[i]!, mm.vmas[i - 1], mm.vmas[i + 1])
  if (right !== undefined) joinNext(state, mm, i)
  if (left !== undefined) joinNext(state, mm, i - 1)
  return mm.vmas[left === undefined ? i : i - 1]!
}
