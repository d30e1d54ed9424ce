/** A process's mappings: maps, smaps, numa_maps. */

export const MAPS = `
start-end: Virtual addresses of the mapping, in hexadecimal; the end is the first address behind it.
perms: r, w, x and p for private (a write makes a copy) or s for shared. ---p is address space without access, such
  as a guard.
offset: Where in the file the mapping begins, in bytes, hexadecimal; 0 for anonymous memory.
dev: Device of the file, major:minor; 00:00 for anonymous memory.
inode: Inode of the file; 0 for anonymous memory.
pathname: The file, or [heap], [stack], [vdso], [anon:NAME]; nothing for plain anonymous memory. (deleted) marks a
  file without a name, whose space is kept until it is unmapped.
`

export const SMAPS = `
Size: Length of the mapping in kB of address space, touched or not.
KernelPageSize: Size of the pages that the kernel manages here, in kB; 2048 for hugetlb. Transparent huge pages do
  not show.
MMUPageSize: Size of the page-table entries the CPU uses for it, in kB; it differs from KernelPageSize only on some
  other architectures.
Rss: Pages of the mapping that are in RAM, in kB, shared ones counted fully.
Pss: Proportional set size in kB: each page divided by the number of mappings it has. Unlike Rss it may be added
  over processes.
Pss_Dirty: The share of Pss that is dirty: memory that could not simply be dropped.
Pss_Anon: The anonymous part of Pss.
Pss_File: The file part of Pss.
Pss_Shmem: The shared-memory part of Pss.
Shared_Clean: Pages mapped more than once and unchanged, in kB: libraries.
Shared_Dirty: Pages mapped more than once and changed, in kB: memory shared after fork, shared segments.
Private_Clean: Pages mapped only here and unchanged, in kB; reclaim can drop them without I/O.
Private_Dirty: Pages mapped only here and changed, in kB: what this process costs on its own. It needs swap or
  writeback to go.
Referenced: Pages touched since the accessed bit was last cleared, in kB. Write 1 to clear_refs, wait and read
  again: that is the working set.
Anonymous: Pages that belong to no file, in kB; in a private file mapping they are the copies made by writes.
KSM: Pages merged with equal ones by KSM, in kB; from 6.6 on.
LazyFree: Pages given up by MADV_FREE and still here, in kB; reclaim drops them without writing.
AnonHugePages: Anonymous memory of the mapping in 2 MB entries, in kB.
ShmemPmdMapped: Shared memory of the mapping in 2 MB entries, in kB.
FilePmdMapped: File pages of the mapping in 2 MB entries, in kB.
Shared_Hugetlb: hugetlb pages shared with other processes, in kB; not in Rss.
Private_Hugetlb: hugetlb pages of this process alone, in kB; not in Rss.
Swap: Pages of the mapping in swap, in kB.
SwapPss: Swap divided by the number of owners of each slot.
Locked: The part of Pss that is locked in RAM, in kB.
THPeligible: 1 if a page fault here may get a huge page: the settings allow it and an aligned 2 MB range fits.
ProtectionKey: Memory protection key of the mapping; 0 unless pkey_mprotect was used.
VmFlags: Two letters for each flag of the mapping. rd wr ex sh: readable, writable, executable, shared; mr mw me ms:
  may be made so; gd: grows down, a stack; lo: locked; sr, rr: sequential or random advice; ac: counted as
  committed; nr: no reservation; ht: hugetlb; hg, nh: madvised for or against huge pages; mg: mergeable by KSM; sd:
  soft-dirty; dc, dd, wf: not copied by fork, not dumped, wiped on fork; um, uw: watched by userfaultfd; io, pf:
  device memory.
[rollup]: The sums over all mappings of the process: the same lines as smaps, much cheaper to read for one total.
`

export const NUMA_MAPS = `
default: No policy of its own: the thread's policy holds, and without one the page comes from the node of the CPU
  that touches it first.
local: From the node of the CPU that touches it.
prefer: From one node as long as it has memory, else from others.
bind: Only from the nodes listed; when they are full the result is an OOM kill, not a fallback.
interleave: Page by page in turn over the nodes listed.
file: The mapped file.
heap: The heap.
stack: The main thread's stack.
huge: A hugetlb mapping; its counts are huge pages.
anon: Anonymous pages, a count.
dirty: Dirty pages, a count; left out where it would repeat anon.
mapped: Pages in RAM; printed only when it differs from anon and from dirty.
mapmax: Largest number of processes that map one page of it; printed above 1.
swapcache: Pages that also have a swap slot.
active: Pages on the active list; printed when not all are.
writeback: Pages being written now.
N0: Pages on node 0; N1 on node 1, and so on. Here you see whether memory is where its CPUs are.
kernelpagesize_kB: Size of its pages in kB.
`
