/**
 * Looking a path up leaves its names and inodes in memory.
 * @kernel      fs/namei.c path_lookupat(), link_path_walk(), lookup_slow()
 * @spec        03 §3.9
 * @simplifies  blocks of directories and of inode tables are always in memory: a miss costs time, but no I/O
 */
import type { Errno } from '../../util/errno'
import { charge, currentTask, isSuspended } from '../exec'
import type { Inode } from '../fs_types'
import type { KernelState } from '../state'
import { dAdd, dKill, dput, giveNameObjects, iget, negativeDentry, superOf, takeNameObjects } from './dcache'
import { createAt, isPseudoPath, lookup, mountOf } from './vfs'

/** A dentry for an inode that was found in a directory. @returns whether it is in memory now */
function ensureDentry(state: KernelState, inode: Inode, parent: number, name: string): boolean {
  if (!iget(state, inode)) return false
  if (inode.dentry !== 0) return true
  const missing = negativeDentry(state, parent, name)
  if (missing !== 0) dKill(state, missing)
  const objects = takeNameObjects(state, '', name)
  if (objects === undefined) return false
  dAdd(state, objects, inode, { parent, name, owner: superOf(inode) })
  charge(state, state.costs.lookupMiss)
  return true
}

/** A disk remembers that there is no such name. @kernel d_add(dentry, NULL) */
function ensureNegative(state: KernelState, directory: Inode, name: string): boolean {
  const owner = superOf(directory)
  if (owner === 0) return true
  let row = negativeDentry(state, directory.dentry, name)
  if (row === 0) {
    const objects = takeNameObjects(state, '', name)
    if (objects === undefined) return false
    row = dAdd(state, objects, undefined, { parent: directory.dentry, name, owner })
    charge(state, state.costs.lookupMiss)
  }
  dput(state, row)
  return true
}

function walk(state: KernelState, path: string, isHeld: boolean): boolean {
  const mount = mountOf(state, path)
  let inode = state.inodes[mount.root]!
  if (!ensureDentry(state, inode, 0, '/')) return false
  const rest = mount.path === '/' ? path.slice(1) : path.slice(mount.path.length + 1)
  for (const name of rest === '' ? [] : rest.split('/')) {
    if (inode.kind !== 'dir') return true
    const ino: number | undefined = Object.hasOwn(inode.entries, name) ? inode.entries[name] : undefined
    if (ino === undefined) return isHeld || ensureNegative(state, inode, name)
    const child: Inode = state.inodes[ino]!
    if (!ensureDentry(state, child, inode.dentry, name)) return false
    inode = child
  }
  if (!isHeld) dput(state, inode.dentry)
  return true
}

/**
 * Brings the names and inodes of a path into memory.
 * @param path    absolute and normalized
 * @param isHeld  the caller is about to open or make the file: it puts the dentry down itself
 * @returns false = there is no memory, or the operation has to wait. What a shell's tool does between two events cannot wait:
 *          it goes on without.
 * @kernel  filename_lookup()
 */
export function cachePath(state: KernelState, path: string, isHeld = false): boolean {
  if (isPseudoPath(state, path) || walk(state, path, isHeld)) return true
  if (currentTask(state)?.op !== undefined) return false
  if (isSuspended(state)) state.exec.suspendUntilNs = -1
  return true
}

/** Everything in a directory is looked at, as `ls -l` and `find` do. @kernel iterate_dir(), vfs_statx() */
export function cacheEntries(state: KernelState, path: string): boolean {
  if (!cachePath(state, path) || isPseudoPath(state, path)) return true
  const directory = lookup(state, path)
  if (typeof directory === 'string' || directory.kind !== 'dir') return true
  for (const name of Object.keys(directory.entries))
    if (!cachePath(state, `${path === '/' ? '' : path}/${name}`)) return false
  return true
}

/**
 * Makes a file or directory with its name and inode in memory; what is above it is there already, see cachePath().
 * @kernel  vfs_create(), vfs_mkdir(): ext4_create(), shmem_mknod()
 */
export function createNamed(state: KernelState, path: string, kind: 'file' | 'dir'): Inode | Errno {
  const at = path.lastIndexOf('/')
  const name = path.slice(at + 1)
  const parent = lookup(state, path.slice(0, at) || '/')
  if (typeof parent === 'string') return parent
  const objects = takeNameObjects(state, parent.fs, name)
  if (objects === undefined) return 'ENOMEM'
  const inode = createAt(state, path, kind)
  if (typeof inode === 'string') {
    giveNameObjects(state, objects)
    return inode
  }
  const missing = negativeDentry(state, parent.dentry, name)
  if (parent.dentry === 0) {
    // The directory itself could not be kept in memory: the file goes without a name there until it is looked up.
    inode.slab = objects.inode
    giveNameObjects(state, { ...objects, inode: 0 })
    return inode
  }
  dAdd(state, objects, inode, { parent: parent.dentry, name, owner: superOf(inode) })
  if (missing !== 0) dKill(state, missing)
  return inode
}
