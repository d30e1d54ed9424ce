/**
 * Memory controller of cgroup v2: the struct, charging, limits, events, statistics, protection, throttling.
 * @kernel  mm/memcontrol.c
 * @spec    07
 */
import type { PageCounter } from './page_counter'

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

export interface Memcg {
  /** 1 = root; 0 is never used. Ids are reused only after the group is gone and holds no charge. */
  readonly id: number
  /** Parent's id, 0 for the root. */
  readonly parent: number
  /** Cgroup it belongs to. */
  readonly cgroup: number
  /** false = removed with charges left (dying). */
  online: boolean
  readonly memory: PageCounter
  readonly swap: PageCounter
  /** Hierarchical and local counts of NR_MEMCG_EVENTS. */
  readonly events: Float64Array
  readonly eventsLocal: Float64Array
  /** Own (not hierarchical) values of memory.stat; index = MEMCG_STAT_*. */
  readonly stat: Float64Array
  oomGroup: boolean
}

/** One CPU's pre-charged pages. */
export interface MemcgStock {
  /** Memcg id, 0 = empty. */
  memcg: number
  pages: number
}
