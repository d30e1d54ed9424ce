/**
 * Calls that go up: a low file that must reach a higher one does it through a slot here, so that the import graph stays
 * a tree. Bound once, in machine.ts; the table shows every exception to the tiers on one screen.
 */
import type { Pages, Pfn } from '../util/units'
import type { Inode } from './fs_types'
import type { KernelState } from './state'

export interface Hooks {
  /** memcontrol → vmscan: reclaim from one group because of its limit. Returns pages freed. */
  tryToFreeMemcgPages(
    state: KernelState,
    memcgId: number,
    nr: Pages,
    gfp: number,
    options: { maySwap: boolean; proactive: boolean; swappiness?: number },
  ): Pages
  /** memcontrol → oom_kill: true when somebody was or is being killed. */
  memcgOutOfMemory(state: KernelState, memcgId: number, gfp: number, order: number): boolean
  /** oom_kill → task lifecycle: SIGKILL to a whole process. */
  sendKill(state: KernelState, pid: number): void
  /** oom_kill → memory: unmap private memory of a victim; pages freed. */
  reapMm(state: KernelState, mmIndex: number): Pages
  /** block, vmscan, psi → sched. */
  wakeTask(state: KernelState, pid: number): void
  /** block → sched: everybody who waits for this frame. */
  wakePageWaiters(state: KernelState, pfn: Pfn): void
  /** vmscan → filemap: takes a clean, unmapped page out of its file and leaves the shadow (0 none). */
  removeMapping(state: KernelState, pfn: Pfn, shadow: number): void
  /** migrate → filemap: another frame holds the page of the file that its row names. */
  replaceMapping(state: KernelState, from: Pfn, to: Pfn): void
  /** vmscan → filemap: a shmem page's place in its file becomes this swap slot. */
  shmemReplaceBySwap(state: KernelState, pfn: Pfn, slot: number): void
  /** memory → page_alloc: see page_alloc.ts allocPages; used by tiers below it (page tables, swap-in). */
  allocPages(state: KernelState, gfp: number, order: number, nid?: number): Pfn
  /** vmscan → fs: shrink the names and inodes of a group on a node; objects freed. */
  shrinkSlab(state: KernelState, gfp: number, nid: number, memcg: number, priority: number): number
  /** shadow_nodes → filemap: what eviction left in [from, to) of a file is forgotten. */
  forgetShadows(state: KernelState, inode: Inode, from: number, to: number): void
  /** cgroup → cpuset: a process came from that group; a group's controllers changed. */
  cpusetAttach(state: KernelState, pid: number, fromCgroup: number): void
  updateCpusets(state: KernelState, cgroupId: number): void
  /** filemap → fs: the last page of a file has left; nobody may hold its inode any more. */
  inodeAddLru(state: KernelState, inode: Inode, rotate: boolean): void
  /** zswap → zswap_shrink: the worker that writes compressed pages on to their device has work. */
  queueZswapShrink(state: KernelState): void
  /** zswap → zswap_shrink: writes some of a group's compressed pages; whether any. */
  shrinkZswapMemcg(state: KernelState, memcg: number): boolean
}

function unbound(): never {
  throw new Error('engine/hooks.ts: used before machine.ts bound it')
}

export const hooks: Hooks = {
  tryToFreeMemcgPages: unbound,
  memcgOutOfMemory: unbound,
  sendKill: unbound,
  reapMm: unbound,
  wakeTask: unbound,
  wakePageWaiters: unbound,
  removeMapping: unbound,
  replaceMapping: unbound,
  shmemReplaceBySwap: unbound,
  allocPages: unbound,
  // Memory without file systems has nothing of theirs to shrink.
  shrinkSlab: () => 0,
  forgetShadows: unbound,
  // Without the controller everybody may use everything.
  cpusetAttach: () => {},
  updateCpusets: () => {},
  inodeAddLru: () => {},
  queueZswapShrink: unbound,
  shrinkZswapMemcg: unbound,
}
