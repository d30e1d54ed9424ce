/** Columns of the tools that print these numbers. */

export const FREE = `
total: MemTotal or SwapTotal.
used: total less available since procps 4.0.1; earlier versions subtracted free and buff/cache.
free: MemFree: on no list but the buddy's. Low is normal.
shared: Shmem: shared memory and tmpfs.
buff/cache: Buffers, Cached and SReclaimable together. Most of it can be had back, but not Shmem and not dirty pages
  at once.
available: MemAvailable: what new programs can take without swapping. Judge by this column.
`

export const VMSTAT_TOOL = `
r: Tasks running or waiting for a CPU.
b: Tasks in uninterruptible sleep, mostly waiting for disk or in reclaim.
swpd: Swap in use, in KiB. A constant value is harmless.
free: Free memory, in KiB.
buff: Buffers, in KiB.
cache: Cached plus reclaimable slab, in KiB.
si: KiB per second read from swap. Steady numbers here and in so: thrashing.
so: KiB per second written to swap.
bi: KiB per second read from block devices.
bo: KiB per second written to block devices.
in: Interrupts per second.
cs: Context switches per second.
us: Percent of CPU time in user mode.
sy: Percent of CPU time in the kernel; reclaim and page faults are here.
id: Percent idle.
wa: Percent idle while something waits for a disk.
st: Percent that the hypervisor gave to other guests.
gu: Percent spent running guests.
`

export const TOP = `
PID: Number of the process.
USER: Whose it is.
PR: Kernel priority: 20 plus nice.
NI: Nice value.
VIRT: Address space in KiB; VmSize. Reserving costs nothing.
RES: Memory in RAM in KiB; VmRSS, shared pages counted fully.
SHR: The file and shared-memory part of RES. RES less SHR is what the process has for itself.
S: State: R running, S sleeping, D uninterruptible, Z zombie.
%CPU: CPU time since the last picture; 100 is one CPU.
%MEM: RES as a share of MemTotal.
TIME+: CPU time since it started.
COMMAND: Its name.
`

export const PS = `
VSZ: Address space in KiB; VmSize.
RSS: Memory in RAM in KiB; VmRSS.
STAT: State letter; < and N mark other than normal priority, s a session leader, l threads.
TTY: Terminal of the process.
START: When it began.
`

export const SLABTOP = `
OBJS: Objects the cache has room for.
ACTIVE: Objects in use, those in CPUs' slabs counted fully.
USE: ACTIVE over OBJS. Low with many slabs: objects freed here and there keep pages from going back.
OBJ SIZE: Bytes per object with metadata, in K.
SLABS: Slabs of the cache.
OBJ/SLAB: Objects in one slab.
CACHE SIZE: Memory of the cache: SLABS times pages per slab.
NAME: The cache.
`

export const NUMASTAT_TOOL = `
Huge: hugetlb pages of the process, in MB.
Heap: Pages of its heap, in MB.
Stack: Pages of its main stack, in MB.
Private: Everything else it maps, files included, in MB.
Total: The sum over the rows or the nodes.
`
