/** Keys of memory.stat and memory.numa_stat. */

export const MEMORY_STAT = `
anon: Bytes of anonymous memory mapped by the group: heaps, stacks, private copies. It falls when the memory is
  freed or swapped out.
file: Bytes of page cache charged to the group, tmpfs and shared memory included. Charged to whoever read it first,
  even if others use it now.
kernel: Bytes of kernel memory charged to the group: slab, stacks, page tables, per-CPU data, vmalloc.
kernel_stack: Bytes of stacks of its threads, 16 KiB each.
pagetables: Bytes of page tables of its processes.
sec_pagetables: Bytes of second page tables for guests and IOMMUs.
percpu: Bytes of per-CPU memory made on its behalf.
sock: Bytes in network buffers.
vmalloc: Bytes behind vmalloc areas charged to it.
shmem: Bytes of tmpfs, shared memory and shared anonymous mappings; a part of file that only swap can take.
zswap: Bytes its pages take in the compressed pool.
zswapped: What those pages would take uncompressed, in bytes.
file_mapped: Bytes of file and shared memory mapped by processes.
file_dirty: Bytes of page cache waiting to be written.
file_writeback: Bytes being written now.
swapcached: Bytes both in RAM and in swap; they are charged to memory and to swap.
anon_thp: Bytes of anonymous memory in 2 MB entries; a part of anon. A small container can hit its limit by huge
  pages it barely uses.
file_thp: Bytes of file cache in huge pages.
shmem_thp: Bytes of shared memory in huge pages.
inactive_anon: Bytes on the group's inactive anonymous list. Shared memory is on it too, so it does not add up to
  anon.
active_anon: Bytes on the group's active anonymous list; with MGLRU its two youngest generations.
inactive_file: Bytes on the inactive file list. Kubernetes subtracts it from memory.current to get the working set
  it evicts by.
active_file: Bytes on the active file list. It counts in the working set of Kubernetes although it can be reclaimed.
unevictable: Bytes that cannot be reclaimed: locked, or in ramfs.
slab_reclaimable: Bytes of kernel objects that shrinkers can free, mostly dentries and inodes; charged by the byte,
  not by the page.
slab_unreclaimable: Bytes of kernel objects that cannot be shrunk.
slab: slab_reclaimable plus slab_unreclaimable, in bytes.
workingset_refault_anon: Anonymous pages of the group read back from swap, a count. Rising: its limit is below its
  working set.
workingset_refault_file: File pages of the group read again after eviction, a count. Rising at a limit: the
  container re-reads its own files from disk.
workingset_activate_anon: Refaulted anonymous pages made active at once, a count.
workingset_activate_file: Refaulted file pages made active at once, a count: a little more memory would have kept
  them.
workingset_restore_anon: Refaulted anonymous pages that had been active before, a count.
workingset_restore_file: Refaulted file pages that had been active before, a count; waiting for them shows in
  memory.pressure.
workingset_nodereclaim: Shadow-only nodes reclaimed from the group, a count.
pgdemote_kswapd: Pages of the group moved to a slower tier by kswapd.
pgdemote_direct: Pages of the group moved to a slower tier by direct reclaim.
pgdemote_khugepaged: Pages of the group moved to a slower tier for khugepaged.
pgpromote_success: Pages of the group moved up to a faster tier.
pgscan: Pages of the group examined by reclaim, whoever did it. It moves at the group's own limit too, which
  /proc/vmstat's pgscan_direct does not show.
pgsteal: Pages reclaimed from the group. Far less than pgscan: most were in use.
pgscan_kswapd: Pages of the group examined by kswapd: the machine, not the limit, was short.
pgscan_direct: Pages of the group examined by a waiting task, at its limit or the machine's.
pgscan_khugepaged: Pages of the group examined for khugepaged.
pgscan_proactive: Pages of the group examined for memory.reclaim, in kernels that count them apart.
pgsteal_kswapd: Pages of the group reclaimed by kswapd.
pgsteal_direct: Pages of the group reclaimed by a waiting task.
pgsteal_khugepaged: Pages of the group reclaimed for khugepaged.
pgsteal_proactive: Pages of the group taken by memory.reclaim, in kernels that count them apart.
pgfault: Page faults of the group, minor and major.
pgmajfault: Page faults of the group that had to read from disk.
pgrefill: Active pages of the group looked at to refill its inactive lists.
pgactivate: Pages of the group made active.
pgdeactivate: Pages of the group made inactive.
pglazyfree: Pages given up with MADV_FREE.
pglazyfreed: MADV_FREE pages that were really dropped.
swpin_zero: Pages of zeros back from swap without a read.
swpout_zero: Pages of zeros that went to swap as a bit.
zswpin: Pages back from zswap.
zswpout: Pages compressed into zswap.
zswpwb: Pages that zswap wrote on to the real swap.
thp_fault_alloc: Page faults that got a huge page: 512 pages charged at once.
thp_collapse_alloc: Huge pages made by khugepaged.
thp_swpout: Huge pages swapped out whole.
thp_swpout_fallback: Huge pages split for swap.
numa_pages_migrated: Pages moved to the node of their user.
numa_pte_updates: Entries marked by NUMA balancing.
numa_hint_faults: Faults on such entries.
`
