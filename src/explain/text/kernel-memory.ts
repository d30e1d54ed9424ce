/** The kernel's own memory, swap areas and pressure: /proc/slabinfo, vmallocinfo, swaps, pressure. */

export const SLABINFO = `
name: The cache; one kind of kernel object. Caches of the same size and flags may be merged under one name.
active_objs: Objects in use. Free objects that a CPU holds in its own slabs count as in use, so the number is a
  little high.
num_objs: Objects that fit into the slabs the cache has now.
objsize: Bytes that each object takes, alignment and metadata included.
objperslab: Objects in one slab.
pagesperslab: Pages of one slab; times num_slabs times 4 kB is what the cache costs.
tunables: Settings of an allocator that is gone (SLAB). SLUB prints zeros.
limit: Tunable of the old SLAB allocator; always 0.
batchcount: Tunable of the old SLAB allocator; always 0.
sharedfactor: Tunable of the old SLAB allocator; always 0.
slabdata: The slabs behind the objects follow.
active_slabs: The same as num_slabs under SLUB.
num_slabs: Slabs that the cache holds, full, partial and on CPUs.
sharedavail: Always 0 under SLUB.
`

export const VMALLOCINFO = `
0x…-0x…: Kernel addresses from the first to the one after the last. The guard page behind each area is included.
size: Length in bytes, guard page included: one page more than was asked for.
caller: The function that made the area. dup_task_struct are kernel stacks, load_module is a module's code and data.
pages: Pages of RAM behind it.
vmalloc: Pages collected one by one and mapped side by side.
vmap: Pages that somebody else owns, mapped side by side.
ioremap: Registers of a device; no RAM.
user: An area that may be mapped into user space.
vpages: The list of its pages is itself so long that it was vmalloc-ed.
phys: Physical address that the area maps.
unpurged: Freed, but stale translations may still be in TLBs: the addresses are reused after the next flush of all
  CPUs.
vm_map_ram: A short-lived mapping of a few pages.
N0: Pages on node 0; N1 on node 1, and so on.
`

export const SWAPS = `
Filename: The swap area's device or file.
Type: Whether it is a partition or a file.
Size: Usable size in kB, the header page not counted.
Used: Slots taken, in kB. A slot stays taken while a clean copy of its page is in RAM as well.
Priority: Higher is filled first; equal ones in turn. Areas without a wish get -2, -3 and so on.
`

export const PRESSURE = `
some: Share of time in which at least one task stood still for want of memory: in reclaim, in compaction, at a
  cgroup's throttle, or waiting for a page that had been evicted too early.
full: Share of time in which all tasks that had work stood still at once: nothing productive ran. Above a few
  percent the machine or the cgroup is thrashing.
avg10: Average of the last 10 seconds, in percent.
avg60: Average of the last minute, in percent.
avg300: Average of the last five minutes, in percent.
total: Stalled time since boot, in microseconds. Differences of it are exact where averages smooth; monitoring
  should store this.
`

export const SYSTEM = `
iomem: The map of physical addresses: RAM, what the firmware reserves, and where the kernel's image lies.
mounts: What is mounted where, with its options.
modules: Loaded modules: size in bytes, users, who uses it, state and address.
cmdline: What the boot loader told the kernel; memory switches such as hugepages= stand here.
cpuinfo: The CPUs; pdpe1gb in the flags allows 1 GB pages, pcid saves TLB flushes, la57 is the fifth level of page
  tables.
diskstats: Requests, sectors and times of each block device, in 512-byte sectors and milliseconds.
loadavg: Tasks running or in uninterruptible sleep, averaged over 1, 5 and 15 minutes; running and all tasks; the
  newest number. Tasks stuck in reclaim raise it without using a CPU.
partitions: Block devices with their size in KiB.
uptime: Seconds since boot, and seconds that all CPUs together were idle.
version: Version and build of the kernel.
stat: CPU time by kind in ticks of 1/100 s, interrupts, context switches, forks and runnable tasks since boot.
`
