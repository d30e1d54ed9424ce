/**
 * Kernel objects that a process makes and that are charged to its group by the byte: descriptors, mappings, inodes.
 * @kernel  fs/file_table.c, mm/vma.c, mm/shmem.c: caches with SLAB_ACCOUNT
 * @model   object sizes of Debian 6.12; slabs themselves are not modelled yet, so the objects take part of the pages that
 *          boot gave to slab
 * @spec    07 §7.3, 11 §4
 */
import { taskMemcg } from './cgroup'
import { currentTask } from './exec'
import { GFP_KERNEL_ACCOUNT } from './mm/gfp'
import { memcgChargeSlab } from './mm/memcontrol'
import type { KernelState } from './state'

/** Bytes of one object, and whether its slab is reclaimable. */
const OBJECTS = {
  filp: { bytes: 232, isReclaimable: false },
  /** vm_area_struct, anon_vma and anon_vma_chain of a new mapping. */
  mapping: { bytes: 384, isReclaimable: false },
  /** shmem_inode_cache and dentry of a new file. */
  inode: { bytes: 1112, isReclaimable: true },
} as const

export type KernelObject = keyof typeof OBJECTS

/**
 * Charges one object to the running task's group; objects of the root group are not counted.
 * @returns false = the charge was refused, or the operation has to wait
 */
export function chargeObject(state: KernelState, object: KernelObject): boolean {
  const task = currentTask(state)
  if (task === undefined) return true
  const memcg = taskMemcg(state, task)
  if (memcg === 1) return true
  const { bytes, isReclaimable } = OBJECTS[object]
  return memcgChargeSlab(state, memcg, bytes, { isReclaimable, gfp: GFP_KERNEL_ACCOUNT }) === 'ok'
}
