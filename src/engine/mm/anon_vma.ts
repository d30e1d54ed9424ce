/**
 * Where anonymous pages of a mapping may be mapped: an anon_vma for the mapping that first wrote, and a chain that leads
 * from every mapping to the anon_vmas of its ancestors. Here they exist as slab objects and as the rule that keeps
 * mappings of different families from merging; pages are found through the chains of rmap.ts.
 * @kernel  mm/rmap.c __anon_vma_prepare(), anon_vma_clone(), anon_vma_fork(), unlink_anon_vmas()
 * @spec    04 §4.6, §4.7
 */
import { assert } from '../../util/assert'
import type { KernelState } from '../state'
import { GFP_KERNEL } from './gfp'
import { VM_ACCESS_FLAGS, type Mm, type Vma } from './mm_types'
import { GFP_UNDOABLE, giveOne, takeOne } from './slab_group'
import { isAlike } from './vma_alike'
import { findVmaIndex } from './vma_find'

export interface AnonVma {
  /** Address of the object, 0 = this row is free. */
  object: number
  /** Rows; a root is its own. While the row is free, `parent` is the next free one. */
  root: number
  parent: number
  /** Itself while mappings lead here, and for a root each of its descendants. */
  refcount: number
  /** anon_vmas whose parent this is, itself included for a root. */
  children: number
  /** Mappings whose new pages belong here. */
  activeVmas: number
  /** anon_vma_chains that lead here. */
  links: number
}

export interface AnonVmas {
  /** Row 0 is nobody's. */
  readonly rows: AnonVma[]
  free: number
}

/** One anon_vma_chain. */
export interface AnonVmaLink {
  readonly object: number
  readonly anonVma: number
}

const NOBODY: AnonVma = { object: 0, root: 0, parent: 0, refcount: 0, children: 0, activeVmas: 0, links: 0 }

/** @kernel mm/rmap.c anon_vma_init() */
export const createAnonVmas = (): AnonVmas => ({ rows: [{ ...NOBODY }], free: 0 })

const rowOf = (state: KernelState, row: number): AnonVma => {
  const found = state.anonVmas.rows[row]
  assert(found !== undefined && found.object !== 0, `anon_vma ${row} does not exist`)
  return found
}

/** A root of its own until fork says otherwise. @returns 0 = no memory, refused, or waiting */
function anonVmaAlloc(state: KernelState, gfp: number): number {
  const object = takeOne(state, 'anon_vma', gfp)
  if (object === 0) return 0
  const pool = state.anonVmas
  const row = pool.free === 0 ? pool.rows.length : pool.free
  if (row === pool.free) pool.free = pool.rows[row]!.parent
  pool.rows[row] = { object, root: row, parent: row, refcount: 1, children: 0, activeVmas: 0, links: 0 }
  return row
}

function anonVmaFree(state: KernelState, row: number): void {
  const pool = state.anonVmas
  giveOne(state, rowOf(state, row).object)
  pool.rows[row] = { ...NOBODY, parent: pool.free }
  pool.free = row
}

/** @kernel mm/rmap.c __put_anon_vma() */
function putAnonVma(state: KernelState, row: number): void {
  const anonVma = rowOf(state, row)
  if (--anonVma.refcount > 0) return
  const { root } = anonVma
  anonVmaFree(state, row)
  if (root !== row && --rowOf(state, root).refcount === 0) anonVmaFree(state, root)
}

/** @returns whether there was memory for the chain's link */
function link(state: KernelState, vma: Vma, row: number, gfp: number): boolean {
  const object = takeOne(state, 'anon_vma_chain', gfp)
  if (object === 0) return false
  vma.anonChain = [...(vma.anonChain ?? []), { object, anonVma: row }]
  rowOf(state, row).links++
  return true
}

/** The mapping's new pages belong there from now on. */
function adopt(state: KernelState, vma: Vma, row: number): void {
  vma.anonVma = row
  rowOf(state, row).activeVmas++
}

/** A neighbour that would merge but for its access lends its own. @kernel mm/mmap.c reusable_anon_vma() */
function reusable(owner: Vma | undefined, a: Vma | undefined, b: Vma | undefined): number {
  if (owner === undefined || a === undefined || b === undefined || owner.isCloned === true) return 0
  return isAlike(a, b) && ((a.flags ^ b.flags) & ~VM_ACCESS_FLAGS) === 0 ? owner.anonVma : 0
}

/**
 * Before the first anonymous page comes into a mapping.
 * @returns false = no memory, charge refused, or waiting
 * @kernel  mm/rmap.c __anon_vma_prepare()
 */
export function anonVmaPrepare(state: KernelState, mm: Mm, vma: Vma): boolean {
  if (vma.anonVma !== 0) return true
  const i = findVmaIndex(mm, vma.start)
  const [before, next] = [mm.vmas[i - 1], mm.vmas[i + 1]]
  const found = reusable(next, vma, next) || reusable(before, before, vma)
  const row = found === 0 ? anonVmaAlloc(state, GFP_KERNEL) : found
  if (row === 0) return false
  if (!link(state, vma, row, GFP_KERNEL)) {
    if (found === 0) putAnonVma(state, row)
    return false
  }
  if (found === 0) rowOf(state, row).children++
  adopt(state, vma, row)
  return true
}

/** The chain of one mapping for another as well. @returns whether there was memory @kernel mm/rmap.c anon_vma_clone() */
function anonVmaClone(state: KernelState, to: Vma, from: Vma, gfp: number): boolean {
  for (const { anonVma } of from.anonChain ?? []) if (!link(state, to, anonVma, gfp)) return false
  return true
}

/**
 * A mapping that was copied from another of the same address space, and still has that one's chain, gets its own.
 * @kernel      mm/vma.c __split_vma(), copy_vma(), anon_vma_clone()
 * @simplifies  takes its objects from reserves rather than fail
 */
export function anonVmaCopied(state: KernelState, copy: Vma): void {
  if (copy.anonVma === 0) return
  const from = { ...copy }
  delete copy.anonChain
  anonVmaClone(state, copy, from, GFP_UNDOABLE)
  rowOf(state, copy.anonVma).activeVmas++
}

/**
 * One mapping becomes a part of another, which takes over what the first one had.
 * @kernel      mm/vma.c dup_anon_vma(), unlink_anon_vmas()
 * @simplifies  moves the chain, where the kernel clones it and unlinks the old one
 */
export function anonVmaMerge(state: KernelState, into: Vma, gone: Vma): void {
  if (into.anonVma !== 0 || gone.anonVma === 0) {
    unlinkAnonVmas(state, gone)
    return
  }
  into.anonVma = gone.anonVma
  if (gone.anonChain !== undefined) into.anonChain = gone.anonChain
  if (gone.isCloned === true) into.isCloned = true
  gone.anonVma = 0
  delete gone.anonChain
}

/**
 * A forked mapping: linked to all that its parent is linked to, with an anon_vma of its own unless one of those has
 * lost its mappings.
 * @returns false = no memory, charge refused, or waiting
 * @kernel  mm/rmap.c anon_vma_fork()
 */
export function anonVmaFork(state: KernelState, child: Vma, parent: Vma): boolean {
  child.anonVma = 0
  delete child.anonChain
  delete child.isCloned
  if (parent.anonVma === 0) return true
  child.isCloned = true
  if (!anonVmaClone(state, child, parent, GFP_KERNEL)) return false
  const reused = parent.anonChain?.find(({ anonVma }) => {
    const row = rowOf(state, anonVma)
    return row.children < 2 && row.activeVmas === 0
  })
  if (reused !== undefined) {
    adopt(state, child, reused.anonVma)
    return true
  }
  const row = anonVmaAlloc(state, GFP_KERNEL)
  if (row === 0) return false
  if (!link(state, child, row, GFP_KERNEL)) {
    putAnonVma(state, row)
    return false
  }
  const own = rowOf(state, row)
  own.parent = parent.anonVma
  own.root = rowOf(state, parent.anonVma).root
  rowOf(state, own.root).refcount++
  rowOf(state, own.parent).children++
  adopt(state, child, row)
  return true
}

/** The mapping goes. @kernel mm/rmap.c unlink_anon_vmas() */
export function unlinkAnonVmas(state: KernelState, vma: Vma): void {
  const chain = vma.anonChain ?? []
  for (const { object, anonVma } of chain) {
    const row = rowOf(state, anonVma)
    giveOne(state, object)
    if (--row.links === 0) rowOf(state, row.parent).children--
  }
  if (vma.anonVma !== 0) rowOf(state, vma.anonVma).activeVmas--
  for (const { anonVma } of chain) {
    const row = state.anonVmas.rows[anonVma]!
    if (row.object !== 0 && row.links === 0) putAnonVma(state, anonVma)
  }
  vma.anonVma = 0
  delete vma.anonChain
}
