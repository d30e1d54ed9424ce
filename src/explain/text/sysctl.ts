/** /proc/sys: each with its range, its default and its effect. */

export const SYSCTL_VM = `
admin_reserve_kbytes: kB that overcommit mode 2 keeps for root so that an administrator can still log in and kill
  something. Default: the smaller of 8 MB and a 32nd of the memory free at boot.
compact_memory: Write 1 to compact all zones now, thoroughly. The writer waits; the file cannot be read.
compact_unevictable_allowed: 1 (default) lets compaction move locked pages too; 0 spares them the short fault that
  moving causes, for real-time work.
compaction_proactiveness: 0 to 100, default 20: how eagerly kcompactd makes huge blocks before anyone asks. It
  starts when the fragmentation score exceeds 110 less this, at most 100; 0 turns it off.
dirty_background_bytes: Dirty bytes at which the flusher starts, as a fixed number; writing it sets
  dirty_background_ratio to 0. Default 0: the ratio counts.
dirty_background_ratio: Percent of dirtyable memory (free plus file lists, not all RAM) at which the flusher starts
  writing; default 10. Lower it for smoother I/O on large machines.
dirty_bytes: Dirty bytes at which writers are slowed down, as a fixed number of at least two pages; writing it sets
  dirty_ratio to 0.
dirty_expire_centisecs: Age in hundredths of a second at which dirty data is written whatever the amount; default
  3000. It bounds what a power cut can lose.
dirty_ratio: Percent of dirtyable memory at which a program that writes is put to sleep; default 20. Throttling
  begins gently at the middle between this and the background limit.
dirty_writeback_centisecs: Pause between two rounds of the flusher, in hundredths of a second; default 500. 0
  switches periodic writing off; another interval takes effect by writing everything at once. The kernel reads the
  number as an unsigned one, so that a negative interval never ends.
drop_caches: Write 1 to drop clean page cache, 2 to shrink dentries and inodes, 3 for both, 4 to stop the log line.
  Acts once and loses no data, but the next reads go to disk: a tool for measuring, never a cure.
extfrag_threshold: 0 to 1000, default 500: up to this fragmentation index a failing large allocation is put down to
  lack of memory and reclaims; above it compaction is tried.
lowmem_reserve_ratio: One divisor for each zone, default 256 256 32 0 0: a zone keeps 1/divisor of the memory above
  it for requests that cannot use that memory. It is a divisor, so smaller numbers protect more; 0 protects nothing.
max_map_count: Mappings a process may have; default 65530. mmap and mprotect fail with ENOMEM beyond it; search
  engines and JVMs ask for more.
min_free_kbytes: kB that the min watermarks of all zones add up to; derived from RAM (four times the root of its
  kB), and raised for huge pages: 67584 with three zones. Raise it if atomic allocations fail; too much simply
  wastes RAM.
min_slab_ratio: Percent of a node's pages that reclaimable slab must exceed before node-local reclaim looks at it;
  default 5. Only with zone_reclaim_mode.
min_unmapped_ratio: Percent of a node's pages that unmapped file pages must exceed before node-local reclaim starts;
  default 1. Only with zone_reclaim_mode.
nr_hugepages: Persistent hugetlb pages of the default size. Writing allocates or frees at once, spread over the
  nodes, and succeeds even if fewer could be had: read it back.
nr_hugepages_mempolicy: The same, but taken from the nodes of the writer's memory policy.
nr_overcommit_hugepages: How many hugetlb pages beyond nr_hugepages may be taken from the buddy allocator on demand;
  default 0.
numa_stat: 1 (default) counts numa_hit and its siblings; 0 stops and clears them to save a little time per
  allocation.
numa_zonelist_order: Always Node: zone lists are ordered by node. Kept for old scripts.
oom_dump_tasks: 1 (default) makes an OOM report list every candidate with its memory; 0 keeps the log short on
  machines with very many processes.
oom_kill_allocating_task: 0 (default) kills the worst process; anything else kills whoever asked last, which is
  quicker and less fair.
overcommit_kbytes: The RAM part of CommitLimit as a fixed number of kB; writing it sets overcommit_ratio to 0.
overcommit_memory: 0 (default) refuses only a single request larger than RAM and swap together; 1 refuses nothing; 2
  keeps Committed_AS below CommitLimit, so that malloc fails early. 2 makes OOM kills rare, not impossible.
overcommit_ratio: Percent of RAM that counts for CommitLimit, default 50; swap is added in full. Only mode 2 looks
  at it.
page-cluster: Pages read from swap at once, as a power of two: 3 (default) is up to 8. 0 suits zram and fast SSDs.
panic_on_oom: 0 (default) kills a process; 1 stops the machine unless the shortage is only that of a cgroup, cpuset
  or policy; 2 stops it always. For clusters that prefer a reboot.
percpu_pagelist_high_fraction: 0 (default) sizes the per-CPU lists by the low watermark; n of at least 8 lets them
  hold 1/n of each zone.
stat_interval: Seconds between two rounds that fold the CPUs' private counters into the global ones; default 1.
stat_refresh: Reading or writing folds all private counters now, so that the next look at /proc/vmstat is exact.
swappiness: 0 to 200, default 60: the cost of reading back a file page relative to swapping an anonymous one; 100
  holds them equal. It is neither a percentage nor a threshold. 0 still swaps when the file cache is nearly gone.
user_reserve_kbytes: kB that mode 2 keeps a single process from taking, at most a 32nd of its size, so that its user
  can still act. Default: the smaller of 128 MB and a 32nd of the memory free at boot.
vfs_cache_pressure: Default 100: how hard dentries and inodes are reclaimed compared with page cache. 50 keeps them
  longer, 1000 clears them out; 0 never frees them and invites an OOM.
watermark_boost_factor: Default 15000: hundredths of a percent of high by which a zone's watermarks may rise after
  allocations of different kinds were mixed in one pageblock. 0 turns it off.
watermark_scale_factor: 1 to 3000, default 10: distance between min, low and high in ten-thousandths of a zone, at
  least a quarter of min. Raising it wakes kswapd earlier: the remedy for direct reclaim in bursts.
zone_reclaim_mode: 0 (default) takes memory from another node when the local one is full; bit 1 reclaims locally
  first, 2 lets that write, 4 lets it unmap. Only for jobs pinned to a node.
dirtytime_expire_seconds: Seconds after which an inode that only has a new access time is written; default 43200,
  half a day. 0 leaves it until something else writes the inode.
enable_soft_offline: 1 (default) lets the kernel move data off pages with many corrected errors and stop using them;
  0 keeps such pages in use.
hugetlb_shm_group: Number of the group whose members may make System V shared memory of hugetlb pages without
  privilege; default 0.
laptop_mode: Seconds by which writing waits for a disk that is awake anyway, so that it can sleep in between;
  default 0, off. Reclaim does not write early while it is set.
legacy_va_layout: 0 (default) places mappings downwards from the stack; 1 upwards from a third of the address space,
  as 2.4 did.
memfd_noexec: 0 (default) leaves memfd_create as it is; 1 makes its files not executable unless asked for; 2 refuses
  executable ones.
memory_failure_early_kill: 1 kills every process that maps a page as soon as the hardware reports it broken; 0
  (default) kills only who touches it.
memory_failure_recovery: 1 (default) tries to go on after a broken page; 0 panics.
mmap_min_addr: Lowest address a process without privilege may map; default 65536. It keeps a null pointer in the
  kernel from meeting a user's page.
mmap_rnd_bits: Random bits in the place of mappings, 28 to 32 on x86-64; default 28.
mmap_rnd_compat_bits: The same for 32-bit programs, 8 to 16; default 8.
page_lock_unfairness: How often a waiter for a page's lock may be overtaken before the lock is handed to it; default
  5.
unprivileged_userfaultfd: 0 (default) lets an unprivileged process handle only faults made in user mode; 1 faults
  made in the kernel, too.
`

export const SYSCTL_OTHER = `
hostname: Name of the machine.
osrelease: Version of the kernel.
ostype: Linux.
version: Build of the kernel.
pid_max: Process numbers stay below this; 32768 by default, more with many CPUs.
tainted: Why bug reports of this kernel deserve doubt, as a sum of bits; 0 is clean.
numa_balancing_promote_rate_limit_MBps: With numa_balancing 2, at most so many MB a second are promoted to a fast node;
  default 65536.
numa_balancing: 0 off, 1 moves pages to the node whose CPUs use them, 2 promotes hot pages from slow memory. It
  samples by taking page faults on purpose.
dentry-state: Names in memory, of them unused, an age limit nobody uses, pages asked for, negative entries (names
  known not to exist), and a dummy.
inode-nr: Inodes in memory and of them free.
inode-state: Inodes in memory, of them free, and dummies.
`
