/** Lines of /proc/vmstat that say how much there is now, and those that belong to no larger group. */

export const VMSTAT_STATE = `
nr_free_pages: Pages on the buddy lists; /proc/meminfo shows them as MemFree. Per-CPU lists are not included, which
  can hide hundreds of MB on a machine with many CPUs.
nr_zone_inactive_anon: Inactive anonymous pages of a zone. Reclaim's question whether a zone has anything left to
  scan is answered from these per-zone counts.
nr_zone_active_anon: Active anonymous pages of a zone.
nr_zone_inactive_file: Inactive file pages of a zone.
nr_zone_active_file: Active file pages of a zone.
nr_zone_unevictable: Pages of a zone that reclaim must leave alone: locked memory, ramfs.
nr_zone_write_pending: Pages of a zone that are dirty or under writeback. Reclaim cannot free them at once, so
  direct reclaim sleeps when they make up most of what it could take.
nr_mlock: Pages kept in RAM by mlock; Mlocked of /proc/meminfo.
nr_bounce: Bounce-buffer pages for devices that cannot address all of RAM. Gone from 6.18 on.
nr_zspages: Pages of the zsmalloc pools behind zram and zswap.
nr_free_cma: Free pages in the regions of the contiguous memory allocator.
nr_unaccepted: Pages a confidential guest has not accepted yet.
numa_hit: Allocations that got their page from the node they preferred: one per call, whatever the order. On a
  machine with one node it is simply the number of allocations.
numa_miss: Allocations served by this node although another was preferred, because that one was full. It says
  nothing about where the CPU was; numa_other does.
numa_foreign: Allocations that preferred this node and had to go elsewhere. Every numa_miss on one node is a
  numa_foreign on another.
numa_interleave: Allocations under an interleave policy that reached the node whose turn it was; interleave_hit in
  numastat.
numa_local: Allocations on the node of the CPU that asked; local_node in numastat.
numa_other: Allocations made here by a CPU of another node; other_node in numastat. Rising beside numa_hit, it means
  a policy puts memory far away on purpose.
nr_inactive_anon: Inactive anonymous and shared-memory pages of a node; with MGLRU all generations but the two
  youngest.
nr_active_anon: Active anonymous and shared-memory pages of a node; with MGLRU the two youngest generations.
nr_inactive_file: Inactive file pages of a node: the first that reclaim takes.
nr_active_file: Active file pages of a node.
nr_unevictable: Pages on the unevictable lists of a node.
nr_slab_reclaimable: Slab pages of caches with a shrinker (dentries, inodes). In pages here, in kB as SReclaimable.
nr_slab_unreclaimable: Slab pages that nothing can shrink. In pages here, in kB as SUnreclaim.
nr_isolated_anon: Anonymous pages taken off their list for a moment, by reclaim or compaction. When they rival the
  inactive list, direct reclaimers wait their turn.
nr_isolated_file: File pages taken off their list for a moment by reclaim or compaction.
workingset_nodes: Page-cache tree nodes that hold nothing but shadow entries. They are slab memory spent on
  remembering what was evicted, and have a shrinker of their own.
workingset_refault_anon: Anonymous pages that came back from swap while a shadow entry still told when they had
  left. A steady rate is swap thrashing.
workingset_refault_file: File pages read again after reclaim had dropped them. The best single sign that the page
  cache is too small for its users.
workingset_activate_anon: Refaulted anonymous pages put straight on the active list: they had been gone for less
  time than the list could have kept them.
workingset_activate_file: Refaulted file pages put straight on the active list because a slightly larger cache would
  have held them.
workingset_restore_anon: Refaulted anonymous pages that were active before they were evicted. Waiting for them
  counts as memory pressure in PSI.
workingset_restore_file: Refaulted file pages that belonged to the working set when evicted. If it moves, memory is
  short for real work, not just for one-time reads.
workingset_nodereclaim: Shadow-only tree nodes that the shrinker gave back, forgetting evictions.
nr_anon_pages: Anonymous pages mapped by some process, 512 for each huge page; AnonPages of /proc/meminfo.
nr_mapped: File and shared-memory pages mapped by some process; Mapped of /proc/meminfo.
nr_file_pages: All page-cache pages: files, block devices, shared memory and swap cache.
nr_dirty: Page-cache pages that wait to be written. Compare with nr_dirty_background_threshold and
  nr_dirty_threshold.
nr_writeback: Pages on their way to disk or swap now.
nr_writeback_temp: Temporary pages of FUSE writeback.
nr_shmem: Pages of tmpfs and shared memory.
nr_shmem_hugepages: Huge pages of shared memory, counted in units of 2 MB.
nr_shmem_pmdmapped: Shared-memory huge pages mapped by one 2 MB entry, in units of 2 MB.
nr_file_hugepages: Huge pages of the file cache, in units of 2 MB.
nr_file_pmdmapped: File huge pages mapped by one 2 MB entry, in units of 2 MB.
nr_anon_transparent_hugepages: Anonymous huge pages mapped by one 2 MB entry, in units of 2 MB; times 2048 it is
  AnonHugePages.
nr_vmscan_write: Pages that reclaim itself sent to be written since boot; nearly all of them go to swap, since dirty
  file pages are left to the flusher.
nr_vmscan_immediate_reclaim: Dirty file pages that reclaim met and marked to be freed as soon as their writeback
  ends. Rising numbers mean the end of the list is full of dirty pages: writers outrun the disk.
nr_dirtied: Page-cache pages dirtied since boot.
nr_written: Pages written back since boot. nr_dirtied less nr_written is roughly what is dirty or was thrown away.
nr_throttled_written: Pages written while some task waited in reclaim for writeback. It wakes those sleepers.
nr_kernel_misc_reclaimable: Kernel pages outside the slab that can be given back on demand.
nr_foll_pin_acquired: Pages pinned for DMA (O_DIRECT, RDMA, vfio) since boot.
nr_foll_pin_released: Pins given back since boot. A lasting gap to nr_foll_pin_acquired is memory that can be
  neither moved nor reclaimed.
nr_kernel_stack: Kernel stacks, in KiB and not in pages: 16 for each thread.
nr_page_table_pages: Pages used as page tables of processes; PageTables of /proc/meminfo.
nr_sec_page_table_pages: Page-table pages of KVM guests and IOMMUs.
nr_iommu_pages: The IOMMU's share of nr_sec_page_table_pages.
nr_swapcached: Swap-cache pages: in RAM and in a swap slot at once.
pgpromote_success: Pages moved up from a slow memory tier to a fast one because they were found hot.
pgpromote_candidate: Pages that looked hot enough for promotion before the rate limit had its say.
pgdemote_kswapd: Pages that kswapd moved to a slower tier instead of evicting them.
pgdemote_direct: Pages that a reclaiming task moved to a slower tier.
pgdemote_khugepaged: Pages moved to a slower tier on behalf of khugepaged.
nr_dirty_threshold: Dirty pages at which writers are made to sleep: vm.dirty_ratio of dirtyable memory (free plus
  file lists, less reserves), so it shrinks when memory is tight.
nr_dirty_background_threshold: Dirty pages at which the flusher starts writing: vm.dirty_background_ratio of
  dirtyable memory.
nr_memmap_pages: Pages of the memory map (struct page) allocated after boot.
nr_memmap_boot_pages: Pages that boot spent on the memory map: 64 bytes for each page, 1.6 % of RAM.
balloon_inflate: Pages a balloon driver took from this guest for the host.
balloon_deflate: Pages the balloon gave back.
balloon_migrate: Balloon pages that compaction moved.
swap_ra: Pages read from swap ahead of demand.
swap_ra_hit: Read-ahead swap pages that were then really used. A low share of swap_ra means page-cluster reads too
  much.
swpin_zero: Pages of zeros that came back from swap without a read, since only a bit had been kept.
swpout_zero: Pages of zeros that were not written to swap but remembered by a bit; from 6.12 on.
ksm_swpin_copy: Copies made because a merged (KSM) page came back from swap to two owners.
cow_ksm: Copies made because a process wrote to a merged (KSM) page.
zswpin: Pages decompressed out of zswap.
zswpout: Pages compressed into zswap instead of being written.
zswpwb: Compressed pages that zswap had to write to the real swap area.
direct_map_level2_splits: 2 MB entries of the kernel's own map broken into 4 kB ones because one page needed other
  rights.
direct_map_level3_splits: 1 GB entries of the kernel's own map broken into 2 MB ones.
nr_unstable: Always 0; kept after NFS stopped counting here.
`
