/** Lines of /proc/vmstat that count what has happened since boot; they never fall. */

export const VMSTAT_EVENTS = `
pgpgin: KiB read from block devices since boot, in KiB although the name says pages. It includes all reads, not only
  page-ins; vmstat shows the rate as bi.
pgpgout: KiB written to block devices since boot, in KiB; vmstat shows the rate as bo.
pswpin: Pages read from swap, read-ahead included. A steady rate together with pswpout is thrashing; vmstat shows it
  as si.
pswpout: Pages written to swap. A burst is cold memory being put aside and harmless; vmstat shows it as so.
pgalloc_dma: Pages handed out from ZONE_DMA, weighted by size: an order-9 block adds 512.
pgalloc_dma32: Pages handed out from ZONE_DMA32.
pgalloc_normal: Pages handed out from ZONE_NORMAL.
pgalloc_movable: Pages handed out from ZONE_MOVABLE.
pgalloc_device: Pages handed out from ZONE_DEVICE; stays 0 in the ordinary allocator.
allocstall_dma: Times a task had to reclaim memory itself for an allocation limited to ZONE_DMA.
allocstall_dma32: Times a task entered direct reclaim for an allocation that could use nothing above ZONE_DMA32.
allocstall_normal: Times a task entered direct reclaim for an allocation up to ZONE_NORMAL. Each one is a latency
  hit in somebody's program: kswapd was too late.
allocstall_movable: Times a task entered direct reclaim for an allocation that may use any zone, which is what page
  faults of programs do.
allocstall_device: Direct reclaim for device memory; stays 0.
pgskip_dma: Pages that reclaim passed over because they lie in ZONE_DMA and it needed a lower zone; always 0 for the
  lowest.
pgskip_dma32: Pages in ZONE_DMA32 passed over by reclaim on behalf of a request restricted to lower zones.
pgskip_normal: Pages in ZONE_NORMAL passed over by reclaim on behalf of a request restricted to lower zones. Large
  numbers show that something needs DMA memory badly.
pgskip_movable: Pages in ZONE_MOVABLE passed over by reclaim for kernel requests, which cannot use that zone.
pgskip_device: Device pages passed over by reclaim; stays 0.
pgfree: Pages given back to the allocator.
pgactivate: Pages moved to the active list, or kept in use by a scan that found them referenced.
pgdeactivate: Pages moved from the active to the inactive list to be given a last chance.
pglazyfree: Pages a program gave up by MADV_FREE: they may be dropped without being written.
pgfault: Page faults of all kinds, minor ones included. Starting programs and first touches raise it; by itself it
  is no sign of trouble.
pgmajfault: Page faults that had to start I/O: a file page not in the cache or a page in swap. Each costs a disk
  access, so a rising rate is felt at once.
pglazyfreed: MADV_FREE pages that reclaim really dropped.
pgrefill: Active pages that reclaim looked at to refill the inactive list; under MGLRU pages sorted while evicting.
pgreuse: Copy-on-write faults that needed no copy, since the writer was the only owner left.
pgsteal_kswapd: Pages that kswapd reclaimed. Over pgscan_kswapd it is kswapd's efficiency.
pgsteal_direct: Pages that tasks reclaimed themselves for lack of free ones.
pgsteal_khugepaged: Pages reclaimed on behalf of khugepaged.
pgsteal_proactive: Pages taken by memory.reclaim, in kernels that count them apart.
pgscan_kswapd: Pages that kswapd examined as candidates. Background work that nobody waits for.
pgscan_direct: Pages that tasks examined in direct reclaim. Watch it and allocstall: a task was standing still
  meanwhile. Reclaim at a cgroup's limit is not counted here.
pgscan_khugepaged: Pages examined on behalf of khugepaged.
pgscan_proactive: Pages examined for memory.reclaim, in kernels that count them apart.
pgscan_direct_throttle: Times a task was put to sleep before direct reclaim because the reserves below half of min
  were gone. The machine is close to standstill.
pgscan_anon: Anonymous pages examined by any reclaim, cgroup limits included.
pgscan_file: File pages examined by any reclaim, cgroup limits included.
pgsteal_anon: Anonymous pages reclaimed, that is swapped out, by any reclaim.
pgsteal_file: File pages reclaimed by any reclaim.
zone_reclaim_success: Node-local reclaim (vm.zone_reclaim_mode) that freed enough to stay on the node.
zone_reclaim_failed: Node-local reclaim that found too little, so that the allocation went to another node.
pginodesteal: Page-cache pages freed because reclaim dropped a whole inode, by a task.
slabs_scanned: Objects that shrinkers looked at: objects, not pages.
kswapd_inodesteal: Page-cache pages freed because kswapd dropped a whole inode.
kswapd_low_wmark_hit_quickly: kswapd lay down for its 100 ms nap and was woken before the end: memory drained below
  low at once.
kswapd_high_wmark_hit_quickly: After its nap kswapd found the zones below high again and went on. Together with the
  line above: allocations outrun kswapd, so consider a larger watermark_scale_factor.
pageoutrun: Runs of kswapd's balancing loop.
pgrotated: Pages moved to the end of the inactive list because their writeback is over and they are due to be freed.
drop_pagecache: Writes to drop_caches that dropped page cache. Not 0 explains many a cold cache.
drop_slab: Writes to drop_caches that shrank the slab.
oom_kill: Processes killed for lack of memory, those at a cgroup's limit included. Alarm on any change.
numa_pte_updates: Page-table entries made inaccessible by NUMA balancing in order to learn who uses the page.
numa_huge_pte_updates: Huge-page entries marked the same way.
numa_hint_faults: Faults on entries that NUMA balancing had marked: the price of sampling.
numa_hint_faults_local: Hinting faults where page and CPU were on the same node. Its share of numa_hint_faults is
  how well memory is placed.
numa_pages_migrated: Pages that NUMA balancing moved to the node of their user.
pgmigrate_success: Pages moved to another frame, for compaction, NUMA balancing, mbind or hot-unplug.
pgmigrate_fail: Pages that could not be moved, mostly because somebody held an extra reference.
thp_migration_success: Huge pages moved in one piece.
thp_migration_fail: Huge pages that could be moved neither whole nor split.
thp_migration_split: Huge pages broken up because no free huge page was there to move them to.
compact_migrate_scanned: Pages the migrate scanner looked at, from the start of a zone upwards.
compact_free_scanned: Pages the free scanner looked at, from the end of a zone downwards. Much larger than
  compact_isolated means that compaction searches in vain.
compact_isolated: Pages taken by either scanner, to move or to move into.
compact_stall: Times a task compacted memory itself before it got its block: latency, as with allocstall. It is
  compact_success plus compact_fail.
compact_fail: Compactions by a task that made no block of the size wanted.
compact_success: Compactions by a task that did.
compact_daemon_wake: Times kcompactd was woken to make blocks in the background.
compact_daemon_migrate_scanned: The share of compact_migrate_scanned that kcompactd did.
compact_daemon_free_scanned: The share of compact_free_scanned that kcompactd did.
htlb_buddy_alloc_success: hugetlb pages obtained from the buddy allocator at run time.
htlb_buddy_alloc_fail: hugetlb pages it could not provide; the pool then stays smaller than what was written.
cma_alloc_success: Contiguous allocations that succeeded.
cma_alloc_fail: Contiguous allocations that failed.
unevictable_pgs_culled: Pages that reclaim found locked and put on the unevictable list.
unevictable_pgs_scanned: Unevictable pages checked again by hand; always 0 in current kernels.
unevictable_pgs_rescued: Pages that left the unevictable list because nothing locks them any more.
unevictable_pgs_mlocked: Pages locked by mlock since boot.
unevictable_pgs_munlocked: Pages unlocked since boot.
unevictable_pgs_cleared: Locked pages freed when their last mapping went away.
unevictable_pgs_stranded: Pages whose unlocking could not take them off the list at once.
thp_fault_alloc: Page faults that got a huge page: 2 MB for one fault.
thp_fault_fallback: Page faults that wanted a huge page and got a 4 kB one. Over thp_fault_alloc it measures
  fragmentation as programs feel it.
thp_fault_fallback_charge: Those fallbacks that happened because the cgroup had no room for 2 MB, although a huge
  page was there.
thp_collapse_alloc: Huge pages that khugepaged or MADV_COLLAPSE allocated to replace small ones.
thp_collapse_alloc_failed: Collapses given up for lack of a free huge page.
thp_file_alloc: Huge pages allocated for shared memory.
thp_file_fallback: Shared-memory huge pages that were wanted and not to be had.
thp_file_fallback_charge: Shared-memory huge pages refused by the cgroup's limit.
thp_file_mapped: File or shared-memory huge pages mapped by one 2 MB entry.
thp_split_page: Huge pages broken into 512 pages, by reclaim, migration or truncation.
thp_split_page_failed: Splits refused because somebody held a reference.
thp_deferred_split_page: Huge pages of which a part was unmapped; they wait to be split when memory is short.
thp_underused_split_page: Huge pages split because most of their small pages were zeros; from 6.12 on.
thp_split_pmd: 2 MB entries replaced by a table of 512 small ones while the page stayed whole, after munmap or
  mprotect of a part.
thp_scan_exceed_none_pte: Ranges khugepaged left alone because more than max_ptes_none entries were empty.
thp_scan_exceed_swap_pte: Ranges khugepaged left alone because more than max_ptes_swap pages were in swap.
thp_scan_exceed_share_pte: Ranges khugepaged left alone because more than max_ptes_shared pages were shared.
thp_split_pud: 1 GB entries split.
thp_zero_page_alloc: Times the huge page of zeros was allocated; reading untouched memory maps it.
thp_zero_page_alloc_failed: Times it was wanted and no free huge page was found.
thp_swpout: Huge pages swapped out whole, into 512 slots in a row.
thp_swpout_fallback: Huge pages that had to be split for swap because no such row was free.
`
