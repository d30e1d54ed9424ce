/**
 * Kinds into which the memory map sorts frames, as small numbers: constants only, because windows need them too.
 * 0 and 1 are the same in every sorting.
 */

/** Owners of frames. */
export const FRAME_HOLE = 0
export const FRAME_RESERVED = 1
export const FRAME_ANON = 2
export const FRAME_HUGE = 3
export const FRAME_FILE = 4
export const FRAME_SLAB = 5
export const FRAME_PGTABLE = 6
export const FRAME_KERNEL = 7
/** On a per-CPU list: neither counted as free nor in use. */
export const FRAME_PCP = 8
export const FRAME_FREE = 9
export const NR_FRAME_OWNERS = 10

export const PAGE_COLOURS = ['owner', 'zone', 'order', 'migratetype', 'age', 'cgroup', 'process', 'slab'] as const
export type PageColour = (typeof PAGE_COLOURS)[number]

/** No sorting has more kinds. */
export const PAGE_KINDS_MAX = 16

/** Zone index z: 2 + 2z in use, 3 + 2z free. Migratetype t: 2 + 2t in use, 3 + 2t free. Order o: 2 + o for free blocks. */
export const KIND_USED = 2

/** Order, besides free blocks. */
export const ORDER_PCP = 13
export const ORDER_SINGLE = 14
export const ORDER_COMPOUND = 15

/** LRU age. */
export const AGE_FREE = 2
export const AGE_NO_LRU = 3
export const AGE_UNEVICTABLE = 4
/** In a per-CPU batch on the way to a list, or taken off one for a moment. */
export const AGE_OFF_LIST = 5
/** 6 youngest … 9 oldest generation; of the classic lists 6 active, 9 inactive. */
export const AGE_YOUNGEST = 6
export const AGE_OLDEST = 9

/** Memory cgroup, process, slab cache. */
export const SUBJECT_FREE = 2
export const SUBJECT_NONE = 3
export const SUBJECT_OTHER = 4
/** Below the group; mapped by others too. */
export const SUBJECT_PARTLY = 5
export const SUBJECT_OWN = 6
/** The page tables of the process. */
export const SUBJECT_TABLE = 7
