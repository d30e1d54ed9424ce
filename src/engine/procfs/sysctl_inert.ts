/**
 * Sysctls of memory that steer what no program on this machine does: their ranges are the kernel's, and reading shows what
 * was written.
 * @kernel      mm/memory-failure.c, mm/hugetlb.c, mm/filemap.c, mm/memfd.c, fs/userfaultfd.c, fs/fs-writeback.c, mm/mmap.c
 * @simplifies  no memory errors, no lazytime mounts, no System V segments of huge pages, no memfd, no userfaultfd, no
 *              randomised addresses; a page lock is never fought over
 */
import { INT_MAX, INT_MIN, integer, type SysctlRow } from './sysctl_rows'

export const INERT_VM: Readonly<Record<string, SysctlRow>> = {
  dirtytime_expire_seconds: integer('dirtytimeExpireSeconds', 0, INT_MAX),
  enable_soft_offline: { ...integer('enableSoftOffline', 0, 1), since: '6.12' },
  hugetlb_shm_group: integer('hugetlbShmGroup', INT_MIN, INT_MAX),
  memfd_noexec: { ...integer('memfdNoexec', 0, 2), since: '6.12' },
  memory_failure_early_kill: { ...integer('memoryFailureEarlyKill', 0, 1), since: '6.12' },
  memory_failure_recovery: { ...integer('memoryFailureRecovery', 0, 1), since: '6.12' },
  mmap_rnd_bits: integer('mmapRndBits', 28, 32),
  mmap_rnd_compat_bits: integer('mmapRndCompatBits', 8, 16),
  page_lock_unfairness: integer('pageLockUnfairness', 0, INT_MAX),
  unprivileged_userfaultfd: integer('unprivilegedUserfaultfd', 0, 1),
}
