/**
 * msync: dirty pages of shared file mappings are written, and the caller waits for them.
 * @kernel  mm/msync.c
 * @spec    04 §4.4
 */
import type { Errno } from '../util/errno'
import { PAGE_SIZE, type Ns } from '../util/units'
import { charge, now, suspend } from './exec'
import { pageOf, pagesIn } from './mappings'
import { inodeAt, isShmem } from './mm/filemap'
import { VM_LOCKED, VM_SHARED } from './mm/mm_types'
import { writebackInode } from './mm/flusher'
import { mmAt } from './mm/rss'
import { forEachPart } from './mm/vma'
import type { KernelState } from './state'
import { fail, succeed } from './syscall_result'
import { MS_ASYNC, MS_INVALIDATE, MS_SYNC, type Op, type Task } from './task'
import { STEP_BLOCKED } from './touch'

/**
 * @returns EINVAL, ENOMEM (a hole; what is mapped is written all the same), EBUSY (MS_INVALIDATE over locked memory)
 * @kernel  mm/msync.c sys_msync()
 */
export function opMsync(state: KernelState, task: Task, op: Extract<Op, { op: 'msync' }>): number {
  if (task.opDone === 1) return fail(task, 'ENOMEM')
  if (task.opDone === 2) return succeed(task, 0)
  charge(state, state.costs.syscall)
  const start = pageOf(op.address)
  const end = start + pagesIn(op.length)
  if ((op.flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) !== 0 || op.address % PAGE_SIZE !== 0)
    return fail(task, 'EINVAL')
  if ((op.flags & MS_ASYNC) !== 0 && (op.flags & MS_SYNC) !== 0) return fail(task, 'EINVAL')
  if (end < start) return fail(task, 'ENOMEM')
  let doneAt: Ns = 0
  const errno = forEachPart(mmAt(state, task.mm), start, end, ({ vma, start: from, end: to }): Errno | undefined => {
    if ((op.flags & MS_INVALIDATE) !== 0 && (vma.flags & VM_LOCKED) !== 0) return 'EBUSY'
    if ((op.flags & MS_SYNC) === 0 || vma.ino === 0 || (vma.flags & VM_SHARED) === 0) return undefined
    const inode = inodeAt(state, vma.ino)
    if (isShmem(inode)) return undefined
    const shift = vma.pgoff - vma.start
    writebackInode(state, vma.ino, Infinity, from + shift, to + shift)
    doneAt = Math.max(doneAt, state.devices[inode.device]?.busyUntilNs ?? 0)
    return undefined
  })
  if (errno === 'EBUSY') return fail(task, errno)
  if (doneAt > now(state)) {
    task.opDone = errno === undefined ? 2 : 1
    suspend(state, doneAt, 'folio_wait_writeback')
    return STEP_BLOCKED
  }
  return errno === undefined ? succeed(task, 0) : fail(task, errno)
}
