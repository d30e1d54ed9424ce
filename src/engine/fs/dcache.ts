/**
 * Names and inodes that the kernel keeps in memory after they were looked up. A dentry holds its parent and its inode; a
 * dentry that nobody uses waits on the list of its file system, the oldest one first, until the shrinker comes.
 * @kernel      fs/dcache.c, fs/inode.c
 * @spec        03 §3.9
 * @simplifies  a file has one name; a task's current directory does not hold it; pseudo file systems have none
 */
import { assert } from '../../util/assert'
import { byteLength } from '../../util/utf8'
import type { Inode } from '../fs_types'
import type { KernelState } from '../state'
import { GFP_BIT_RECLAIMABLE, GFP_KERNEL_ACCOUNT } from '../mm/gfp'
import { kfree, kmalloc } from '../mm/kmalloc'
import { createListLru, isListed, listLruAdd, listLruDel, type ListLru, type LruPlace } from '../mm/list_lru'
import { cacheNumber, findCache } from '../mm/slab_state'
import { kmemCacheAlloc, kmemCacheFree, objectMemcg, objectNid } from '../mm/slub'

/** @kernel DCACHE_REFERENCED: used again since it came onto the list */
export const DENTRY_REFERENCED = 1
/** Never on the list: a root, or a name of a file system that lives in memory only. */
const DENTRY_PINNED = 2

export interface Dcache {
  /** Rows handed out so far; row 0 is nobody's. Given back rows are linked through `parent`. */
  rows: number
  freeRow: number
  /** Addresses of the dentry, and of its name when that is too long for it (0 none). */
  address: Float64Array
  name: Float64Array
  /** Inode, 0 = the name does not exist, and this is remembered. */
  ino: Int32Array
  parent: Int32Array
  /** Dentries below this one. */
  children: Int32Array
  flags: Uint8Array
  /** File system, see superOf(). */
  owner: Uint16Array
  /** Names that do not exist: 'row of the directory/name' → row, and back. */
  readonly negative: Record<string, number>
  readonly negativeKey: Record<number, string>
  readonly lru: ListLru
  /** By inode number. */
  readonly inodeLru: ListLru
  /** No inode number below this one is free. Owner: fs/vfs.ts */
  inoHint: number
}

export const createDcache = (): Dcache => ({
  rows: 1,
  freeRow: 0,
  address: new Float64Array(64),
  name: new Float64Array(64),
  ino: new Int32Array(64),
  parent: new Int32Array(64),
  children: new Int32Array(64),
  flags: new Uint8Array(64),
  owner: new Uint16Array(64),
  negative: {},
  negativeKey: {},
  lru: createListLru(),
  inodeLru: createListLru(),
  inoHint: 1,
})

/** The file system that an inode belongs to: a disk's number + 1; 0 = one that lives in memory only. */
export const superOf = (inode: Inode): number => (inode.fs === 'ext4' ? inode.device + 1 : 0)

/** Slab objects of a file that is about to be made, or of a name that was looked up. */
export interface NameObjects {
  readonly inode: number
  readonly dentry: number
  readonly name: number
}

const INODE_CACHE_OF: Readonly<Record<string, string>> = {
  ext4: 'ext4_inode_cache',
  hugetlbfs: 'hugetlbfs_inode_cache',
}

const inodeCacheOf = (state: KernelState, fs: string): number =>
  cacheNumber(state.slabs, INODE_CACHE_OF[fs] ?? 'shmem_inode_cache')

/** Bytes of a name that fit into the dentry, the final zero included. @kernel DNAME_INLINE_LEN */
const inlineBytes = (state: KernelState): number => (state.config.series === '6.1' ? 32 : 40)
/** @kernel offsetof(struct external_name, name[1]) */
const EXTERNAL_NAME_HEAD = 17

/**
 * Memory for a dentry, and for its inode if it is to have one.
 * @param fs  '' = the name does not exist: no inode
 * @returns undefined = the charge was refused, there is no memory, or the operation has to wait: nothing is held then
 * @kernel  __d_alloc(), alloc_inode()
 */
export function takeNameObjects(state: KernelState, fs: string, name: string): NameObjects | undefined {
  const dentry = kmemCacheAlloc(state, cacheNumber(state.slabs, 'dentry'), GFP_KERNEL_ACCOUNT)
  if (dentry === 0) return undefined
  const bytes = byteLength(name)
  const isLong = bytes >= inlineBytes(state)
  const external = isLong ? kmalloc(state, EXTERNAL_NAME_HEAD + bytes, GFP_KERNEL_ACCOUNT | GFP_BIT_RECLAIMABLE) : 0
  const inode =
    fs === '' || (isLong && external === 0) ? 0 : kmemCacheAlloc(state, inodeCacheOf(state, fs), GFP_KERNEL_ACCOUNT)
  if ((fs === '' || inode !== 0) && (!isLong || external !== 0)) return { inode, dentry, name: external }
  giveNameObjects(state, { inode, dentry, name: external })
  return undefined
}

/** The file could not be made after all. */
export function giveNameObjects(state: KernelState, objects: NameObjects): void {
  for (const address of [objects.inode, objects.dentry]) if (address !== 0) kmemCacheFree(state, address)
  if (objects.name !== 0) kfree(state, objects.name)
}

function takeRow(state: KernelState): number {
  const d = state.dcache
  if (d.freeRow !== 0) {
    const row = d.freeRow
    d.freeRow = d.parent[row]!
    return row
  }
  if (d.rows === d.ino.length) growRows(d)
  return d.rows++
}

function growRows(d: Dcache): void {
  const n = 2 * d.ino.length
  const ints = (from: Int32Array): Int32Array => {
    const longer = new Int32Array(n)
    longer.set(from)
    return longer
  }
  const doubles = (from: Float64Array): Float64Array => {
    const longer = new Float64Array(n)
    longer.set(from)
    return longer
  }
  d.address = doubles(d.address)
  d.name = doubles(d.name)
  d.ino = ints(d.ino)
  d.parent = ints(d.parent)
  d.children = ints(d.children)
  const flags = new Uint8Array(n)
  flags.set(d.flags)
  d.flags = flags
  const owner = new Uint16Array(n)
  owner.set(d.owner)
  d.owner = owner
}

/** A name and its place in the tree. */
export interface NamePlace {
  /** Row of the directory's dentry, 0 = a root or a file without a name. */
  readonly parent: number
  readonly name: string
  readonly owner: number
}

/**
 * Enters a dentry; `inode` undefined = the name does not exist.
 * @returns its row
 * @kernel  d_add(), d_instantiate()
 */
export function dAdd(state: KernelState, objects: NameObjects, inode: Inode | undefined, at: NamePlace): number {
  const d = state.dcache
  const row = takeRow(state)
  d.address[row] = objects.dentry
  d.name[row] = objects.name
  d.ino[row] = inode?.ino ?? 0
  d.parent[row] = at.parent
  d.children[row] = 0
  d.owner[row] = at.owner
  d.flags[row] = at.owner === 0 || at.parent === 0 ? DENTRY_PINNED : 0
  if (at.parent !== 0) d.children[at.parent]!++
  if (inode === undefined) {
    const key = `${at.parent}/${at.name}`
    d.negative[key] = row
    d.negativeKey[row] = key
  } else {
    assert(inode.dentry === 0, `inode ${inode.ino} has a name already`)
    inode.dentry = row
    if (inode.slab === 0) inode.slab = objects.inode
  }
  return row
}

/** The row of a name that is known not to exist, 0 none. */
export function negativeDentry(state: KernelState, parent: number, name: string): number {
  const key = `${parent}/${name}`
  return Object.hasOwn(state.dcache.negative, key) ? state.dcache.negative[key]! : 0
}

/** Somebody holds the dentry: names below it, an open file, a mapping. @kernel d_lockref.count > 0 */
export function dentryInUse(state: KernelState, row: number): boolean {
  const d = state.dcache
  if (d.children[row]! > 0) return true
  const inode = d.ino[row] === 0 ? undefined : state.inodes[d.ino[row]!]
  return inode !== undefined && inode.users > 0
}

/** The list of an object's file system, group and node; a dying group's objects belong to its parent. */
export function lruPlaceOf(state: KernelState, address: number, owner: number): LruPlace {
  let memcg = objectMemcg(state, address)
  while (memcg > 1 && state.memcgs[memcg]?.online !== true) memcg = state.memcgs[memcg]?.parent ?? 0
  return { owner, memcg: memcg <= 1 ? 0 : memcg, nid: objectNid(state, address) }
}

/**
 * A look-up is over, or a file was closed: an unused dentry waits on the list; one that is there already was used again.
 * @kernel dput(), retain_dentry()
 */
export function dput(state: KernelState, row: number): void {
  const d = state.dcache
  if ((d.flags[row]! & DENTRY_PINNED) !== 0 || dentryInUse(state, row)) return
  if (!listLruAdd(d.lru, row, lruPlaceOf(state, d.address[row]!, d.owner[row]!))) d.flags[row]! |= DENTRY_REFERENCED
}

/**
 * Frees a dentry and every directory above it that only it held.
 * @kernel  __dentry_kill(), shrink_kill()
 */
export function dKill(state: KernelState, first: number): void {
  const d = state.dcache
  for (let row = first; row !== 0;) {
    const parent = d.parent[row]!
    const inode = d.ino[row] === 0 ? undefined : state.inodes[d.ino[row]!]
    forgetRow(state, row)
    if (inode !== undefined) {
      inode.dentry = 0
      inodeAddLru(state, inode, true)
    }
    if (parent === 0 || (d.flags[parent]! & DENTRY_PINNED) !== 0 || dentryInUse(state, parent)) return
    row = parent
  }
}

/** Takes a row out of the table, its objects with it. The inode stays. */
function forgetRow(state: KernelState, row: number): void {
  const d = state.dcache
  assert(d.children[row] === 0, `dentry ${row} is freed with ${d.children[row]} names below it`)
  listLruDel(d.lru, row)
  if (d.parent[row] !== 0) d.children[d.parent[row]!]!--
  const key = d.negativeKey[row]
  if (key !== undefined) {
    delete d.negative[key]
    delete d.negativeKey[row]
  }
  kmemCacheFree(state, d.address[row]!)
  if (d.name[row] !== 0) kfree(state, d.name[row]!)
  d.address[row] = 0
  d.name[row] = 0
  d.ino[row] = 0
  d.parent[row] = d.freeRow
  d.freeRow = row
}

/**
 * The file has lost its name. On a disk the name is remembered as one that does not exist, unless somebody holds the file.
 * @kernel  d_delete(); always_delete_dentry() of file systems in memory
 */
export function dDelete(state: KernelState, inode: Inode, name: string): void {
  const row = inode.dentry
  if (row === 0) return
  const d = state.dcache
  dropNamesBelow(state, row)
  inode.dentry = 0
  d.ino[row] = 0
  const parent = d.parent[row]!
  if (d.owner[row] === 0 || inode.users > 0 || parent === 0) {
    forgetRow(state, row)
    if (parent !== 0) dput(state, parent)
    return
  }
  const key = `${parent}/${name}`
  d.negative[key] = row
  d.negativeKey[row] = key
  dput(state, row)
}

/** A directory goes: names in it that do not exist go first. @kernel shrink_dcache_parent() */
function dropNamesBelow(state: KernelState, row: number): void {
  const d = state.dcache
  if (d.children[row] === 0) return
  for (let child = 1; child < d.rows; child++)
    if (d.address[child] !== 0 && d.parent[child] === row && d.ino[child] === 0) forgetRow(state, child)
}

/** The file has another name now, perhaps in another directory. @kernel d_move() */
export function dMove(state: KernelState, inode: Inode, parent: Inode): void {
  const row = inode.dentry
  if (row === 0) return
  const d = state.dcache
  if (parent.dentry === 0) {
    dropNamesBelow(state, row)
    if (d.children[row] === 0) dKill(state, row)
    return
  }
  if (d.parent[row] !== 0) d.children[d.parent[row]!]!--
  d.parent[row] = parent.dentry
  d.children[parent.dentry]!++
}

/** The file system is no longer mounted: its names go, and inodes of files without pages. @kernel shrink_dcache_for_umount() */
export function dropSuper(state: KernelState, owner: number): void {
  const d = state.dcache
  for (let isDone = false; !isDone;) {
    isDone = true
    for (let row = d.rows - 1; row > 0; row--) {
      if (d.address[row] === 0 || d.owner[row] !== owner || dentryInUse(state, row)) continue
      const inode = state.inodes[d.ino[row]!]
      if (inode !== undefined) inode.dentry = 0
      forgetRow(state, row)
      isDone = false
    }
  }
  for (const inode of state.inodes)
    if (inode !== undefined && inode.slab !== 0 && superOf(inode) === owner && !inodeInUse(inode))
      evictInode(state, inode)
}

// ---------------------------------------------------------------- inodes

/** @kernel I_REFERENCED */
export const INODE_REFERENCED = 1

/** Neither pages nor nodes of the page tree are left; a shadow at index 0 hangs on no node. @kernel mapping_shrinkable() */
const isShrinkable = (inode: Inode): boolean => inode.nrPages === 0 && inode.treeNodes.every((address) => address === 0)

/**
 * An inode of a disk that no name and no user holds, and whose file has no pages in memory, waits for the shrinker.
 * @param rotate  it was used: if it waits already, it gets a second chance
 * @kernel  fs/inode.c inode_add_lru()
 */
export function inodeAddLru(state: KernelState, inode: Inode, rotate: boolean): void {
  if (inode.slab === 0 || inode.dentry !== 0 || inode.users > 0 || inode.nrDirty > 0 || !inode.linked) return
  const owner = superOf(inode)
  if (owner === 0 || !isShrinkable(inode)) return
  const { inodeLru } = state.dcache
  if (!listLruAdd(inodeLru, inode.ino, lruPlaceOf(state, inode.slab, owner)) && rotate) inode.icache |= INODE_REFERENCED
}

/** Whether the shrinker has to leave the inode alone. */
export const inodeInUse = (inode: Inode): boolean => inode.dentry !== 0 || inode.users > 0 || !isShrinkable(inode)

/** The inode leaves memory; its file stays on the disk. @kernel evict(), destroy_inode() */
export function evictInode(state: KernelState, inode: Inode): void {
  listLruDel(state.dcache.inodeLru, inode.ino)
  if (inode.slab !== 0) kmemCacheFree(state, inode.slab)
  inode.slab = 0
  inode.icache = 0
}

/** Brings an inode into memory. @returns false = no memory, refused, or the operation has to wait @kernel iget_locked() */
export function iget(state: KernelState, inode: Inode): boolean {
  if (inode.slab !== 0) return true
  inode.slab = kmemCacheAlloc(state, inodeCacheOf(state, inode.fs), GFP_KERNEL_ACCOUNT)
  return inode.slab !== 0
}

/** What /proc/sys/fs/dentry-state and inode-nr count. */
export interface DcacheCounts {
  readonly dentries: number
  readonly unusedDentries: number
  readonly negative: number
  readonly inodes: number
  readonly unusedInodes: number
}

/** Objects in use of a cache, those of boot included. */
function objectsOf(state: KernelState, name: string): number {
  const cache = findCache(state.slabs, name)
  const s = state.slabs
  let used = 0
  if (cache < 0) return 0
  for (let row = 1; row < s.rows; row++) if (s.cache[row] === cache && s.pfn[row] !== 0) used += s.inuse[row]!
  return used
}

const INODE_CACHES = ['inode_cache', 'ext4_inode_cache', 'shmem_inode_cache', 'proc_inode_cache', 'sock_inode_cache']

/** @kernel get_nr_dentry(), get_nr_inodes(); @simplifies free objects of a CPU's active slab count as in use */
export function dcacheCounts(state: KernelState): DcacheCounts {
  const { lru, inodeLru, negativeKey } = state.dcache
  const total = (list: ListLru): number => list.lists.reduce((sum, { count }) => sum + count, 0)
  const negative = Object.keys(negativeKey).filter((row) => isListed(lru, Number(row))).length
  return {
    dentries: objectsOf(state, 'dentry'),
    unusedDentries: total(lru),
    negative,
    inodes: INODE_CACHES.reduce((sum, name) => sum + objectsOf(state, name), 0),
    unusedInodes: total(inodeLru),
  }
}
