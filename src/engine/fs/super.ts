/**
 * The shrinker of a file system: unused names first, then the inodes that they held.
 * @kernel  fs/super.c super_cache_count(), super_cache_scan(); fs/dcache.c prune_dcache_sb(); fs/inode.c prune_icache_sb()
 * @spec    03 §3.9
 */
import { charge } from '../exec'
import type { KernelState } from '../state'
import { GFP_BIT_FS } from '../mm/gfp'
import { listLruCount, listLruDel, listLruFirst, listLruRotate, type LruPlace } from '../mm/list_lru'
import { SHRINK_STOP, type Shrinker } from '../mm/shrinker'
import { DENTRY_REFERENCED, INODE_REFERENCED, dKill, dentryInUse, evictInode, inodeInUse } from './dcache'

/** @kernel vfs_pressure_ratio() */
const pressureRatio = (state: KernelState, objects: number): number =>
  Math.floor((objects * state.sysctl.vfsCachePressure) / 100)

/**
 * Walks the list of unused dentries: one in use leaves it, one that was used again stays, the others are freed.
 * @returns dentries taken off the list
 * @kernel  dentry_lru_isolate(), shrink_dentry_list()
 */
function pruneDcache(state: KernelState, place: LruPlace, nr: number): number {
  const d = state.dcache
  const doomed: number[] = []
  let isolated = 0
  for (let row = listLruFirst(d.lru, place), left = nr; row !== 0 && left > 0; left--) {
    const next = d.lru.next[row]!
    charge(state, state.costs.shrinkObject)
    if (dentryInUse(state, row)) {
      listLruDel(d.lru, row)
      isolated++
    } else if ((d.flags[row]! & DENTRY_REFERENCED) !== 0) {
      d.flags[row]! &= ~DENTRY_REFERENCED
      listLruRotate(d.lru, row)
    } else {
      listLruDel(d.lru, row)
      doomed.push(row)
      isolated++
    }
    row = next
  }
  for (const row of doomed) dKill(state, row)
  return isolated
}

/** @kernel inode_lru_isolate() */
function pruneIcache(state: KernelState, place: LruPlace, nr: number): number {
  const { inodeLru } = state.dcache
  let isolated = 0
  for (let ino = listLruFirst(inodeLru, place), left = nr; ino !== 0 && left > 0; left--) {
    const next = inodeLru.next[ino]!
    const inode = state.inodes[ino]!
    charge(state, state.costs.shrinkObject)
    if (inodeInUse(inode)) {
      listLruDel(inodeLru, ino)
      isolated++
    } else if ((inode.icache & INODE_REFERENCED) !== 0) {
      inode.icache &= ~INODE_REFERENCED
      listLruRotate(inodeLru, ino)
    } else {
      evictInode(state, inode)
      isolated++
    }
    ino = next
  }
  return isolated
}

/** The shrinker of the file system with this number, see superOf(). */
export const superShrinker = (owner: number): Shrinker => ({
  id: owner,
  batch: 1024,
  seeks: 2,
  count: (state, nid, memcg) => {
    const place = { owner, memcg, nid }
    const { lru, inodeLru } = state.dcache
    return pressureRatio(state, listLruCount(lru, place) + listLruCount(inodeLru, place))
  },
  scan: (state, { nid, memcg, gfp, nr }) => {
    if ((gfp & GFP_BIT_FS) === 0) return SHRINK_STOP
    const place = { owner, memcg, nid }
    const dentries = listLruCount(state.dcache.lru, place)
    const inodes = listLruCount(state.dcache.inodeLru, place)
    const total = dentries + inodes + 1
    const freed = pruneDcache(state, place, Math.floor((nr * dentries) / total) + 1)
    return freed + pruneIcache(state, place, Math.floor((nr * inodes) / total) + 1)
  },
})
