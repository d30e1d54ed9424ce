/** What must hold for names and inodes in memory, and for the nodes of page trees, at every moment between two events. */
import type { Inode } from '../fs_types'
import type { ListLru } from '../mm/list_lru'
import { isObjectInUse } from '../mm/slub'
import { WORKINGSET_NODES, readStat } from '../mm/vmstat'
import type { KernelState } from '../state'

/** Every list counts right, and its rows say that they are on it. */
function checkLists(lru: ListLru, what: string, isLive: (row: number) => boolean, found: string[]): number {
  let total = 0
  for (let number = 1; number < lru.lists.length; number++) {
    let n = 0
    let prev = 0
    for (let row = lru.lists[number]!.first; row !== 0 && n <= lru.list.length; row = lru.next[row]!) {
      n++
      if (lru.list[row] !== number || lru.prev[row] !== prev)
        found.push(`${what} ${row}: not where list ${number} has it`)
      if (!isLive(row)) found.push(`${what} ${row}: on a list, but gone`)
      prev = row
    }
    if (n !== lru.lists[number]!.count)
      found.push(`${what}: list ${number} counts ${lru.lists[number]!.count}, has ${n}`)
    total += n
  }
  return total
}

function checkNames(state: KernelState, found: string[]): void {
  const d = state.dcache
  const children = new Int32Array(d.rows)
  for (let row = 1; row < d.rows; row++) {
    if (d.address[row] === 0) continue
    if (!isObjectInUse(state, d.address[row]!)) found.push(`dentry ${row}: its object is free`)
    if (d.parent[row] !== 0) children[d.parent[row]!]!++
    if (d.ino[row] !== 0 && state.inodes[d.ino[row]!]?.dentry !== row)
      found.push(`dentry ${row}: its inode has another`)
    if (d.ino[row] === 0 && d.negative[d.negativeKey[row] ?? ''] !== row) found.push(`dentry ${row}: nobody's name`)
  }
  for (let row = 1; row < d.rows; row++)
    if (d.address[row] !== 0 && d.children[row] !== children[row])
      found.push(`dentry ${row}: counts ${d.children[row]} names below it, has ${children[row]}`)
}

function checkInode(state: KernelState, inode: Inode, found: string[]): void {
  if (inode.slab !== 0 && !isObjectInUse(state, inode.slab)) found.push(`inode ${inode.ino}: its object is free`)
  if (inode.dentry !== 0 && state.dcache.ino[inode.dentry] !== inode.ino)
    found.push(`inode ${inode.ino}: has no such name`)
  for (let node = 0; node < inode.treePages.length; node++) {
    let pages = 0
    for (let i = node * 64; i < Math.min(node * 64 + 64, inode.pages.length); i++) if (inode.pages[i]! > 0) pages++
    if (inode.fs === 'ext4' && inode.treePages[node] !== pages)
      found.push(`inode ${inode.ino} node ${node}: counts ${inode.treePages[node]} pages, has ${pages}`)
    const isShadow = inode.fs === 'ext4' && pages === 0 && inode.treeNodes[node] !== 0
    if (isShadow !== inode.treeRows[node]! > 0)
      found.push(`inode ${inode.ino} node ${node}: wrongly on or off the list of shadows`)
  }
}

/** One sentence for each broken rule. */
export function checkDcache(state: KernelState): string[] {
  const found: string[] = []
  const d = state.dcache
  checkLists(d.lru, 'dentry', (row) => d.address[row] !== 0, found)
  checkLists(d.inodeLru, 'inode', (ino) => (state.inodes[ino]?.slab ?? 0) !== 0, found)
  const nodes = checkLists(
    state.shadowNodes.lru,
    'shadow node',
    (row) => state.inodes[state.shadowNodes.ino[row]!] !== undefined,
    found,
  )
  const counted = state.nodes.reduce((sum, node) => sum + readStat(node.stat, WORKINGSET_NODES), 0)
  if (counted !== nodes) found.push(`workingset_nodes is ${counted}, lists have ${nodes}`)
  checkNames(state, found)
  for (const inode of state.inodes) if (inode !== undefined) checkInode(state, inode, found)
  return found
}
