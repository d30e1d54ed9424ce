/**
 * migrate_pages(2): the pages of a process go from one set of nodes to another, each node's pages to the node that stands
 * at the same place in the other set.
 * @kernel  mm/mempolicy.c do_migrate_pages(), migrate_to_node()
 * @spec    08 §8.1
 */
import type { Vpn } from '../../util/units'
import type { KernelState } from '../state'
import { moveEntries } from './migrate_entries'
import { VM_IO, VM_PFNMAP, type Mm } from './mm_types'

/** One step of a migration: all pages of a node go to another. */
export interface NodePair {
  readonly source: number
  readonly dest: number
}

/** The n-th node of `from` becomes the n-th of `to`, round and round; others stay. @kernel include/linux/nodemask.h node_remap() */
export function nodeRemap(nid: number, from: readonly number[], to: readonly number[]): number {
  const at = from.indexOf(nid)
  return at < 0 || to.length === 0 ? nid : to[at % to.length]!
}

/**
 * Which nodes are emptied, in which order and where to. A node that itself is emptied takes pages only when there is no
 * other way, so that no page moves twice.
 * @kernel  mm/mempolicy.c do_migrate_pages()
 */
export function migrationPairs(from: readonly number[], to: readonly number[]): NodePair[] {
  const left = [...from]
  const pairs: NodePair[] = []
  while (left.length > 0) {
    let pick: NodePair | undefined
    for (const source of left) {
      // Sets of unlike sizes: what lies on a node that is wanted already stays there.
      if (from.length !== to.length && to.includes(source)) continue
      const dest = nodeRemap(source, from, to)
      if (dest === source) continue
      pick = { source, dest }
      if (!left.includes(dest)) break
    }
    if (pick === undefined) break
    left.splice(left.indexOf(pick.source), 1)
    pairs.push(pick)
  }
  return pairs
}

/** Pages looked at between two looks at the clock. */
const CHUNK = 512

/** How far a migration has come: the pair at work, the next page to look at, and pages that stayed. */
export interface MigrationProgress {
  pair: number
  at: Vpn
  failed: number
}

/**
 * Goes on with a migration.
 * @param isLate  asked after each piece
 * @returns done; more: the time is up; blocked: the operation has to wait
 * @kernel  mm/mempolicy.c migrate_to_node()
 */
export function migrateNodes(
  state: KernelState,
  mm: Mm,
  pairs: readonly NodePair[],
  progress: MigrationProgress,
  isLate: () => boolean,
): 'done' | 'more' | 'blocked' {
  for (; progress.pair < pairs.length; progress.pair++, progress.at = 0) {
    const { source, dest } = pairs[progress.pair]!
    for (;;) {
      const vma = mm.vmas.find((v) => v.end > progress.at)
      if (vma === undefined) break
      const start = Math.max(vma.start, progress.at)
      const end = (vma.flags & (VM_IO | VM_PFNMAP)) !== 0 ? vma.end : Math.min(vma.end, start + CHUNK)
      if ((vma.flags & (VM_IO | VM_PFNMAP)) === 0) {
        const how = { target: dest, shared: true }
        const failed = moveEntries(state, mm, { start, end }, (nid) => nid === source, how)
        if (failed < 0) return 'blocked'
        progress.failed += failed
      }
      progress.at = end
      if (isLate()) return 'more'
    }
  }
  return 'done'
}
