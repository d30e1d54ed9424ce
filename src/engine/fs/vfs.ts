/**
 * Paths, inodes and files: tmpfs and disk file systems, with the pseudo file systems behind one door.
 * @kernel  fs/namei.c, mm/shmem.c
 */
import type { Errno } from '../../util/errno'
import { byteLength } from '../../util/utf8'
import { PAGE_SIZE, type Bytes } from '../../util/units'
import { charge, isSuspended } from '../exec'
import type { Inode, Mount } from '../fs_types'
import type { FileStat } from '../commands'
import type { KernelState } from '../state'
import { dropPage, findPage, isShmem, newCachePage, shmemSwapSlot } from '../mm/filemap'
import { waitForIo } from '../mm/block'
import { PG_LOCKED, PG_WRITEBACK, hasFlag } from '../mm/memmap'
import { vmUnacctMemory } from '../mm/overcommit'
import { giveTreeSlot } from '../mm/page_tree'
import { createReadahead } from '../mm/readahead'
import { unmapFilePage } from '../mm/rmap'
import { folioMarkDirty } from '../mm/page_writeback'
import { SHMEM_NOSPC, shmemGetPage, shmemUnaccount } from '../mm/shmem'
import { folioMarkAccessed } from '../mm/swap'
import { freeSwapAndCache } from '../mm/swap_fault'
import { pseudo } from '../procfs'
import { dDelete, dMove, dput, evictInode, inodeAddLru } from './dcache'

/** Absolute path without '.', '..' and double slashes. */
export function normalizePath(cwd: string, path: string): string {
  const parts: string[] = []
  for (const part of (path.startsWith('/') ? path : `${cwd}/${path}`).split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') parts.pop()
    else parts.push(part)
  }
  return `/${parts.join('/')}`
}

const PSEUDO = new Set(['proc', 'sysfs', 'cgroup2', 'debugfs', 'tracefs'])

const isBelow = (path: string, root: string): boolean => root === '/' || path === root || path.startsWith(`${root}/`)

/** The deepest mount that holds the path. */
export function mountOf(state: KernelState, path: string): Mount {
  let best = state.mounts[0]!
  for (const mount of state.mounts) if (isBelow(path, mount.path) && mount.path.length >= best.path.length) best = mount
  return best
}

export const isPseudoPath = (state: KernelState, path: string): boolean => PSEUDO.has(mountOf(state, path).fs)

export function createInode(
  state: KernelState,
  kind: Inode['kind'],
  fs: Inode['fs'],
  size: Bytes,
  device: number,
): Inode {
  let ino = state.dcache.inoHint
  while (state.inodes[ino] !== undefined) ino++
  state.dcache.inoHint = ino + 1
  const inode: Inode = {
    ino,
    kind,
    fs,
    entries: {},
    size,
    content: '',
    target: '',
    device,
    pages: new Int32Array(0),
    shadows: new Float64Array(0),
    nrPages: 0,
    treeUse: new Uint8Array(0),
    treeNodes: new Float64Array(0),
    treePages: new Uint8Array(0),
    treeRows: new Int32Array(0),
    slab: 0,
    dentry: 0,
    icache: 0,
    users: 0,
    linked: true,
    nrDirty: 0,
    committed: 0,
    isReserved: false,
    mmapRa: createReadahead(),
  }
  state.inodes[ino] = inode
  return inode
}

const inodeOf = (state: KernelState, ino: number): Inode => state.inodes[ino]!

/** The inode of a path on a real file system. @kernel path_lookupat(); @simplifies there are no symbolic links */
export function lookup(state: KernelState, path: string): Inode | Errno {
  const mount = mountOf(state, path)
  let inode = inodeOf(state, mount.root)
  const rest = mount.path === '/' ? path.slice(1) : path.slice(mount.path.length + 1)
  if (rest === '') return inode
  for (const name of rest.split('/')) {
    if (inode.kind !== 'dir') return 'ENOTDIR'
    const child: number | undefined = Object.hasOwn(inode.entries, name) ? inode.entries[name] : undefined
    if (child === undefined) return 'ENOENT'
    inode = inodeOf(state, child)
  }
  return inode
}

const split = (path: string): { dir: string; name: string } => {
  const at = path.lastIndexOf('/')
  return { dir: path.slice(0, at) || '/', name: path.slice(at + 1) }
}

/** Makes a file or directory in an existing directory of a writable file system. */
export function createAt(state: KernelState, path: string, kind: 'file' | 'dir'): Inode | Errno {
  const { dir, name } = split(path)
  const parent = lookup(state, dir)
  if (typeof parent === 'string') return parent
  if (parent.kind !== 'dir') return 'ENOTDIR'
  if (Object.hasOwn(parent.entries, name)) return 'EEXIST'
  if (mountOf(state, path).readOnly) return 'EROFS'
  const inode = createInode(state, kind, parent.fs, 0, parent.device)
  parent.entries[name] = inode.ino
  return inode
}

/** Directories of a path that are missing, and the path itself as a directory. Used at boot and by mkdir -p. */
export function makeDirs(state: KernelState, path: string): Errno | undefined {
  const parts = path.split('/').filter((p) => p !== '')
  for (let i = 1; i <= parts.length; i++) {
    const at = `/${parts.slice(0, i).join('/')}`
    if (isPseudoPath(state, at)) {
      const error = pseudo.stat(state, at) === undefined ? pseudo.mkdir(state, at) : undefined
      if (error !== undefined) return error
      continue
    }
    const found = lookup(state, at)
    if (typeof found !== 'string') {
      if (found.kind !== 'dir') return 'ENOTDIR'
      continue
    }
    const made = createAt(state, at, 'dir')
    if (typeof made === 'string') return made
  }
  return undefined
}

export function mkdir(state: KernelState, path: string): Errno | undefined {
  if (isPseudoPath(state, path)) return pseudo.stat(state, path) !== undefined ? 'EEXIST' : pseudo.mkdir(state, path)
  const made = createAt(state, path, 'dir')
  return typeof made === 'string' ? made : undefined
}

export function rmdir(state: KernelState, path: string): Errno | undefined {
  if (state.mounts.some((m) => m.path === path)) return 'EBUSY'
  if (isPseudoPath(state, path)) return pseudo.stat(state, path) === undefined ? 'ENOENT' : pseudo.rmdir(state, path)
  const inode = lookup(state, path)
  if (typeof inode === 'string') return inode
  if (inode.kind !== 'dir') return 'ENOTDIR'
  if (Object.keys(inode.entries).length > 0) return 'ENOTEMPTY'
  return unlinkEntry(state, path, inode)
}

export function unlink(state: KernelState, path: string): Errno | undefined {
  if (isPseudoPath(state, path)) return pseudo.stat(state, path) === undefined ? 'ENOENT' : 'EPERM'
  const inode = lookup(state, path)
  if (typeof inode === 'string') return inode
  if (inode.kind === 'dir') return 'EISDIR'
  return unlinkEntry(state, path, inode)
}

function unlinkEntry(state: KernelState, path: string, inode: Inode): Errno | undefined {
  if (mountOf(state, path).readOnly) return 'EROFS'
  const { dir, name } = split(path)
  const parent = lookup(state, dir)
  if (typeof parent === 'string') return parent
  delete parent.entries[name]
  inode.linked = false
  dDelete(state, inode, name)
  releaseInode(state, inode)
  return undefined
}

/**
 * Moves a file or directory to a new name; into an existing directory it keeps its own.
 * @simplifies  between two file systems too, where Linux refuses with EXDEV and mv copies
 */
export function rename(state: KernelState, from: string, to: string): Errno | undefined {
  if (isPseudoPath(state, from) || isPseudoPath(state, to)) return 'EPERM'
  const inode = lookup(state, from)
  if (typeof inode === 'string') return inode
  if (state.mounts.some((m) => m.path === from)) return 'EBUSY'
  const existing = lookup(state, to)
  const target = typeof existing !== 'string' && existing.kind === 'dir' ? `${to}/${split(from).name}` : to
  if (isBelow(target, from) && target !== from) return 'EINVAL'
  const source = lookup(state, split(from).dir)
  const parent = lookup(state, split(target).dir)
  if (typeof source === 'string') return source
  if (typeof parent === 'string') return parent
  if (parent.kind !== 'dir') return 'ENOTDIR'
  if (mountOf(state, target).readOnly || mountOf(state, from).readOnly) return 'EROFS'
  const old = lookup(state, target)
  if (old === inode) return undefined
  if (typeof old !== 'string') {
    const error = replaced(state, target, old, inode)
    if (error !== undefined) return error
  }
  delete source.entries[split(from).name]
  parent.entries[split(target).name] = inode.ino
  dMove(state, inode, parent)
  return undefined
}

/** What stood at the new name goes: a directory only for a directory, a file only for a file. */
function replaced(state: KernelState, target: string, old: Inode, inode: Inode): Errno | undefined {
  if (old.kind === 'dir') return inode.kind === 'dir' ? rmdir(state, target) : 'EISDIR'
  return inode.kind === 'dir' ? 'ENOTDIR' : unlink(state, target)
}

/** A descriptor or mapping let go of an inode. One that nobody holds waits in memory, or is freed without a name. @kernel iput() */
export function releaseInode(state: KernelState, inode: Inode): void {
  if (inode.users > 0) return
  if (inode.linked) {
    if (inode.dentry !== 0) dput(state, inode.dentry)
    else inodeAddLru(state, inode, true)
    return
  }
  truncate(state, inode, 0)
  vmUnacctMemory(state, inode.committed)
  if (inode.dentry !== 0) dDelete(state, inode, '')
  evictInode(state, inode)
  state.inodes[inode.ino] = undefined
  state.dcache.inoHint = Math.min(state.dcache.inoHint, inode.ino)
}

/**
 * Cuts the file: pages from there on leave every address space and the cache.
 * @kernel  truncate_pagecache(), truncate_inode_pages(), shmem_undo_range()
 */
export function truncate(state: KernelState, inode: Inode, size: Bytes): void {
  inode.size = size
  if (inode.content !== '') inode.content = inode.content.slice(0, size)
  punchHole(state, inode, Math.ceil(size / PAGE_SIZE), inode.pages.length)
}

/** Pages [from, to) leave the cache and whoever maps them; the file is as long as before. @kernel fallocate(FALLOC_FL_PUNCH_HOLE) */
export function punchHole(state: KernelState, inode: Inode, from: number, to: number): void {
  for (let i = from; i < Math.min(to, inode.pages.length); i++) {
    const pfn = findPage(inode, i)
    const slot = shmemSwapSlot(inode, i)
    if (pfn !== 0) dropCutOff(state, inode, pfn)
    else if (slot >= 0) {
      inode.pages[i] = 0
      giveTreeSlot(state, inode, i)
      freeSwapAndCache(state, slot)
    } else if (inode.shadows[i] !== 0) giveTreeSlot(state, inode, i)
    if (isShmem(inode) && (pfn !== 0 || slot >= 0)) shmemUnaccount(state, inode)
    inode.shadows[i] = 0
  }
}

/** Waits for the page's I/O, as truncation does. */
function dropCutOff(state: KernelState, inode: Inode, pfn: number): void {
  unmapFilePage(state, pfn)
  if (hasFlag(state.memmap, pfn, PG_LOCKED | PG_WRITEBACK)) waitForIo(state, state.devices[inode.device]!.busyUntilNs)
  dropPage(state, pfn)
}

/**
 * Appends text to, or overwrites, a file; its pages are allocated and charged to the writer.
 * @param sizeBytes  the file's size afterwards, if more: bytes without text
 * @returns EAGAIN = the operation has to wait (isSuspended)
 */
export function writeText(
  state: KernelState,
  inode: Inode,
  text: string,
  append: boolean,
  sizeBytes: Bytes = 0,
): Errno | undefined {
  const before = append ? inode.size : 0
  const bytes = Math.max(byteLength(text), sizeBytes - before)
  if (!append && inode.size > 0) truncate(state, inode, 0)
  const size = before + bytes
  const old = inode.size
  inode.size = Math.max(size, old)
  const error = touchPages(state, inode, before, bytes)
  if (error !== undefined) {
    inode.size = old
    return error
  }
  inode.content = append ? inode.content + text : text
  inode.size = size
  return undefined
}

/** A cached page of a disk file, dirty from now on. @kernel fs/ext4/inode.c ext4_write_begin() */
function diskPage(state: KernelState, inode: Inode, index: number): number {
  const pfn = findPage(inode, index) || newCachePage(state, inode, index, 0)
  if (pfn !== 0) folioMarkDirty(state, pfn)
  return pfn
}

/** Brings in the pages of a range of a file for writing. */
function touchPages(state: KernelState, inode: Inode, from: Bytes, bytes: Bytes): Errno | undefined {
  if (inode.kind !== 'file' || bytes === 0) return undefined
  const last = Math.floor((from + bytes - 1) / PAGE_SIZE)
  for (let i = Math.floor(from / PAGE_SIZE); i <= last; i++) {
    const pfn = isShmem(inode) ? shmemGetPage(state, undefined, inode, i) : diskPage(state, inode, i)
    if (pfn === SHMEM_NOSPC) return 'ENOSPC'
    if (pfn === 0) return isSuspended(state) ? 'EAGAIN' : 'ENOMEM'
    folioMarkAccessed(state, pfn)
    charge(state, state.costs.copyPage)
  }
  return undefined
}

/** An executable that was built on the machine: the linker sets its mode. @kernel include/uapi/linux/elf.h ELFMAG */
const ELF_MAGIC = '\x7fELF'

export function statPath(state: KernelState, path: string): FileStat | Errno {
  if (isPseudoPath(state, path)) return pseudo.stat(state, path) ?? 'ENOENT'
  const inode = lookup(state, path)
  if (typeof inode === 'string') return inode
  return {
    kind: inode.kind,
    sizeBytes: inode.size,
    writable: !mountOf(state, path).readOnly,
    executable: inode.kind === 'dir' || path.includes('/bin/') || inode.content.startsWith(ELF_MAGIC),
    target: inode.target,
  }
}

/** Names, sorted by code point as `LC_ALL=C ls` does. Mount points below the directory are entries too. */
export function listPath(state: KernelState, path: string): string[] | Errno {
  if (isPseudoPath(state, path)) {
    const stat = pseudo.stat(state, path)
    if (stat === undefined) return 'ENOENT'
    return stat.kind === 'dir' || pseudo.isLinkToDir(state, path) ? pseudo.list(state, path) : 'ENOTDIR'
  }
  const inode = lookup(state, path)
  if (typeof inode === 'string') return inode
  if (inode.kind !== 'dir') return 'ENOTDIR'
  return Object.keys(inode.entries).sort()
}
