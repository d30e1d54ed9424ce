/** Terms of the field: nodes, zones, the allocators, and the memory of the kernel itself. `~` before a name: found by a search, never linked. */

export const ALLOCATOR = `
~page, 4 KiB page: The unit of memory: 4096 bytes on x86-64. Everything that is allocated, mapped, swapped or
  counted is a number of pages.
page frame, ~frame, pfn, PFN: A place in physical memory that holds one page. Its number is the page frame number
  (pfn): the physical address divided by 4096.
struct page, memmap, memory map: The kernel's record of one page frame: flags, reference count, owner; 64 bytes
  each. All of them together are the memory map, 1.6 % of RAM.
folio, folios: One page, or several that belong together and are handled as one. Since about 5.16 most of memory
  management speaks of folios where it used to say page.
NUMA: Several groups of CPUs, each with memory of its own. Reaching the memory of another group works, but takes
  longer.
~node, NUMA node, ~nodes: CPUs and memory that are close to each other. Each node has zones, kswapd and LRU lists of
  its own.
~distance: How far one NUMA node is from another, relative to 10 for itself. When a node is full, the next nearest
  is asked.
zone, zones: Part of a node's memory that some requests must or cannot use. Free lists and watermarks belong to a
  zone.
ZONE_DMA: The first 16 MiB, for old devices that can address no more.
ZONE_DMA32: Memory from 16 MiB to 4 GiB, for devices with 32-bit addresses.
ZONE_NORMAL: Memory above 4 GiB. Most of a large machine.
ZONE_MOVABLE: Memory for movable pages only, so that it can be emptied for huge pages or unplugged.
zonelist, zone list: The zones that an allocation tries, in order: the preferred node's from high to low, then the
  next node's.
lowmem reserve, lowmem_reserve, ~protection of zones: Pages that a zone keeps from requests which could have used a
  higher zone, so that DMA memory is not filled with what fits anywhere.
watermark, watermarks: Numbers of free pages of a zone at which something changes. Below low kswapd wakes, at high
  it sleeps, below min whoever allocates must reclaim himself.
min watermark: Free pages below which tasks reclaim themselves; what is left is for atomic requests and for reclaim
  itself.
low watermark: Free pages below which an allocation wakes kswapd.
high watermark: Free pages at which kswapd is done.
watermark boost: A temporary rise of a zone's watermarks after kinds of memory were mixed in a pageblock; kswapd
  then clears some room.
managed pages: The pages of a zone that the buddy allocator got from boot. present are all that are RAM, spanned
  includes holes.
buddy, buddy allocator, page allocator: The allocator of pages. It keeps free blocks of 1, 2, 4 … 1024 pages; a
  block is split for smaller requests, and merged with its neighbour of the same size, its buddy, when both are
  free.
~order, ~orders: Size of a block as a power of two: order 0 is one page, order 3 is 8, order 9 is 512 (2 MiB), order
  10 the largest.
~block: Pages side by side that the buddy allocator hands out as one; aligned to its own size.
pageblock, pageblocks: 512 pages (2 MiB) that carry a migrate type together.
migratetype, migrate type, migrate types: Whether pages can be moved (Movable), dropped (Reclaimable) or neither
  (Unmovable). Keeping them in different pageblocks keeps large blocks possible.
~fallback, ~stealing: Taking a block of another migrate type because one's own lists are empty. If enough of the
  pageblock is taken it changes its type.
fragmentation, external fragmentation: Free memory in pieces too small for what is asked, though there would be
  enough of it together.
fragmentation index: Between 0, when a failed allocation lacked memory, and 1000, when memory was there but in
  pieces.
internal fragmentation: Room inside an allocation that nobody uses: the end of a slab object, the untouched part of
  a huge page.
compaction: Moving pages together at one end of a zone so that large free blocks appear at the other.
kcompactd: The kernel thread of a node that compacts in the background.
migration, page migration: Copying a page to another frame and correcting all page tables that point to it. Used by
  compaction, NUMA balancing and hot-unplug.
pcp, per-CPU list, per-CPU lists, per-CPU page list: Free pages that each CPU keeps for itself, so that it need not
  take the zone's lock. They do not count as free.
~batch: How many pages move at once between a per-CPU list and the buddy lists.
GFP flags, gfp, GFP: Flags of an allocation: which zones, and what may be done to get the page: sleep, reclaim, do
  I/O, use reserves.
GFP_KERNEL: The usual request of the kernel: it may sleep, reclaim and wait for disks.
GFP_ATOMIC: A request that cannot sleep, as in an interrupt. It may go below min and fails when that is not enough.
GFP_NOWAIT: A request that neither sleeps nor gets reserves; it fails first.
fast path: The allocation that succeeds at once, above the low watermark.
slow path: What happens when the fast path fails: wake kswapd, try again at min, compact, reclaim, kill.
HighAtomic, highatomic: Pageblocks set aside for atomic requests of several pages.
vmalloc: Kernel memory that is contiguous in addresses but not in RAM. It costs page-table entries and TLB reach,
  and works when memory is fragmented.
kmalloc: Kernel memory by size, out of slab caches up to 8 KiB and straight from the page allocator above;
  contiguous in RAM.
direct map, physmap: All of RAM mapped at a fixed offset in the kernel's address space, with the largest pages
  possible.
slab, slabs: One or several pages cut into objects of one kind.
slab cache, slab caches: All slabs of one kind of object, with the lists of those that have room.
SLUB: The slab allocator of today's kernels; SLAB and SLOB are gone. Its records live in the struct page, not in the
  slab.
partial slab, partial slabs: A slab with free and used objects. Nodes keep lists of them; full slabs are on no list.
freelist, free list: The free objects of a slab chained through themselves, or the free blocks of an order.
shrinker, shrinkers: A function by which a cache gives objects back under pressure. Dentries and inodes have the
  largest.
dentry, dentries: A name in memory: the result of looking up one component of a path. Unused ones are kept until
  memory is short.
inode, inodes: A file in memory: its size, owner, and the tree of its cached pages.
per-CPU memory: A copy of a variable for each CPU, so that they do not fight for it.
memblock: The allocator of early boot; what it keeps never reaches the buddy allocator.
memory hotplug, hotplug: Adding or removing memory while the machine runs. Removing works only if everything in it
  can be moved.
CMA: Contiguous memory allocator: a region that movable pages may use until a device needs it in one piece.
~DMA: A device reading and writing memory by itself. Pages it uses must stay where they are.
~pin, ~pinned: A reference that forbids moving or freeing a page, taken for DMA, O_DIRECT or RDMA.
`
