/** Terms of the field: running out of memory, cgroups, huge pages, policies, and what surrounds them. `~` before a name: found by a search, never linked. */

export const GROUPS_AND_POLICIES = `
OOM, out of memory: Nothing could be reclaimed and an allocation cannot fail: somebody must be killed.
OOM killer: Chooses the process with the highest badness and kills it.
badness, oom_score: Resident pages, swap and page tables of a process, plus oom_score_adj thousandths of all memory.
oom_score_adj: A handicap from -1000 (never) to 1000 (first), inherited by children.
OOM reaper: A kernel thread that unmaps the victim's private memory if it does not exit by itself soon.
OOM victim: The process that was chosen. It may use the reserves so that it can end.
cgroup, cgroups, control group: A group of processes with limits and accounts in common; a directory under
  /sys/fs/cgroup.
memcg, memory cgroup, memory controller: The memory side of a cgroup: what it charges, protects and limits.
~charge, ~charged: Adding a page to the account of a cgroup and all its ancestors. Page cache belongs to who read it
  first and does not move along with a process.
memory.high: The limit at which a cgroup is slowed down and reclaimed, never killed.
memory.max: The limit of a cgroup that cannot be passed: reclaim, then kill.
memory.min: Memory of a cgroup that reclaim never takes.
memory.low: Memory of a cgroup that reclaim takes last.
effective protection: What of a group's min or low is left after its ancestors' own protection is shared out.
~throttling, memory.high throttling: Putting tasks of a group above memory.high to sleep on their way back to user
  space.
noisy neighbour: A container that takes so much that others on the machine suffer.
QoS class, Guaranteed, Burstable, BestEffort: Kubernetes' three kinds of pods, by their requests and limits. They
  decide oom_score_adj.
huge page, huge pages: A page of 2 MiB or 1 GiB: one TLB entry where small pages need 512 or more.
THP, transparent huge page, transparent huge pages: Huge pages that the kernel uses by itself for anonymous memory,
  if a free 2 MiB block is at hand.
khugepaged: The kernel thread that replaces 512 small pages by a huge one.
~collapse: What khugepaged does: copying small pages into a huge one.
~split: Breaking a huge page, or only its one entry, into 512.
mTHP: Transparent huge pages of sizes between 16 KiB and 1 MiB.
hugetlb, hugetlbfs: A pool of huge pages set aside in advance, for programs that ask for them.
surplus page, surplus pages: A hugetlb page beyond the pool's size, given back as soon as it is free.
mempolicy, memory policy: Where the pages of a task or a mapping come from: local, preferred, bind, interleave.
~bind: Only the listed nodes, even if that means failing.
~interleave, interleaving: Page by page in turn over nodes.
cpuset, cpusets: CPUs and nodes that a group of processes may use at all.
NUMA balancing, automatic NUMA balancing: Moves pages towards the CPUs that use them; it finds out by provoking
  faults.
~local allocation: Taking the page from the node of the CPU that asks.
remote access: A CPU using memory of another node, at 1.3 to 2 times the time.
~tier, memory tier, memory tiers: Nodes of about the same speed. Cold pages are demoted to slower tiers, hot ones
  promoted.
~demotion: Moving a cold page to slower memory instead of evicting it.
IPI, inter-processor interrupt: A CPU interrupting another one, as TLB shootdowns do.
tracepoint, tracepoints: A place in the kernel that reports what happens there, for perf and ftrace.
~perf: The tool that counts and records events of CPU and kernel.
~balloon: A driver in a guest that takes memory so that the host can use it.
EPT, nested paging: A second set of page tables by which a host translates its guest's physical addresses; a page
  walk then costs up to 24 accesses.
kernel thread, kernel threads: A thread without an address space of its own, such as kswapd.
kernel stack: 16 KiB for each thread, used while it is in the kernel; from vmalloc.
system call, syscall: A program's call into the kernel.
context switch, context switches: Changing from one task to another on a CPU.
pdflush: The writeback threads of kernels before 2.6.32; now each disk has its flusher.
zone_reclaim_mode: Reclaiming on the local node before going to another; off by default.
working set of Kubernetes: memory.current less inactive_file. The kubelet evicts by it, the kernel does not know it.
`
