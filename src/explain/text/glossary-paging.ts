/** Terms of the field: addresses, page tables, faults, reclaim, swap. `~` before a name: found by a search, never linked. */

export const PAGING_AND_RECLAIM = `
virtual address, virtual addresses: The address a program uses. Page tables say which frame it means, if any.
address space, mm_struct: All mappings of a process with its page tables. Threads share one.
page table, page tables: The tree of four levels (five with LA57) that translates virtual addresses; each table is a
  page of 512 entries.
PTE: The lowest-level entry: a frame with rights and the bits present, accessed and dirty, or a note where the page
  is instead.
PMD: The level above the PTEs; one entry covers 2 MiB and can map a huge page by itself.
PUD: The level above the PMDs; one entry covers 1 GiB.
PGD: The top level of a process's page tables.
page walk: Following the tables from the top to the entry, up to four or five memory accesses; the CPU does it when
  the TLB does not know the address.
MMU: The part of the CPU that translates addresses.
TLB: The CPU's memory of recent translations: some 64 entries close by and 1500 to 3000 behind. What it does not
  hold needs a page walk.
TLB reach: Number of entries times page size: how much memory is translated without walks. Huge pages multiply it by
  512.
TLB miss, TLB misses: An access whose translation is not in the TLB.
TLB shootdown, shootdown, TLB flush: Telling other CPUs by interrupt to forget translations that are no longer true.
  Each munmap and each write protection may need one.
ASID, PCID: A number that marks translations with their address space, so that switching processes need not empty
  the TLB. On x86 it is called PCID; Linux uses six on each CPU.
lazy TLB: A kernel thread runs on the page tables of whoever ran before, since it needs none of its own.
accessed bit, young bit: Set by the CPU in a page-table entry at every use. Reclaim clears it and looks later
  whether it came back.
dirty bit: Set by the CPU in a page-table entry at a write; the page must be written before it can be dropped.
VMA, VMAs: A stretch of an address space with the same rights and the same file: one line of maps. Kept in a maple
  tree since 6.1.
maple tree: The tree that holds a process's mappings; it replaced the red-black tree and the list in 6.1.
mmap, ~mapping, ~mappings: Adding a stretch to an address space. It makes a VMA and no memory: pages come at the
  first touch.
~brk, ~heap: The old way to get memory: moving the end of the heap. malloc uses it for small requests and mmap for
  large ones.
page fault, page faults: The CPU finds no valid translation and calls the kernel, which brings the page, copies it,
  or sends SIGSEGV.
minor fault, minor faults, minflt: A fault resolved without I/O: zeroing a page, mapping one from the cache, a copy
  on write.
major fault, major faults, majflt: A fault that had to start I/O: a file page not in the cache, or a page in swap.
demand paging, first touch: Memory is given when it is used, not when it is asked for, and on the node of the CPU
  that touches it.
zero page: One page of zeros that all reads of untouched anonymous memory map. It costs nothing until somebody
  writes.
COW, copy-on-write, copy on write: Shared pages are mapped read-only; whoever writes first gets a copy. fork lives
  on it.
fork: Makes a process by copying page tables, not memory. The price comes later, one page at each first write.
fault-around: A fault on a file maps up to 16 cached neighbours as well.
read-ahead, readahead: Reading pages that will probably be wanted next, together with the one that is.
anonymous memory, anonymous page, anonymous pages: Memory without a file behind it: heap, stack, private copies. It
  can leave RAM only by way of swap.
page cache: Pages of files kept in memory after reading or before writing. It uses whatever is free and shrinks on
  demand.
shared memory, shmem, tmpfs: Files that exist only in memory. Counted as page cache, reclaimed like anonymous
  memory.
~buffers: Page cache of block devices, mostly metadata of file systems.
RSS, resident set: Pages of a process that are in RAM. Shared ones count fully for each process.
PSS, proportional set size: Like RSS, but each page divided by how many map it; the sum over processes is what is
  really used.
USS: Pages that only this process has: Private_Clean plus Private_Dirty.
working set: What a program touches again and again. If it does not fit, the program thrashes.
overcommit: Promising more memory than there is, since most promises are never called in. vm.overcommit_memory sets
  how much.
rmap, reverse mapping: Finding all page-table entries that map a given page, needed to unmap it.
mapcount: How many page-table entries map a page.
refcount, reference count: How many users hold a page; it is freed at 0.
mlock: Locks pages into RAM; they go on the unevictable list.
madvise: A program tells the kernel what it will do with memory: MADV_DONTNEED gives it back at once, MADV_FREE when
  memory is short, MADV_HUGEPAGE asks for huge pages.
userfaultfd: Lets a program handle page faults of its own memory.
guard page, guard gap: Addresses left unmapped so that running past the end of a stack or an area faults.
KASLR: Placing the kernel and programs at random addresses, against attackers.
SIGSEGV: The signal for touching an address without a mapping or without the right.
SIGBUS: The signal for a mapped address whose page cannot be had: past the end of a file, or no huge page left.
reclaim, page reclaim: Taking pages back: dropping clean file pages, writing anonymous ones to swap, shrinking slab.
LRU, LRU lists, LRU list: The lists by which reclaim guesses what is used least: active and inactive, for anonymous
  and file pages, for each node and cgroup.
lruvec: The set of LRU lists of one cgroup on one node.
active list: Pages that were used repeatedly; reclaim demotes them before it takes them.
inactive list: Pages next in line. One that is used again while there goes to the active list.
second chance: A page found referenced at the end of the inactive list stays for another round.
unevictable: On no list that reclaim looks at: locked, or without a place to go.
MGLRU, multi-gen LRU, multi-generational LRU: Generations instead of two lists: pages age from young to old, and the
  oldest is evicted. Merged in 6.1; on in Debian's 6.12, off in its 6.1.
~generation, ~generations: Pages of about the same age under MGLRU; there are two to four.
kswapd: The kernel thread of each node that reclaims in the background, from low until high.
direct reclaim: A task that allocates has to reclaim itself before it gets its page. Its program stands still
  meanwhile.
allocation stall, allocstall: An entry into direct reclaim.
priority of reclaim, scan priority: Which part of the lists one pass looks at: at 12 a 4096th, at 0 all.
swappiness: The relative cost of swapping against reading files again, 0 to 200; equal at 100.
swap: Disk or compressed memory where anonymous pages go when RAM is needed for something else.
swap slot, swap slots: Room for one page in a swap area; a swapped page's PTE holds its number.
swap cache: Pages in RAM that also own a swap slot: on the way out, or read back and unchanged.
swap-in, swapin: Reading a page back from swap: a major fault.
zswap: Compresses pages on their way to swap and keeps them in RAM.
zram: A block device in compressed RAM, often used as swap.
refault, refaults: A page comes back that was evicted not long ago. Reclaim took something that was needed.
shadow entry, shadow entries: What is left in the page-cache tree where an evicted page was: when it went, so that a
  refault can be judged.
refault distance: How much was evicted or activated between a page's eviction and its return. Smaller than the list:
  it should have been kept.
thrashing: The working set does not fit, so pages are evicted and read back in a circle, and time goes into waiting.
writeback: Writing dirty pages to disk.
dirty page, dirty pages: A page changed in memory and not yet on disk.
flusher, flusher thread: The kernel worker of a disk that writes dirty pages every 5 s, and at once above the
  background limit.
dirty throttling, balance_dirty_pages: Slowing down programs that dirty pages faster than the disk takes them.
~drop_caches: Asks for clean page cache and reclaimable slab to be dropped now.
PSI, pressure stall information: The share of time in which some or all tasks waited for memory, CPU or I/O. The
  best early warning there is.
memstall: The state of a task that waits because memory is short; PSI sums its time.
`
