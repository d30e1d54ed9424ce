/** Zones and free blocks: /proc/zoneinfo, buddyinfo, pagetypeinfo. */

export const ZONEINFO = `
per-node stats: What follows belongs to the whole node and is printed once, under its first zone; the names are
  those of /proc/vmstat.
free: Pages on the zone's buddy lists. Every allocation compares it with min, low and high plus the protection.
boost: Pages added to all watermarks for the moment, because an allocation had to break up a block of another
  migrate type. kswapd works it off.
min: Pages below which ordinary tasks must reclaim themselves before they get memory; only atomic requests and the
  OOM victim may go lower. The zone's share of vm.min_free_kbytes, boost included.
low: Pages below which an allocation wakes kswapd. min plus the larger of min/4 and watermark_scale_factor of the
  zone.
high: Pages at which kswapd goes back to sleep. As far above low as low is above min. Under pagesets it is something
  else: how many pages a CPU may keep on its lists before it gives some back.
promo: Free pages that kswapd keeps on the top tier when memory tiering is on, one step above high; printed from
  6.12 on.
spanned: Pages from the zone's first to its last frame, holes included.
present: Frames in that span that are RAM.
managed: Frames that the buddy allocator got: present less what boot keeps. All watermarks are computed from it.
cma: Pages of the zone that the contiguous memory allocator reserves.
protection: Pages kept back in this zone from requests that could also use a higher zone, one number for each zone
  such a request may start at. It stops ordinary memory from filling DMA; vm.lowmem_reserve_ratio sets it.
pagesets: Per-CPU lists: free pages that each CPU keeps for itself, so that most allocations need no zone lock. They
  are not in free.
cpu: The CPU whose lists follow.
count: Pages on this CPU's lists for the zone, of all orders and types. They are free, but only this CPU gets them
  quickly.
high_min: The lower bound of the self-tuning per-CPU high, in pages.
high_max: The upper bound of the self-tuning per-CPU high, in pages: an eighth of the zone shared among the CPUs.
batch: Pages moved at once between a CPU's lists and the buddy lists: 63 for zones from about 1 GB on.
vm stats threshold: How far a CPU's private counter may drift before it is added to the zone's; counters can be
  wrong by this times the number of CPUs.
node_unreclaimable: 1 when kswapd failed 16 times in a row on this node and gave up; then only direct reclaim works.
start_pfn: Number of the zone's first page frame; times 4096 it is a physical address.
`

export const BUDDYINFO = `
Node: The NUMA node that the zone belongs to.
zone: The zone. One row for each that has memory.
order 0…10: The eleven numbers are free blocks of 1, 2, 4 … 1024 pages, from left to right. Blocks, not pages:
  multiply by 2 to the power of the order. Many small ones beside zeros at the right is fragmentation.
`

export const PAGETYPEINFO = `
Page block order: Order of a pageblock, the unit that has a migrate type: 9, that is 2 MB, the size of a huge page.
Pages per block: Pages in a pageblock.
Free pages count per migrate type at order: The table below has free blocks, not pages, by zone, migrate type and
  order; each row of /proc/buddyinfo is the sum over the types here.
Unmovable: Blocks in pageblocks for kernel memory that stays where it is: slab, page tables, stacks. Scattered ones
  keep huge pages from forming.
Movable: Blocks in pageblocks for pages that can be moved: memory of programs and page cache. All pageblocks begin
  as this.
Reclaimable: Blocks in pageblocks for kernel caches that can be dropped, such as dentries and inodes.
HighAtomic: Blocks set aside for urgent allocations of several pages; at most 1 % of a zone.
CMA: Blocks of the contiguous memory allocator; movable pages may borrow them.
Isolate: Blocks taken out of circulation for a moment, for hot-unplug or a contiguous allocation.
Number of blocks type: How many pageblocks carry each type. Unmovable growing over weeks is the slow fragmentation
  of a server.
`
