/**
 * The memory map as messages: which frames are asked for, how they are sorted into kinds, and what one struct page says.
 * Kinds are small numbers, one byte a cell; the names of the kinds are here, so that window and session agree on them.
 */
import type { PageColour } from '../engine/mm/page_kinds'
import type { BuddyState } from '../engine/mm/page_facts'
import type { Ns, Pages, Pfn } from '../util/units'

export * from '../engine/mm/page_kinds'
export { MIGRATE_NAMES, ZONE_NAMES } from '../engine/mm/gfp'
export type { BuddyState } from '../engine/mm/page_facts'

/** A cell that has not been read yet. */
export const CELL_UNREAD = 255
/** A cell stands for 2^0 … 2^13 frames. */
export const SHIFT_MAX = 13

/** Frames from `startPfn` on, cell by cell. */
export interface PageRange {
  /** nid * 5 + zone index: frames of other zones are holes. */
  readonly zone: number
  /** A multiple of the frames of a cell. */
  readonly startPfn: Pfn
  readonly cells: number
}

export interface PageMapQuery {
  readonly colour: PageColour
  /** cgroup: its path; process: pid; slab: name of a cache; else ''. */
  readonly subject: string
  /** A cell is 2^shift frames; its kind is that of most of them. */
  readonly shift: number
  readonly ranges: readonly PageRange[]
  /** Wants `overview` and `totals` too. */
  readonly whole: boolean
}

export interface PageMap {
  readonly atNs: Ns
  /** Cells of all ranges, one range after the other. */
  readonly cells: Uint8Array
  /** Frames by kind in the ranges. */
  readonly counts: Float64Array
  /** Cells of the ranges that are older than this reply, because there was more to read than a reply may take. */
  readonly staleCells: number
  readonly whole: PageMapWhole | undefined
  readonly scanners: readonly CompactionScanner[]
  /** Ages are generations, not the classic lists. */
  readonly isMglru: boolean
}

/** The whole machine by owner. */
export interface PageMapWhole {
  /** Owner of most frames of each 2^shift frames. */
  readonly shift: number
  readonly cells: Uint8Array
  /** Frames by zone and owner: zone * NR_FRAME_OWNERS + FRAME_*. */
  readonly totals: Float64Array
  /** Frames whose last look is older than this reply. */
  readonly stalePages: Pages
}

/** Where compaction is at work, or where it stopped. */
export interface CompactionScanner {
  readonly zone: number
  /** Takes movable pages, upwards. */
  readonly migratePfn: Pfn
  /** Takes free frames, downwards. */
  readonly freePfn: Pfn
  readonly isRunning: boolean
  /** 'kcompactd0', 'compact_memory', … */
  readonly who: string
}

/** A zone as the map shows it. */
export interface MapZone {
  readonly zone: number
  readonly nid: number
  readonly name: string
  readonly startPfn: Pfn
  readonly spanned: Pages
  readonly present: Pages
  readonly managed: Pages
  /** Its RAM, ascending; what lies between is a hole, or another zone's. */
  readonly ram: readonly { readonly start: Pfn; readonly end: Pfn }[]
}

export interface PageMapLayout {
  readonly endPfn: Pfn
  /** Zones that have frames, by node and address. */
  readonly zones: readonly MapZone[]
  /** Slab caches that a sorting can be asked for. */
  readonly caches: readonly string[]
}

export interface PageOwner {
  readonly pid: number
  readonly comm: string
}

/** One struct page in words that the window can put into sentences. */
export interface PageInfo {
  readonly atNs: Ns
  readonly pfn: Pfn
  /** FRAME_* */
  readonly owner: number
  readonly nid: number
  readonly zone: string
  readonly migratetype: string
  readonly blockSkipped: boolean
  /** As the kernel names them, without PG_. */
  readonly flags: readonly string[]
  readonly head: Pfn
  readonly order: number
  readonly refcount: number
  readonly mapcount: number
  /** Path of the group it is charged to, '' none. */
  readonly memcg: string
  readonly free?: {
    readonly head: Pfn
    readonly order: number
    readonly type: string
    readonly buddy: Pfn
    readonly buddyState: BuddyState
    readonly buddyFree: Pages
    readonly next: Pfn
  }
  readonly pcpCpu?: number
  readonly lru?: {
    /** 'inactive_anon', or 'generation 7 of 6–9'. */
    readonly name: string
    readonly isOffList: boolean
    readonly next: Pfn
    readonly prev: Pfn
  }
  readonly file?: { readonly ino: number; readonly path: string; readonly index: number; readonly isShmem: boolean }
  readonly swapSlot?: number
  readonly mappings: readonly (PageOwner & { readonly address: number; readonly vma: string })[]
  readonly table?: PageOwner & { readonly level: number; readonly address: number }
  readonly slab?: {
    readonly cache: string
    readonly objects: number
    readonly inuse: number
    readonly objectSize: number
  }
  readonly stackOf?: PageOwner
}
