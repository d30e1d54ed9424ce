/**
 * Allocation flags: bits, named masks and how dmesg spells them.
 * @kernel  include/linux/gfp_types.h
 * @spec    02 §2.8
 */
export const GFP_BIT_DMA = 0x1
export const GFP_BIT_HIGHMEM = 0x2
export const GFP_BIT_DMA32 = 0x4
export const GFP_BIT_MOVABLE = 0x8
export const GFP_BIT_RECLAIMABLE = 0x10
export const GFP_BIT_HIGH = 0x20
export const GFP_BIT_IO = 0x40
export const GFP_BIT_FS = 0x80
export const GFP_BIT_ZERO = 0x100
export const GFP_BIT_DIRECT_RECLAIM = 0x400
export const GFP_BIT_KSWAPD_RECLAIM = 0x800
export const GFP_BIT_WRITE = 0x1000
export const GFP_BIT_NOWARN = 0x2000
export const GFP_BIT_RETRY_MAYFAIL = 0x4000
export const GFP_BIT_NOFAIL = 0x8000
export const GFP_BIT_NORETRY = 0x10000
export const GFP_BIT_MEMALLOC = 0x20000
export const GFP_BIT_COMP = 0x40000
export const GFP_BIT_NOMEMALLOC = 0x80000
export const GFP_BIT_HARDWALL = 0x100000
export const GFP_BIT_THISNODE = 0x200000
export const GFP_BIT_ACCOUNT = 0x400000

export const GFP_RECLAIM = GFP_BIT_DIRECT_RECLAIM | GFP_BIT_KSWAPD_RECLAIM
export const GFP_KERNEL = GFP_RECLAIM | GFP_BIT_IO | GFP_BIT_FS
export const GFP_KERNEL_ACCOUNT = GFP_KERNEL | GFP_BIT_ACCOUNT
export const GFP_USER = GFP_KERNEL | GFP_BIT_HARDWALL
export const GFP_HIGHUSER_MOVABLE = GFP_USER | GFP_BIT_HIGHMEM | GFP_BIT_MOVABLE
export const GFP_ATOMIC = GFP_BIT_HIGH | GFP_BIT_KSWAPD_RECLAIM
export const GFP_NOWAIT = GFP_BIT_KSWAPD_RECLAIM
export const GFP_NOFS = GFP_RECLAIM | GFP_BIT_IO
export const GFP_NOIO = GFP_RECLAIM
export const GFP_DMA = GFP_BIT_DMA
export const GFP_DMA32 = GFP_BIT_DMA32
export const GFP_TRANSHUGE_LIGHT =
  (GFP_HIGHUSER_MOVABLE | GFP_BIT_COMP | GFP_BIT_NOMEMALLOC | GFP_BIT_NOWARN) & ~GFP_RECLAIM
export const GFP_TRANSHUGE = GFP_TRANSHUGE_LIGHT | GFP_BIT_DIRECT_RECLAIM
/** Anonymous fault, as reports print it: 0x140dca. */
export const GFP_ANON_FAULT = GFP_HIGHUSER_MOVABLE | GFP_BIT_COMP | GFP_BIT_ZERO
/** Page-cache read, as reports print it: 0x140cca. */
export const GFP_PAGE_CACHE = GFP_HIGHUSER_MOVABLE | GFP_BIT_COMP

/** Migrate types in free-list order. */
export const MIGRATE_UNMOVABLE = 0
export const MIGRATE_MOVABLE = 1
export const MIGRATE_RECLAIMABLE = 2
export const MIGRATE_HIGHATOMIC = 3
export const MIGRATE_ISOLATE = 4
export const MIGRATE_TYPES = 5
export const MIGRATE_NAMES = ['Unmovable', 'Movable', 'Reclaimable', 'HighAtomic', 'Isolate'] as const

/** Zone indices of x86-64. */
export const ZONE_DMA = 0
export const ZONE_DMA32 = 1
export const ZONE_NORMAL = 2
export const ZONE_MOVABLE = 3
export const ZONE_DEVICE = 4
export const MAX_NR_ZONES = 5
export const ZONE_NAMES = ['DMA', 'DMA32', 'Normal', 'Movable', 'Device'] as const

/** Largest order of a block: 1024 pages, 4 MiB. */
export const MAX_PAGE_ORDER = 10
export const NR_PAGE_ORDERS = 11
export const PAGE_ALLOC_COSTLY_ORDER = 3
export const PAGEBLOCK_ORDER = 9

/** @kernel  include/linux/gfp.h gfp_zone() @spec 02 §2.8 */
export function gfpZone(gfp: number): number {
  if (gfp & GFP_BIT_DMA) return ZONE_DMA
  if (gfp & GFP_BIT_DMA32) return ZONE_DMA32
  if ((gfp & GFP_BIT_MOVABLE) !== 0 && (gfp & GFP_BIT_HIGHMEM) !== 0) return ZONE_MOVABLE
  return ZONE_NORMAL
}

/** @kernel  include/linux/gfp.h gfp_migratetype() @spec 02 §2.1 */
export function gfpMigratetype(gfp: number): number {
  if (gfp & GFP_BIT_MOVABLE) return MIGRATE_MOVABLE
  if (gfp & GFP_BIT_RECLAIMABLE) return MIGRATE_RECLAIMABLE
  return MIGRATE_UNMOVABLE
}
