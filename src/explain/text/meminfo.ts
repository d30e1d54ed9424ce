/** Lines of /proc/meminfo. */

export const MEMINFO = `
MemTotal: Pages that boot handed to the page allocator, in kB: RAM without the kernel image, the memory map and
  other boot reservations. It stays fixed while the machine runs, apart from memory hot-plug and boot memory given
  back late, so it is always below the size of the modules.
MemFree: Pages on the buddy free lists of all zones, in kB; pages parked on per-CPU lists are not among them. A
  small value is normal on a machine that has run for a while, because unused RAM is lent to the page cache; look at
  MemAvailable before you worry.
MemAvailable: Estimate in kB of what new programs could take without swapping: free pages above the reserves, plus
  the page cache and the reclaimable slab less about half or one low watermark each. This is the line for alarms; it
  ignores anonymous memory that could be swapped, and shared memory.
Buffers: Page cache of block devices themselves, in kB: superblocks, bitmaps and other metadata that file systems
  read through the device. Large values come from tools that read a raw device.
Cached: Page cache of files in kB, without Buffers and swap cache but with tmpfs and shared memory. Reading and
  writing files grows it and reclaim shrinks it; the part that is Shmem cannot be dropped, only swapped.
SwapCached: Pages that are in RAM and still hold their slot in a swap area, in kB. They were swapped out once and
  read back; if nothing writes to them they can be evicted again without any I/O.
Active: Active(anon) plus Active(file), in kB: pages that reclaim looks at only after the inactive ones. With MGLRU
  it is the two youngest generations.
Inactive: Inactive(anon) plus Inactive(file), in kB: where reclaim takes its candidates from. With MGLRU it is all
  generations but the two youngest.
Active(anon): Anonymous and shared-memory pages on the active lists, in kB. Under the classic lists a page gets here
  by being touched again while it was inactive.
Inactive(anon): Anonymous and shared-memory pages on the inactive lists, in kB. Fresh anonymous pages start here
  under the classic lists; they leave RAM only by way of swap.
Active(file): File pages used at least twice, in kB. They are evicted only after they have been moved to the
  inactive list, so one large copy does not wash them out.
Inactive(file): File pages seen once or demoted, in kB. The clean ones among them are the cheapest memory to take
  back.
Unevictable: Pages on the unevictable list, in kB: locked by mlock, in ramfs or pinned by SHM_LOCK. Reclaim passes
  them by, so a large value shrinks what is left to reclaim from.
Mlocked: Pages that a locked mapping (mlock, mlockall, MAP_LOCKED) keeps in RAM, in kB; a part of Unevictable.
SwapTotal: Size of all active swap areas, in kB, without the header page of each. Changes only with swapon and
  swapoff.
SwapFree: Swap slots not in use, in kB. When it nears 0, anonymous memory becomes unreclaimable and the next
  shortage ends in an OOM kill.
Dirty: Page-cache pages changed in RAM and not yet sent to their disk, in kB. It rises while programs write and
  falls when the flusher runs; near the dirty limit the writers themselves are slowed down.
Writeback: Pages being written to disk or swap right now, in kB. Usually near 0; a lasting value means the disk is
  the bottleneck.
AnonPages: Anonymous pages mapped into some process, in kB: heaps, stacks, private copies; huge ones included. What
  programs really cost, and what an OOM kill gives back.
Mapped: File and shared-memory pages mapped into some process, in kB: program text, libraries, mmap-ed data. Counted
  in Cached as well.
Shmem: tmpfs files, System V shared memory and shared anonymous mappings, in kB. It is inside Cached but behaves
  like anonymous memory: only swap can take it away.
KReclaimable: Kernel memory that shrinkers can give back, in kB: SReclaimable plus a few allocations outside the
  slab that say so.
Slab: Pages that hold kernel objects, in kB: SReclaimable plus SUnreclaim.
SReclaimable: Slab pages of caches with a shrinker, mostly dentries and inodes, in kB. A walk over many files grows
  it; reclaim and drop_caches shrink it, but a page goes only when all objects in it are gone.
SUnreclaim: Slab pages that no shrinker can empty, in kB: task structures, network buffers, kmalloc. If it only ever
  rises, suspect a leak in the kernel or in a driver.
KernelStack: Stacks of all threads, in kB: 16 kB each on x86-64, kernel threads too. Divide by 16 for the number of
  threads.
PageTables: Lowest-level page tables of processes, in kB, upper levels included: one 4 kB table maps 2 MB. Many
  processes that map one large shared segment multiply it; huge pages make it vanish.
SecPageTables: Second sets of page tables, in kB: those KVM keeps for its guests and those of an IOMMU.
NFS_Unstable: Always 0: NFS pages written but not committed have been counted in Writeback since 5.8. The line is
  kept for old readers.
Bounce: Pages used to copy I/O for devices that cannot reach the original page, in kB. Practically 0 on 64-bit
  machines.
WritebackTmp: Temporary pages of FUSE writeback, in kB.
CommitLimit: Bytes that may be promised under overcommit_memory=2, in kB: RAM without huge pages times
  overcommit_ratio (50 %), plus swap. In the other modes it is printed but limits nothing.
Committed_AS: What all processes could claim if they touched every private writable page they asked for, in kB.
  Mapping moves it, touching does not; above CommitLimit is normal unless overcommit_memory is 2.
VmallocTotal: Size of the kernel's vmalloc address range, in kB: 32 TB with four levels of page tables. Address
  space, not memory.
VmallocUsed: Pages behind vmalloc areas, in kB: kernel stacks, module code, large tables. /proc/vmallocinfo names
  each owner.
VmallocChunk: Always 0; computing the largest free hole was too slow and was given up.
Percpu: Memory behind per-CPU variables, in kB. It grows with the number of CPUs and with cgroups and network
  devices, which keep counters for each CPU.
HardwareCorrupted: Memory taken out of use because the hardware reported it broken, in kB. Anything above 0 is a
  reason to look at the machine check log.
AnonHugePages: Anonymous memory mapped by 2 MB transparent huge pages, in kB; a part of AnonPages. If it stays low
  although THP is on, thp_fault_fallback tells whether contiguous memory was missing.
ShmemHugePages: Shared memory and tmpfs held in huge pages, in kB, mapped or not.
ShmemPmdMapped: Shared memory mapped by a single 2 MB entry, in kB.
FileHugePages: File page cache held in huge pages, in kB; khugepaged makes them for read-only program text.
FilePmdMapped: File pages mapped by a single 2 MB entry, in kB.
CmaTotal: Memory reserved for the contiguous memory allocator, in kB. Only on kernels built with CMA.
CmaFree: The free part of CmaTotal, in kB; movable pages may borrow the rest.
Zswap: RAM taken by the compressed pool of zswap, in kB.
Zswapped: What the pages in the zswap pool would take uncompressed, in kB. Zswapped over Zswap is the compression
  ratio.
Unaccepted: Memory that a confidential guest has not yet accepted from its host, in kB.
Balloon: Memory that a balloon driver has handed back to the host, in kB; from 6.18 on.
HugePages_Total: Pages in the hugetlb pool of the default size, a count. They are taken from the allocator whether
  used or not; vm.nr_hugepages sets it.
HugePages_Free: Pages of the pool that nobody has faulted in, a count. Some of them may be promised already; see
  HugePages_Rsvd.
HugePages_Rsvd: Pages of the pool promised to a mapping but not touched yet, a count. Free minus Rsvd is what a new
  mapping can still get.
HugePages_Surp: Pages above nr_hugepages, a count: borrowed from the buddy allocator on demand up to
  nr_overcommit_hugepages, or left over because the pool was shrunk while they were in use.
Hugepagesize: Size of the default huge page, in kB. 2048 on x86-64 unless the boot line says otherwise.
Hugetlb: Memory taken by hugetlb pools of all sizes, in kB. It is in no other line, so add it when MemTotal does not
  add up.
DirectMap4k: Part of the kernel's own map of RAM that uses 4 kB entries, in kB. Changing the protection of a single
  kernel page splits a larger entry, and that costs TLB reach.
DirectMap2M: Part of the kernel's map of RAM that uses 2 MB entries, in kB.
DirectMap1G: Part of the kernel's map of RAM that uses 1 GB entries, in kB; needs a CPU with pdpe1gb.
`
