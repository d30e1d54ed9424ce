/**
 * The ways through the slab allocator: from the quickest to the slowest, for an allocation and for a free.
 * @kernel  mm/slub.c enum stat_item, the counters of CONFIG_SLUB_STATS
 * @spec    03 §3.5, §3.6
 */

/** From the CPU's own freelist, without a lock. */
export const ALLOC_FASTPATH = 0
/** The CPU took what others had given back to its slab. */
export const ALLOC_REFILL = 1
/** A slab that the CPU had set aside became its slab. */
export const CPU_PARTIAL_ALLOC = 2
/** A slab from the partial list of a node. */
export const ALLOC_FROM_PARTIAL = 3
/** New pages. */
export const ALLOC_SLAB = 4
/** To the CPU's own freelist, without a lock. */
export const FREE_FASTPATH = 5
/** Into a slab that another CPU allocates from. */
export const FREE_FROZEN = 6
/** Into a slab that stays where it is. */
export const FREE_SLOWPATH = 7
/** The slab was full, and this CPU sets it aside. */
export const CPU_PARTIAL_FREE = 8
/** The same, after the slabs set aside were too many and went to the node's list. */
export const CPU_PARTIAL_DRAIN = 9
/** The slab became empty and its pages went back. */
export const FREE_SLAB = 10

/** As the files of CONFIG_SLUB_STATS in /sys/kernel/slab are called. @kernel mm/slub.c STAT_ATTR() */
export const SLUB_PATHS: readonly string[] = [
  'alloc_fastpath',
  'alloc_refill',
  'cpu_partial_alloc',
  'alloc_from_partial',
  'alloc_slab',
  'free_fastpath',
  'free_frozen',
  'free_slowpath',
  'cpu_partial_free',
  'cpu_partial_drain',
  'free_slab',
]
