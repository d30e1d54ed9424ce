/** A process's numbers: status, statm, limits and its small files. */

export const STATUS = `
Name: Command name, at most 15 characters.
Umask: Mask for the modes of new files.
State: R running or ready, S sleeping, D waiting for I/O or reclaim and deaf to signals, T stopped, Z dead but not
  yet waited for.
Tgid: Number of the process; all its threads share it.
Ngid: NUMA group: tasks that share memory and are placed together; 0 if none.
Pid: Number of the thread; the same as Tgid for the first one.
PPid: Process that started it or adopted it.
TracerPid: Debugger attached to it; 0 if none.
Uid: User numbers: real, effective, saved, file system.
Gid: Group numbers: real, effective, saved, file system.
FDSize: Room in the table of open files, in slots.
Groups: Further groups of the user.
NStgid: Tgid in each nested PID namespace.
NSpid: Pid in each nested PID namespace.
NSpgid: Process group in each nested PID namespace.
NSsid: Session in each nested PID namespace.
Kthread: 1 for a thread of the kernel, which has no address space and none of the Vm lines; from 6.10 on.
VmPeak: Largest VmSize so far.
VmSize: All mappings together, touched or not, in kB. It says little about RAM: reserving address space is free.
VmLck: Memory locked by mlock, in kB; limited by RLIMIT_MEMLOCK.
VmPin: Memory pinned for devices, in kB; it can neither be moved nor swapped.
VmHWM: Largest VmRSS so far (high water mark). How much memory the process needed at worst.
VmRSS: Pages mapped and in RAM, in kB: RssAnon, RssFile and RssShmem. Shared pages count fully in each process, so
  the sum over processes exceeds what is used; hugetlb pages are missing.
RssAnon: Anonymous pages in RAM, in kB: heap, stack, private copies. What the process has for itself and what
  killing it frees.
RssFile: Mapped file pages in RAM, in kB: program text, libraries, mmap-ed files. Clean ones can be dropped without
  swap.
RssShmem: Shared memory and tmpfs in RAM, in kB.
VmData: Private writable mappings except stacks, in kB of address space; limited by RLIMIT_DATA.
VmStk: The main thread's stack mapping, in kB of address space.
VmExe: Text of the program file, in kB of address space.
VmLib: Text of its libraries, in kB of address space: all executable mappings less VmExe.
VmPTE: Page tables of the process, in kB. Large beside VmRSS means memory touched here and there.
VmSwap: Anonymous pages in swap, in kB. Shared memory in swap is not included.
HugetlbPages: hugetlb pages mapped, in kB; they are in no other line.
CoreDumping: 1 while a core dump of it is being written.
THP_enabled: 0 if the process switched transparent huge pages off for itself by prctl.
untag_mask: Bits of an address that the CPU does not ignore (linear address masking).
Threads: Number of threads; each costs a 16 kB kernel stack.
Cpus_allowed_list: CPUs it may run on; with first touch they decide where its memory lies.
Mems_allowed_list: NUMA nodes it may take memory from; a cpuset narrows it.
voluntary_ctxt_switches: Times it gave up the CPU to wait for something.
nonvoluntary_ctxt_switches: Times it was taken off the CPU because its turn was over.
`

export const STATM = `
size: Address space in pages; VmSize.
resident: Pages in RAM; VmRSS, that is RssAnon plus RssFile plus RssShmem.
shared: File and shared-memory pages in RAM. resident less shared is RssAnon.
text: Program text, in pages of address space.
lib: Always 0 since 2.6.
data: Private writable mappings and stack, in pages of address space.
dt: Always 0 since 2.6.
`

export const LIMITS = `
Max cpu time: Seconds of CPU time; the soft limit sends SIGXCPU each second, the hard one kills.
Max file size: Largest file it may write, in bytes; beyond it SIGXFSZ.
Max data size: Private writable memory, in bytes (RLIMIT_DATA): brk and private mmap fail with ENOMEM beyond it.
Max stack size: How far the main stack may grow, in bytes. Touching below gives SIGSEGV; threads get stacks of this
  size mapped at once.
Max core file size: Largest core dump, in bytes; 0 writes none.
Max resident set: RLIMIT_RSS, in bytes. The kernel stopped enforcing it long ago; use memory.high.
Max processes: Threads that the user may have in all; fork then fails with EAGAIN.
Max open files: Descriptors; open then fails with EMFILE.
Max locked memory: Bytes that an unprivileged process may lock with mlock.
Max address space: Bytes of address space (RLIMIT_AS): mmap fails with ENOMEM beyond it, touched or not. A poor
  limit for programs that reserve much.
Max file locks: Not enforced since 2.4.
Max pending signals: Queued signals of the user.
Max msgqueue size: Bytes in POSIX message queues of the user.
Max nice priority: How far nice may be lowered.
Max realtime priority: Highest real-time priority it may ask for.
Max realtime timeout: Microseconds of real-time CPU without a pause.
`

export const PID_FILES = `
oom_score: What the OOM killer thinks of the process: two thirds of 1000 plus its memory in thousandths of RAM and
  swap plus oom_score_adj. About 667 for an idle process and 0 for one that is spared; the highest dies first.
cpuset: Path of the group whose cpuset holds for it.
oom_score_adj: -1000 to 1000, added to the badness in thousandths of all memory. -1000 takes the process out
  completely; 1000 makes it the first. Inherited by children; Kubernetes sets it from requests.
oom_adj: The old scale, -17 to 15, kept for old programs; writing it sets oom_score_adj.
cgroup: The cgroup of the process, as a path below /sys/fs/cgroup. Memory it touches first is charged there.
cmdline: Its arguments, separated by NUL bytes, read from its own memory.
comm: Command name; writable by the process itself.
wchan: Kernel function in which it sleeps; 0 if it runs.
clear_refs: Write 1 to clear the accessed bits of all its pages, 4 the soft-dirty bits; then Referenced of smaps
  shows what is touched from now on.
`
