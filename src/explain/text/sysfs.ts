/** /sys/kernel/mm and /sys/kernel/slab. */

export const THP = `
enabled: always gives every suitable page fault a huge page, madvise only where the program asked with
  MADV_HUGEPAGE, never none. The choice in brackets holds; writing also recomputes min_free_kbytes.
defrag: How hard a page fault tries for a huge page: always reclaims and compacts on the spot, defer wakes the
  daemons, defer+madvise does the first for madvised and the second for other memory, madvise (default) works only
  for madvised memory, never takes what is free.
use_zero_page: 1 (default) maps one shared huge page of zeros when untouched memory is read.
hpage_pmd_size: Bytes of a huge page: 2097152.
shmem_enabled: Huge pages for shared memory and shared anonymous mappings: always, within_size, advise, never
  (default), or deny and force for testing.
khugepaged/defrag: 1 (default) lets khugepaged reclaim and compact to get its huge pages.
khugepaged/pages_to_scan: Pages khugepaged looks at in one round; default 4096.
khugepaged/scan_sleep_millisecs: Pause between its rounds; default 10000.
khugepaged/alloc_sleep_millisecs: Pause after it found no huge page; default 60000.
khugepaged/max_ptes_none: Empty entries, of 512, that a range may have and still be collapsed; default 511, so one
  page is enough and memory grows by the rest.
khugepaged/max_ptes_swap: Pages in swap that it will read in for a collapse; default 64.
khugepaged/max_ptes_shared: Shared pages that it will copy for a collapse; default 256.
khugepaged/pages_collapsed: Huge pages it has made since boot.
khugepaged/full_scans: Times it has been through all processes.
`

export const HUGEPAGES = `
nr_hugepages: Persistent pages of this size. Writing allocates or frees at once and never reports a shortage: read
  back what came of it.
nr_hugepages_mempolicy: The same, but only on the nodes of the writer's memory policy.
nr_overcommit_hugepages: Pages of this size that may be borrowed from the buddy allocator beyond the pool.
free_hugepages: Pages of the pool that are not faulted in, promised ones included.
resv_hugepages: Pages promised to mappings and not touched yet. free less resv is what a new mapping can get.
surplus_hugepages: Pages beyond nr_hugepages, given back to the buddy allocator as soon as they are free.
`

export const LRU_GEN = `
enabled: Bits of the multi-generational LRU: 1 the generations themselves, 2 clearing accessed bits by walking page
  tables, 4 doing so in upper levels. y or 0x0007 is all, 0 goes back to active and inactive lists; Debian's 6.1
  starts with 0, its 6.12 with all.
min_ttl_ms: Generations younger than this are not evicted; if that leaves nothing, the OOM killer acts. 0 (default)
  turns it off; 1000 keeps a desktop from thrashing.
`

export const SLAB_CACHE = `
aliases: How many other caches were merged into this one because size and flags agree.
align: Alignment of the objects, in bytes.
cache_dma: 1 if its pages come from ZONE_DMA.
cpu_partial: Free objects that a CPU may keep in its list of partial slabs. More means fewer trips to the node's
  list and more memory held.
cpu_slabs: Slabs held by CPUs, the current ones and the partial ones, with a count for each node.
destroy_by_rcu: 1 if its slabs are freed only after a grace period (SLAB_TYPESAFE_BY_RCU).
hwcache_align: 1 if objects start on cache lines.
min_partial: Partial slabs a node keeps although they are empty, so that the next allocation need not go to the page
  allocator.
object_size: Bytes asked for per object.
objects: Objects in use, with a count for each node.
objects_partial: Objects in use in the nodes' partial slabs.
objs_per_slab: Objects in one slab of the usual order.
order: Order of a slab: 2 to this power pages. Falls back to the smallest that fits when memory is fragmented.
partial: Slabs on the nodes' partial lists: some objects used, some free.
poison: 1 if freed objects are filled with a pattern to catch use after free (slab_debug=P).
reclaim_account: 1 if its pages count as SReclaimable.
red_zone: 1 if guard bytes around objects are checked (slab_debug=Z).
remote_node_defrag_ratio: 0 to 100: how readily a node takes partial slabs of other nodes instead of new pages;
  default 100, shown in percent.
sanity_checks: 1 if lists are checked at every step (slab_debug=F).
shrink: Write 1 to free empty slabs and sort the partial ones.
skip_kfence: 1 if KFENCE never samples this cache.
slab_size: Bytes each object takes, with metadata and padding.
slabs: Slabs of the cache, with a count for each node.
slabs_cpu_partial: Objects and, in brackets, slabs on the CPUs' partial lists.
store_user: 1 if each object remembers who allocated and freed it (slab_debug=U).
total_objects: Room for objects in all slabs, free ones included.
trace: 1 if every allocation is logged.
usersize: Bytes of an object that may be copied to user space.
ctor: Constructor called for new objects.
validate: Write 1 to check every slab of the cache for damage; the findings go to the kernel log.
`
