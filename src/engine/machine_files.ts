/** Files that are on the root file system when user land starts. */
import { PAGE_SIZE, type Pages } from '../util/units'
import { byteLength } from '../util/utf8'
import { createAt, lookup, makeDirs } from './fs/vfs'
import { filePages } from './mm/filemap'
import { MODULES } from './modules'
import { shmemNewPage } from './mm/shmem'
import type { KernelState } from './state'

/** Files of the modules that can be loaded; their contents are not simulated. */
export function installModules(state: KernelState): void {
  for (const [name, { sections }] of Object.entries(MODULES)) {
    const bytes = sections.reduce((sum, n) => sum + n, 0)
    installFile(state, `/lib/modules/${state.config.release}/extra/${name}.ko`, Math.ceil(bytes / PAGE_SIZE), false)
  }
}

/** A small text that the installation left on the disk; its page comes when it is read. */
export function installText(state: KernelState, path: string, text: string): void {
  installFile(state, path, 0, false)
  const inode = lookup(state, path)
  if (typeof inode === 'string') return
  inode.content = text
  inode.size = byteLength(text)
}

/**
 * Puts a file into the root file system.
 * @param isUnpacked  on tmpfs: its pages are there from the start; otherwise they come at first touch
 */
export function installFile(state: KernelState, path: string, pages: Pages, isUnpacked: boolean): void {
  makeDirs(state, path.slice(0, path.lastIndexOf('/')) || '/')
  if (typeof lookup(state, path) !== 'string') return
  const inode = createAt(state, path, 'file')
  if (typeof inode === 'string') return
  inode.size = pages * PAGE_SIZE
  if (inode.fs !== 'tmpfs' || !isUnpacked) return
  for (let i = 0; i < filePages(inode); i++) shmemNewPage(state, inode, i)
}
