/** Files of a cgroup, and the keys of its small ones. */

export const CGROUP_FILES = `
memory.current: Bytes charged to the group and its descendants: anonymous memory, page cache it was first to read,
  kernel objects, sockets. It includes up to 63 pages for each CPU charged ahead of use, so it can exceed the sum of
  memory.stat.
memory.peak: Highest memory.current so far, in bytes. From 6.12 on, writing to an open file resets what that file
  shows.
memory.min: Bytes protected without condition: reclaim leaves the group alone while it uses no more, even if the
  outcome is an OOM kill elsewhere. Nothing is set aside; only what is used is protected. Default 0.
memory.low: Bytes protected as far as possible: reclaim turns to the group only after unprotected ones gave nothing.
  Docker's --memory-reservation. Default 0.
memory.high: Bytes above which the group is made to reclaim and its tasks are slowed down, up to 2 s each time they
  return to user space. Usage may exceed it and it never kills: the place for a soft stop. Default max.
memory.max: Bytes that the group cannot exceed: at the limit it reclaims from itself, and if that fails a process in
  it is killed. Kubernetes puts limits.memory here. Default max.
memory.reclaim: Write a size to reclaim that much from the group now; EAGAIN means less was found. From 6.12 on
  'swappiness=N' may follow. Used to probe how small a workload can be made.
memory.oom.group: 1 kills all processes of the group when one is chosen, so that no half of a service survives;
  those with oom_score_adj -1000 are spared. Default 0.
memory.events: How often limits and protections of the group, or of one below it, took effect since it was made. The
  first file to read after a container died.
memory.events.local: The same counts for this group alone, without its descendants.
memory.stat: What the charged memory is, in bytes, and what happened to it, as counts; descendants included. Folded
  together about every 2 s, so it can lag behind memory.current.
memory.numa_stat: The main lines of memory.stat for each node, in bytes.
memory.pressure: Time that tasks of the group stood still for want of memory, as in /proc/pressure/memory. Sees what
  the machine's average hides.
memory.swap.current: Bytes of swap slots that the group occupies.
memory.swap.peak: Highest memory.swap.current so far, in bytes.
memory.swap.high: Bytes of swap above which the group's tasks are slowed down. Default max.
memory.swap.max: Bytes of swap the group may occupy. Swap alone, not memory plus swap; 0 forbids swapping, and its
  anonymous memory then cannot be reclaimed. Default max.
memory.swap.events: How often the swap limits took effect.
memory.zswap.current: Bytes that the group's compressed pages take in the zswap pool.
memory.zswap.max: Limit of the above; 0 keeps the group out of zswap.
memory.zswap.writeback: 0 forbids writing the group's compressed pages to the real swap area.
cgroup.controllers: Controllers that this group may hand on to its children, given by the parent.
cgroup.subtree_control: Controllers switched on for the children: write +memory or -memory. Refused while processes
  sit in the group itself: EBUSY.
cgroup.procs: Processes of the group, one number a line; write a number to move one here. Memory it has charged
  elsewhere stays charged there.
cgroup.threads: The same for single threads.
cgroup.type: domain, or threaded if it shares its resources with a domain above.
cgroup.events: Whether the group is populated and whether it is frozen.
cgroup.stat: How many groups lie below it.
cgroup.max.depth: How many levels may be made below it; default max.
cgroup.max.descendants: How many groups may be made below it; default max.
cpuset.cpus: CPUs that the group asks for, as a list; empty means all of its parent's. Its processes leave other CPUs at
  once.
cpuset.cpus.effective: CPUs in force: what was asked for, as far as the parent has it; all of the parent's if nothing
  of it is left.
cpuset.mems: NUMA nodes that the group asks for, as a list; empty means all of its parent's. A change moves the memory
  of its processes to the new nodes. No allocation for a process leaves them: it is killed first, with
  CONSTRAINT_CPUSET in the report. Kernel memory may.
cpuset.mems.effective: NUMA nodes in force: what was asked for, as far as the parent has it.
cgroup.kill: Write 1 to kill every process in the group and below.
cgroup.freeze: Write 1 to stop every process in the group and below, 0 to let them go on.
cgroup.pressure: 0 stops PSI accounting for the group.
`

export const MEMORY_EVENTS = `
low: Reclaimed although below memory.low: every group was protected, so the promise could not be kept.
high: Times the group was made to reclaim because usage was above memory.high. Large numbers mean slow programs, not
  dead ones.
max: Times a charge ran into memory.max and reclaimed first. It counts attempts, so thousands are possible without a
  kill.
oom: Times the group was at its limit and reclaim had failed. A kill usually follows; allocations that may fail get
  ENOMEM instead.
oom_kill: Processes of the group killed by any OOM killer, the group's own or the machine's.
oom_group_kill: Times the whole group was killed because of memory.oom.group.
sock_throttled: Times network traffic was held back because of the limit; from 6.18 on.
`

export const SWAP_EVENTS = `
high: Times swap usage was above memory.swap.high.
max: Times a slot was refused because of memory.swap.max.
fail: Times a slot was refused for any reason, also because all swap is full.
`

export const CGROUP_KEYS = `
populated: 1 if a live process is in the group or below; systemd waits for it to become 0.
frozen: 1 once all its processes have stopped after a write to cgroup.freeze.
nr_descendants: Groups below it.
nr_dying_descendants: Removed groups below it that still hold charged memory, mostly page cache. Thousands of them
  are memory no list of groups shows.
`
