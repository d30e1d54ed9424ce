/**
 * Reclaim because of a limit, as charging, throttling and writes to limit files ask for it.
 * @kernel  mm/memcontrol.c
 * @spec    07 §7.8
 */
import type { Pages } from '../../util/units'
import { currentTask } from '../exec'
import { hooks } from '../hooks'
import type { KernelState } from '../state'
import { memstallEnter, memstallLeave } from './psi'

/** Tries after a fruitless reclaim. @kernel MAX_RECLAIM_RETRIES */
export const MEMCG_RECLAIM_RETRIES = 16

/**
 * Limit reclaim inside a memory stall.
 * @returns pages freed
 * @kernel  try_charge_memcg(), around try_to_free_mem_cgroup_pages()
 */
export function memcgReclaim(state: KernelState, memcgId: number, nr: Pages, gfp: number): Pages {
  const task = currentTask(state)
  const isNew = memstallEnter(state, task)
  const reclaimed = hooks.tryToFreeMemcgPages(state, memcgId, nr, gfp, { maySwap: true, proactive: false })
  memstallLeave(state, task, isNew)
  return reclaimed
}
