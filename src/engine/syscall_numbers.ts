/** Numbers of system calls, of advice and of limits on x86-64. */
import type { Rlimit } from './rlimit'
import type { Advice } from './task'

/** @kernel arch/x86/entry/syscalls/syscall_64.tbl */
export const SYSCALL_NUMBERS = {
  read: 0,
  write: 1,
  close: 3,
  mmap: 9,
  mprotect: 10,
  munmap: 11,
  brk: 12,
  rt_sigaction: 13,
  mremap: 25,
  msync: 26,
  mincore: 27,
  madvise: 28,
  pause: 34,
  clone: 56,
  execve: 59,
  wait4: 61,
  kill: 62,
  fsync: 74,
  unlink: 87,
  setuid: 105,
  mlock: 149,
  munlock: 150,
  mlockall: 151,
  munlockall: 152,
  prctl: 157,
  sched_setaffinity: 203,
  clock_nanosleep: 230,
  exit_group: 231,
  mbind: 237,
  set_mempolicy: 238,
  openat: 257,
  newfstatat: 262,
  move_pages: 279,
  pipe2: 293,
  prlimit64: 302,
  mlock2: 325,
} as const

export type SyscallName = keyof typeof SYSCALL_NUMBERS

/** @kernel include/uapi/asm-generic/mman-common.h */
export const ADVICE_NUMBERS: Readonly<Record<Advice, number>> = {
  normal: 0,
  random: 1,
  sequential: 2,
  willneed: 3,
  dontneed: 4,
  free: 8,
  remove: 9,
  dontfork: 10,
  dofork: 11,
  mergeable: 12,
  unmergeable: 13,
  hugepage: 14,
  nohugepage: 15,
  dontdump: 16,
  dodump: 17,
  wipeonfork: 18,
  keeponfork: 19,
  cold: 20,
  pageout: 21,
  populate_read: 22,
  populate_write: 23,
}

/** @kernel include/uapi/asm-generic/resource.h */
export const RLIMIT_NUMBERS: Readonly<Record<Rlimit, number>> = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
}
