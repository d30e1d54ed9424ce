/** Shapes of the pseudo file systems' table. */
import type { Errno } from '../../util/errno'
import type { FileStat } from '../commands'
import type { KernelState } from '../state'

/** One file. `read` undefined = write-only; `write` undefined = read-only. */
export interface PseudoFile {
  /** @param peek  true: a look from outside, no side effects */
  readonly read?: (state: KernelState, pid: number, peek: boolean) => string | Errno_
  /** undefined = done; 'wait' = suspended, the same write is tried again. */
  readonly write?: (state: KernelState, text: string, pid: number) => Errno | undefined
}

/** An error inside a read: wrapped, because a file's text may be any string. */
export interface Errno_ {
  readonly errno: Errno
}

/** A family of files below one directory. */
export interface PseudoDir {
  /** Names in a directory of the family; undefined = no such directory. `path` is relative, '' = its root. */
  list(state: KernelState, path: string): string[] | undefined
  /** The file at a relative path. */
  file(state: KernelState, path: string): PseudoFile | undefined
  /** Where a symbolic link leads, relative to its directory; undefined = it is no link. */
  link?(state: KernelState, path: string): string | undefined
  mkdir?(state: KernelState, path: string): Errno | undefined
  rmdir?(state: KernelState, path: string): Errno | undefined
}

export const DIR_STAT: FileStat = { kind: 'dir', sizeBytes: 0, writable: true, executable: true, target: '' }
