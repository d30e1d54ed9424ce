/**
 * The events of memory.events and memory.swap.events: what they are called, and counting them.
 * @kernel  include/linux/memcontrol.h enum memcg_memory_event, memcg_memory_event()
 * @spec    07 §7.7
 */
import type { KernelState } from '../state'
import { emit, isTracing } from '../trace'
import { memcgAt, ROOT_MEMCG } from './memcg_tree'

/** memory.events in order. */
export const MEMCG_LOW = 0
export const MEMCG_HIGH = 1
export const MEMCG_MAX = 2
export const MEMCG_OOM = 3
export const MEMCG_OOM_KILL = 4
export const MEMCG_OOM_GROUP_KILL = 5
export const MEMCG_SWAP_HIGH = 6
export const MEMCG_SWAP_MAX = 7
export const MEMCG_SWAP_FAIL = 8
export const NR_MEMCG_EVENTS = 9
export const MEMCG_EVENT_NAMES = ['low', 'high', 'max', 'oom', 'oom_kill', 'oom_group_kill'] as const
export const MEMCG_SWAP_EVENT_NAMES = ['high', 'max', 'fail'] as const

/**
 * Counts an event in the group's own file and in memory.events of the group and all its ancestors below the root.
 * @param event  MEMCG_LOW … MEMCG_SWAP_FAIL
 * @kernel  include/linux/memcontrol.h memcg_memory_event()
 */
export function memcgEvent(state: KernelState, id: number, event: number, count = 1): void {
  memcgAt(state, id).eventsLocal[event]! += count
  for (let i = id; i !== 0;) {
    const memcg = memcgAt(state, i)
    if (i === ROOT_MEMCG && id !== ROOT_MEMCG) break
    memcg.events[event]! += count
    i = memcg.parent
  }
  if (isTracing()) emit(state, 'memcg_event', [id, event, count])
}
