/**
 * Operations on files: descriptors, reads and writes through the page cache, small files and pseudo-files.
 * @kernel  fs/open.c, fs/read_write.c, mm/filemap.c
 */
import type { Errno } from '../util/errno'
import { byteLength } from '../util/utf8'
import { PAGE_SIZE, type Bytes, type Ns } from '../util/units'
import { context } from './context'
import { charge, isSuspended, suspend, now } from './exec'
import type { Inode } from './fs_types'
import { isPseudoPath, lookup, mountOf, normalizePath, statPath, truncate, unlink, writeText } from './fs/vfs'
import { filePages, findPage, inodeAt, isShmem, newCachePage, readPage } from './mm/filemap'
import { cachePath, createNamed } from './fs/namei'
import { laptopSyncCompletion } from './mm/block'
import { wakeupFlusher, writebackInode } from './mm/flusher'
import { balanceDirtyPages } from './mm/balance_dirty'
import { folioMarkDirty } from './mm/page_writeback'
import { createReadahead } from './mm/readahead'
import { mmAt } from './mm/rss'
import { SHMEM_NOSPC, shmemGetPage } from './mm/shmem'
import { folioMarkAccessed } from './mm/swap'
import { findVma } from './mm/vma_find'
import { pseudo } from './procfs'
import { SIGXFSZ, fileRoom, mayOpen } from './rlimit'
import { takeFileObject } from './slab_objects'
import type { KernelState } from './state'
import { fail, succeed } from './syscall_result'
import { opPipe, readPipe, writePipe } from './syscalls_pipe'
import type { FileDescriptor, Op, Task } from './task'
import { STEP_BLOCKED, STEP_MORE, returnToUser } from './touch'
import { closeDescriptor, sendSignal } from './lifecycle'

type OpOf<K extends Op['op']> = Extract<Op, { op: K }>
type InodeFd = Extract<FileDescriptor, { kind: 'inode' }>

/** Waits if something asked to wait, else fails. */
const blockedOr = (state: KernelState, task: Task, errno: Errno): number =>
  isSuspended(state) ? STEP_BLOCKED : fail(task, errno)

export function fileOp(state: KernelState, task: Task, op: Op, endNs: Ns): number {
  switch (op.op) {
    case 'open':
      return opOpen(state, task, op)
    case 'close': {
      closeDescriptor(state, task.fds[op.fd])
      task.fds[op.fd] = undefined
      return succeed(task, 0)
    }
    case 'read':
      return opRead(state, task, op, endNs)
    case 'write':
      return opWrite(state, task, op, endNs)
    case 'pipe':
      return opPipe(state, task)
    case 'fsync':
      return opFsync(state, task, op.fd)
    case 'sync':
      return opSync(state, task)
    case 'readFile':
      return opReadFile(state, task, op.path)
    case 'writeFile':
      return opWriteFile(state, task, op)
    case 'stat': {
      const path = normalizePath(task.cwd, op.path)
      if (!cachePath(state, path)) return blockedOr(state, task, 'ENOMEM')
      const stat = statPath(state, path)
      charge(state, state.costs.syscall)
      return typeof stat === 'string' ? fail(task, stat) : succeed(task, stat.sizeBytes)
    }
    case 'unlink': {
      const errno = unlink(state, normalizePath(task.cwd, op.path))
      return errno === undefined ? succeed(task, 0) : fail(task, errno)
    }
    case 'mincore':
      return opMincore(state, task, op)
    default:
      return fail(task, 'EINVAL')
  }
}

function firstFreeFd(task: Task): number {
  let fd = 3
  while (task.fds[fd] !== undefined) fd++
  return fd
}

/** Opens a path for a task. @kernel do_sys_openat2() */
export function openPath(
  state: KernelState,
  task: Task,
  rawPath: string,
  how: { write: boolean; create: boolean; truncate: boolean; append: boolean },
): FileDescriptor | Errno {
  const path = normalizePath(task.cwd, rawPath)
  if (isPseudoPath(state, path) || path === '/dev/kmsg') {
    const stat = pseudo.stat(state, path, task.pid)
    if (stat === undefined) return how.write && path.startsWith('/sys/fs/cgroup/') ? 'EACCES' : 'ENOENT'
    if (stat.kind === 'dir') return 'EISDIR'
    const text = how.write ? '' : pseudo.read(state, path, task.pid, false)
    if (typeof text !== 'string') return text.errno
    const object = takeFileObject(state)
    return object < 0 ? 'ENOMEM' : { kind: 'pseudo', path, text, position: 0, writable: how.write, object }
  }
  if (path === '/dev/null') return { kind: 'null' }
  let inode = lookup(state, path)
  const isNew = inode === 'ENOENT' && how.create
  if (!cachePath(state, path, isNew || typeof inode !== 'string')) return 'ENOMEM'
  if (isNew) inode = createNamed(state, path, 'file')
  if (typeof inode === 'string') return inode
  if (how.write && inode.kind === 'dir') return 'EISDIR'
  if (how.write && mountOf(state, path).readOnly) return 'EROFS'
  const object = takeFileObject(state)
  if (object < 0) return 'ENOMEM'
  if (how.truncate) truncate(state, inode, 0)
  inode.users++
  return {
    kind: 'inode',
    ino: inode.ino,
    path,
    position: how.append ? inode.size : 0,
    append: how.append,
    writable: how.write,
    readahead: createReadahead(),
    object,
  }
}

function opOpen(state: KernelState, task: Task, op: OpOf<'open'>): number {
  charge(state, state.costs.syscall * 4)
  const fd = firstFreeFd(task)
  if (!mayOpen(task, fd)) return fail(task, 'EMFILE')
  const opened = openPath(state, task, op.path, {
    write: op.write === true,
    create: op.create === true,
    truncate: op.truncate === true,
    append: op.append === true,
  })
  if (typeof opened === 'string') return blockedOr(state, task, opened)
  task.fds[fd] = opened
  return succeed(task, fd)
}

function opRead(state: KernelState, task: Task, op: OpOf<'read'>, endNs: Ns): number {
  const fd = task.fds[op.fd]
  if (fd === undefined) return fail(task, 'EBADF')
  if (fd.kind === 'host' || fd.kind === 'null') return succeed(task, 0)
  if (fd.kind === 'pipe') return fd.end === 'read' ? readPipe(state, task, fd.pipe, op.length) : fail(task, 'EBADF')
  if (fd.kind === 'pseudo') {
    task.resultText = fd.text.slice(fd.position, fd.position + op.length)
    fd.position += task.resultText.length
    return succeed(task, task.resultText.length)
  }
  if (op.offset !== undefined && task.opDone === 0) fd.position = op.offset
  return readInode(state, task, fd, op.length, endNs)
}

/** opDone = bytes of this call that are copied. @kernel filemap_read(), shmem_file_read_iter() */
function readInode(state: KernelState, task: Task, fd: InodeFd, length: number, endNs: Ns): number {
  const inode = inodeAt(state, fd.ino)
  if (inode.kind === 'dir') return fail(task, 'EISDIR')
  if (task.opDone === 0) charge(state, state.costs.syscall)
  const end = Math.min(fd.position + length, inode.size)
  while (fd.position + task.opDone < end) {
    if (state.exec.ns >= endNs) return STEP_MORE
    const at = fd.position + task.opDone
    const index = Math.floor(at / PAGE_SIZE)
    const left = Math.ceil(end / PAGE_SIZE) - index
    const pfn = isShmem(inode)
      ? shmemGetPage(state, undefined, inode, index)
      : readPage(state, inode, fd.readahead, index, left)
    if (pfn <= 0) return task.opDone > 0 && !isSuspended(state) ? finishIo(task, fd) : blockedOr(state, task, 'ENOMEM')
    folioMarkAccessed(state, pfn)
    charge(state, state.costs.copyPage)
    task.opDone += Math.min((index + 1) * PAGE_SIZE, end) - at
    returnToUser(state, task)
    if (isSuspended(state)) return STEP_BLOCKED
  }
  task.resultText = inode.content.slice(fd.position, fd.position + task.opDone)
  return finishIo(task, fd)
}

function finishIo(task: Task, fd: InodeFd): number {
  fd.position += task.opDone
  return succeed(task, task.opDone)
}

function opWrite(state: KernelState, task: Task, op: OpOf<'write'>, endNs: Ns): number {
  const fd = task.fds[op.fd]
  if (fd === undefined) return fail(task, 'EBADF')
  const text = op.text
  switch (fd.kind) {
    case 'null':
      return succeed(task, op.length ?? byteLength(text ?? ''))
    case 'host':
      charge(state, state.costs.syscall)
      if (text !== undefined) context.sink.output?.(task.pid, op.fd, text)
      return succeed(task, op.length ?? byteLength(text ?? ''))
    case 'pseudo': {
      const errno = pseudo.write(state, fd.path, text ?? '', task.pid)
      if (errno !== undefined) return blockedOr(state, task, errno)
      if (isSuspended(state)) return STEP_BLOCKED
      return succeed(task, byteLength(text ?? ''))
    }
    case 'pipe':
      if (fd.end === 'read') return fail(task, 'EBADF')
      return writePipe(state, task, fd.pipe, op.length ?? byteLength(text ?? ''))
    case 'inode':
      if (!fd.writable) return fail(task, 'EBADF')
      return text === undefined ? writeData(state, task, fd, op.length ?? 0, endNs) : writeTextOp(state, task, fd, text)
  }
}

function writeTextOp(state: KernelState, task: Task, fd: InodeFd, text: string): number {
  const inode = inodeAt(state, fd.ino)
  charge(state, state.costs.syscall)
  const bytes = byteLength(text)
  const room = fileRoom(task, inode.size, bytes)
  if (room === 0 && bytes > 0) return tooLarge(state, task)
  // Behind the limit nothing is kept; a character that it would cut is left out whole.
  const errno = writeText(state, inode, room === bytes ? text : cutText(text, room), true)
  if (errno !== undefined) return errno === 'EAGAIN' ? STEP_BLOCKED : fail(task, errno)
  fd.position = inode.size
  return succeed(task, room)
}

/** The file must not grow: the task is told, and dies of it unless it has a handler. @kernel generic_write_check_limits() */
function tooLarge(state: KernelState, task: Task): number {
  sendSignal(state, task.pid, SIGXFSZ)
  return fail(task, 'EFBIG')
}

function cutText(text: string, bytes: Bytes): string {
  let end = Math.min(text.length, bytes)
  while (byteLength(text.slice(0, end)) > bytes) end--
  return text.slice(0, end)
}

/** Data without content: pages become dirty. opDone = bytes written. @kernel generic_perform_write() */
function writeData(state: KernelState, task: Task, fd: InodeFd, asked: number, endNs: Ns): number {
  const inode = inodeAt(state, fd.ino)
  const length = inode.kind === 'device' ? asked : fileRoom(task, fd.position, asked)
  if (length === 0 && asked > 0) return tooLarge(state, task)
  if (task.opDone === 0) charge(state, state.costs.syscall)
  while (task.opDone < length) {
    if (state.exec.ns >= endNs) return STEP_MORE
    const at = fd.position + task.opDone
    const index = Math.floor(at / PAGE_SIZE)
    const upTo = Math.min((index + 1) * PAGE_SIZE, fd.position + length)
    const size = inode.size
    inode.size = Math.max(size, upTo)
    const pfn = isShmem(inode)
      ? shmemGetPage(state, undefined, inode, index)
      : findPage(inode, index) || newCachePage(state, inode, index, 0)
    if (pfn <= 0) {
      inode.size = size
      return blockedOr(state, task, pfn === SHMEM_NOSPC ? 'ENOSPC' : 'ENOMEM')
    }
    folioMarkAccessed(state, pfn)
    if (!isShmem(inode)) {
      folioMarkDirty(state, pfn)
      throttleWriter(state, task, inode.device)
    }
    charge(state, state.costs.copyPage)
    task.opDone += upTo - at
    if (!isSuspended(state)) returnToUser(state, task)
    if (isSuspended(state)) return STEP_BLOCKED
  }
  return finishIo(task, fd)
}

function throttleWriter(state: KernelState, task: Task, device: number): void {
  const pagesPerSecond = Math.floor(1e9 / Math.max(1, state.devices[device]!.perPageNs))
  const sleepNs = balanceDirtyPages(state, task, pagesPerSecond)
  if (sleepNs > 0) suspend(state, now(state) + sleepNs, 'balance_dirty_pages')
}

function opFsync(state: KernelState, task: Task, fdNumber: number): number {
  const fd = task.fds[fdNumber]
  if (fd?.kind !== 'inode') return fail(task, 'EBADF')
  const inode = inodeAt(state, fd.ino)
  if (task.opDone === 0 && !isShmem(inode)) {
    writebackInode(state, inode.ino)
    task.opDone = 1
    const doneAt = state.devices[inode.device]!.busyUntilNs
    if (doneAt > now(state)) {
      suspend(state, doneAt, 'folio_wait_writeback')
      return STEP_BLOCKED
    }
  }
  return succeed(task, 0)
}

/** @kernel fs/sync.c ksys_sync() */
function opSync(state: KernelState, task: Task): number {
  if (task.opDone === 0) {
    charge(state, state.costs.syscall)
    wakeupFlusher(state)
    task.opDone = 1
    const doneAt = Math.max(0, ...state.devices.filter((d) => !d.isSwapFormatted).map((d) => d.busyUntilNs))
    if (doneAt > now(state)) {
      suspend(state, doneAt, 'folio_wait_writeback')
      return STEP_BLOCKED
    }
  }
  laptopSyncCompletion(state)
  return succeed(task, 0)
}

/** Text of a whole file, with the side effects of a read. */
export function readWhole(state: KernelState, task: Task, rawPath: string): string | { readonly errno: Errno } {
  const path = normalizePath(task.cwd, rawPath)
  if (!mayOpen(task, firstFreeFd(task))) return { errno: 'EMFILE' }
  if (isPseudoPath(state, path) || path === '/dev/kmsg') return pseudo.read(state, path, task.pid, false)
  if (!cachePath(state, path)) return { errno: 'ENOMEM' }
  const inode = lookup(state, path)
  if (typeof inode === 'string') return { errno: inode }
  if (inode.kind === 'dir') return { errno: 'EISDIR' }
  for (let i = 0; i < filePages(inode); i++) {
    const pfn = findPage(inode, i)
    if (pfn !== 0) folioMarkAccessed(state, pfn)
  }
  return inode.content
}

function opReadFile(state: KernelState, task: Task, path: string): number {
  charge(state, state.costs.syscall * 6)
  const text = readWhole(state, task, path)
  if (typeof text !== 'string') return blockedOr(state, task, text.errno)
  task.resultText = text
  return succeed(task, text.length)
}

/** One open, one write, one close. */
export function writeWhole(
  state: KernelState,
  task: Task,
  path: string,
  text: string,
  how: { readonly create: boolean; readonly append: boolean; readonly sizeBytes?: number },
): Errno | undefined {
  if (!mayOpen(task, firstFreeFd(task))) return 'EMFILE'
  const opened = openPath(state, task, path, {
    write: true,
    create: how.create,
    truncate: !how.append,
    append: how.append,
  })
  if (typeof opened === 'string') return opened
  if (opened.kind === 'pseudo') {
    const refused = pseudo.write(state, opened.path, text, task.pid)
    closeDescriptor(state, opened)
    return refused
  }
  if (opened.kind !== 'inode') return undefined
  const errno = appendWhole(state, task, inodeAt(state, opened.ino), text, how.sizeBytes)
  closeDescriptor(state, opened)
  return errno
}

/** What the file's limit has no room for is not written: one call takes what fits, the next one is refused. */
function appendWhole(
  state: KernelState,
  task: Task,
  inode: Inode,
  text: string,
  sizeBytes: Bytes | undefined,
): Errno | undefined {
  if (inode.kind === 'device') return undefined
  const bytes = byteLength(text)
  const room = fileRoom(task, inode.size, bytes)
  if (room === bytes) return writeText(state, inode, text, true, sizeBytes)
  const errno = room === 0 ? undefined : writeText(state, inode, cutText(text, room), true)
  if (errno !== undefined) return errno
  sendSignal(state, task.pid, SIGXFSZ)
  return 'EFBIG'
}

function opWriteFile(state: KernelState, task: Task, op: OpOf<'writeFile'>): number {
  charge(state, state.costs.syscall * 6)
  const errno = writeWhole(state, task, op.path, op.text, { create: op.create === true, append: op.append === true })
  if (errno !== undefined) return blockedOr(state, task, errno)
  if (isSuspended(state)) return STEP_BLOCKED
  return succeed(task, byteLength(op.text))
}

function opMincore(state: KernelState, task: Task, op: OpOf<'mincore'>): number {
  const vma = findVma(mmAt(state, task.mm), Math.floor(op.address / PAGE_SIZE))
  if (vma === undefined) return fail(task, 'ENOMEM')
  charge(state, state.costs.syscall)
  if (vma.ino === 0) return succeed(task, 0)
  const inode = inodeAt(state, vma.ino)
  let cached = 0
  for (let i = 0; i < Math.ceil(op.length / PAGE_SIZE); i++) if (findPage(inode, vma.pgoff + i) !== 0) cached++
  return succeed(task, cached)
}
