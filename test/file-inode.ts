/** The inode behind a path of a machine under test, which must exist. */
import { lookup } from '../src/engine/fs/vfs'
import type { Inode } from '../src/engine/fs_types'
import type { KernelState } from '../src/engine/state'

export function fileInode(state: KernelState, path: string): Inode {
  const inode = lookup(state, path)
  if (typeof inode === 'string') throw new Error(`${path}: ${inode}`)
  return inode
}
