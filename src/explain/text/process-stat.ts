/** Fields of /proc/PID/stat, in their order. */

export const STAT = `
pid: Number of the process.
comm: Command name in parentheses; it may contain blanks, so parse from the last closing one.
state: R, S, D, T or Z, as in status.
ppid: Number of the parent.
pgrp: Process group; Ctrl+C reaches all of it.
session: Session.
tty_nr: Controlling terminal as a device number; 0 if none.
tpgid: Foreground process group of that terminal; -1 if none.
flags: The kernel's PF_ flags as one decimal number.
minflt: Minor page faults of the whole process: resolved without I/O. First touches, zeroing and copies on write are
  all here.
cminflt: Minor faults of children that it has waited for.
majflt: Major page faults: the page had to be read. Each is a wait for a disk.
cmajflt: Major faults of children that it has waited for.
utime: CPU time in user mode, in ticks of 1/100 s.
stime: CPU time in the kernel, in ticks of 1/100 s. Page faults and direct reclaim show up here.
cutime: User time of children waited for, in ticks.
cstime: Kernel time of children waited for, in ticks.
priority: Scheduling priority as the kernel prints it: 20 plus nice.
nice: Nice value, -20 to 19.
num_threads: Threads of the process.
itrealvalue: Always 0; an interval timer once stood here.
starttime: When it started, in ticks of 1/100 s after boot.
vsize: Address space in bytes; status has it as VmSize in kB.
rss: Pages in RAM, a count of 4 kB pages; VmRSS in kB.
rsslim: Soft RLIMIT_RSS in bytes. Nothing enforces it.
startcode: Address of the program's text; 0 where it is not shown.
endcode: End of the program's text.
startstack: Bottom of the stack.
kstkesp: Stack pointer; 0 unless the process is dying.
kstkeip: Instruction pointer; 0 unless the process is dying.
signal: Pending signals, an old bit mask; use status.
blocked: Blocked signals, an old bit mask.
sigignore: Ignored signals, an old bit mask.
sigcatch: Caught signals, an old bit mask.
wchan: Not 0 if it waits inside the kernel; /proc/PID/wchan has the name.
nswap: Never maintained; always 0.
cnswap: Never maintained; always 0.
exit_signal: Signal that the parent gets at its end; 17 is SIGCHLD.
processor: CPU it ran on last.
rt_priority: Real-time priority; 0 for ordinary tasks.
policy: Scheduling policy; 0 is the ordinary one.
delayacct_blkio_ticks: Time spent waiting for block I/O, in ticks.
guest_time: Time spent running a guest, in ticks.
cguest_time: The same for children waited for.
start_data: Address of initialised data.
end_data: End of the data.
start_brk: Where the heap begins; brk moves its end.
arg_start: Address of the arguments.
arg_end: End of the arguments.
env_start: Address of the environment.
env_end: End of the environment.
exit_code: Wait status, once it has ended.
`
