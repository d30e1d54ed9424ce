/**
 * Which group pays for kernel memory, and whole pages of it.
 * @kernel  mm/memcontrol.c current_obj_cgroup(), __memcg_kmem_charge_page()
 * @spec    07 §7.3
 */
import type { Pages, Pfn } from '../../util/units'
import { taskMemcg } from '../cgroup'
import { currentTask } from '../exec'
import type { KernelState } from '../state'
import { pageMemcg, setPageMemcg } from './memmap'
import { ROOT_MEMCG, memcgCharge, memcgUncharge } from './memcontrol'

/** The group that the running task's kernel memory is charged to; 0 = the root, or no task. @kernel mm/memcontrol.c current_obj_cgroup() */
export function currentObjCgroup(state: KernelState): number {
  const task = currentTask(state)
  const memcg = task === undefined ? ROOT_MEMCG : taskMemcg(state, task)
  return memcg === ROOT_MEMCG ? 0 : memcg
}

/**
 * Charges pages that were just allocated to the running task's group.
 * @returns false = refused; nothing is charged then
 * @kernel  mm/memcontrol.c __memcg_kmem_charge_page()
 */
export function memcgKmemChargePages(state: KernelState, pfn: Pfn, pages: Pages, gfp: number): boolean {
  const memcg = currentObjCgroup(state)
  if (memcg === 0) return true
  if (memcgCharge(state, memcg, pages, gfp) !== 'ok') return false
  for (let i = 0; i < pages; i++) setPageMemcg(state.memmap, pfn + i, memcg)
  return true
}

/** Before pages are freed that were perhaps charged. @kernel mm/memcontrol.c __memcg_kmem_uncharge_page() */
export function memcgKmemUnchargePages(state: KernelState, pfn: Pfn, pages: Pages): void {
  const memcg = pageMemcg(state.memmap, pfn)
  if (memcg === 0) return
  for (let i = 0; i < pages; i++) setPageMemcg(state.memmap, pfn + i, 0)
  memcgUncharge(state, memcg, pages)
}
