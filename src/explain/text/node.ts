/** /sys/devices/system/node. */

export const NODE_MEMINFO = `
MemTotal: Managed pages of the node, in kB.
MemFree: Pages of the node on buddy lists, in kB.
MemUsed: MemTotal less MemFree, in kB. Page cache is in it, so it says nothing about what could be had.
SwapCached: Pages of the node that have a swap slot as well, in kB.
Active: Active(anon) plus Active(file) of the node, in kB.
Inactive: Inactive(anon) plus Inactive(file) of the node, in kB.
Active(anon): Active anonymous and shared memory of the node, in kB.
Inactive(anon): Inactive anonymous and shared memory of the node, in kB.
Active(file): Active page cache of the node, in kB.
Inactive(file): Inactive page cache of the node, in kB.
Unevictable: Memory of the node that reclaim passes by, in kB.
Mlocked: Locked memory of the node, in kB.
Dirty: Page cache of the node waiting to be written, in kB.
Writeback: Pages of the node being written, in kB.
FilePages: All page cache of the node, in kB: what /proc/meminfo splits into Cached, Buffers and SwapCached.
Mapped: File and shared memory of the node mapped by processes, in kB.
AnonPages: Anonymous memory of the node mapped by processes, in kB. Uneven numbers over the nodes show where first
  touch put it.
Shmem: Shared memory and tmpfs on the node, in kB.
KernelStack: Thread stacks on the node, in kB.
PageTables: Page tables on the node, in kB.
SecPageTables: Page tables of guests and IOMMUs on the node, in kB.
NFS_Unstable: Always 0.
Bounce: Bounce buffers on the node, in kB.
WritebackTmp: FUSE's temporary pages on the node, in kB.
KReclaimable: Kernel memory of the node that shrinkers can give back, in kB.
Slab: Slab of the node, in kB.
SReclaimable: Reclaimable slab of the node, in kB.
SUnreclaim: Slab of the node that cannot be shrunk, in kB.
AnonHugePages: Anonymous huge pages on the node, in kB.
ShmemHugePages: Huge pages of shared memory on the node, in kB.
ShmemPmdMapped: Shared memory of the node in 2 MB entries, in kB.
FileHugePages: Huge pages of the file cache on the node, in kB.
FilePmdMapped: File pages of the node in 2 MB entries, in kB.
Unaccepted: Memory of the node not yet accepted by the guest, in kB.
HugePages_Total: hugetlb pages of the default size on the node, a count.
HugePages_Free: hugetlb pages on the node that nobody has faulted in, a count.
HugePages_Surp: Surplus hugetlb pages on the node, a count.
`

export const NUMASTAT = `
numa_hit: Allocations this node served because it was the preferred one. One per call, whatever its size.
numa_miss: Allocations this node served although another one was preferred: that one was full.
numa_foreign: Allocations that preferred this node and were served elsewhere. The other node counts them as
  numa_miss.
interleave_hit: Allocations under an interleave policy that got the node whose turn it was.
local_node: Allocations here by a CPU of this node.
other_node: Allocations here by a CPU of another node: remote memory, slower by a third to a half.
`

export const NODE_FILES = `
distance: How far each node is from this one, relative to 10 for itself. 20 is about twice the latency on paper; the
  allocator falls back in this order.
cpulist: CPUs of the node.
cpumap: CPUs of the node as a bit mask.
compact: Write 1 to compact this node's zones now.
has_cpu: Nodes with CPUs.
has_memory: Nodes with memory.
has_normal_memory: Nodes with memory that the kernel can use for itself.
online: Nodes in use.
possible: Nodes that could be plugged in.
`

export const MEMORY_TIERS = `
demotion_enabled: true lets reclaim on a fast node move pages to the next slower tier instead of freeing them; default
  false.
nodelist: Nodes of the tier. The smaller a tier's number, the faster its memory: 4 is DRAM, 22 what a driver brought in
  without saying how fast it is.
scan_delay_ms: A new address space is first scanned after so many ms; default 1000.
scan_period_min_ms: Shortest time between two scans of a task; default 1000.
scan_period_max_ms: Longest time between two scans of a task; default 60000.
scan_size_mb: How much of an address space one scan marks, in MB; default 256.
hot_threshold_ms: With kernel.numa_balancing 2, a page of slow memory that is touched within so many ms after it was
  marked is hot; default 1000.
`

export const WEIGHTED_INTERLEAVE = `
node: Pages in a row that the node gets, 1 to 255; 0 or nothing brings back the default, 1. Set in proportion to the
  bandwidth of the nodes, it lets slow memory add its share without slowing down the rest.
`
