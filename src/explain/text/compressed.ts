/** /sys/module/zswap, /sys/kernel/debug/zswap and /sys/block/zram*. */

export const ZSWAP_PARAMS = `
enabled: Y lets pages on their way to swap be compressed and kept in memory. N (default on Debian) only stops taking new
  ones: what is stored stays until it is read back or freed.
compressor: The algorithm. Writing begins a new pool; what is stored stays in the old one.
zpool: The allocator of the pool: zbud packs two pages into a frame, z3fold three, zsmalloc as many as fit.
max_pool_percent: How much of memory the pool may take, in percent; default 20.
accept_threshold_percent: Once full, the pool takes pages again below this percentage of its limit; default 90. Until
  then they go to the swap device.
shrinker_enabled: Y lets reclaim write old compressed pages to the swap device as soon as memory is short, not only when
  the pool is full. 6.12; default N.
same_filled_pages_enabled: Y (default) keeps a page whose words are all the same as that one word. 6.1.
non_same_filled_pages_enabled: N takes only such pages. 6.1; default Y.
`

export const ZSWAP_COUNTS = `
stored_pages: Pages in zswap now.
pool_total_size: Bytes that they take. Times stored pages over this is the compression ratio.
same_filled_pages: Those among them that one word stands for and that take nothing. 6.1.
pool_limit_hit: Pages that found the pool full.
written_back_pages: Pages that zswap has written to the swap device to make room.
reject_reclaim_fail: Tries to write one that failed, mostly because the page was back in memory already.
reject_alloc_fail: Pages that there was no memory for in the pool; they went to the device.
reject_kmemcache_fail: Pages that not even the entry could be allocated for.
reject_compress_fail: Pages that the compressor failed at. 6.12.
reject_compress_poor: Pages that hardly shrink: encrypted, random or compressed already.
duplicate_entry: Pages stored twice for one slot. 6.1.
`

export const ZRAM_FILES = `
comp_algorithm: The algorithm, the chosen one in brackets. Only before disksize is written.
disksize: How many bytes of uncompressed pages the device takes. Writing it makes the device usable.
initstate: 1 when disksize is set.
mem_limit: How much memory the compressed pages may take; what does not fit is a write error. Write only, 0 is no limit.
mem_used_max: Write 0 to begin a new maximum in mm_stat.
mm_stat: Bytes stored, bytes after compression, bytes of memory taken, limit, most memory taken; then counts: pages that
  one word stands for, pages freed by compaction, pages that hardly shrink, and how many of those there ever were.
reset: Write 1 to forget everything. Refused while it is a swap area.
size: Sectors of 512 bytes.
`
