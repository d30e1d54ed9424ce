/** From an inode back to a path: the kernel's dentries know it, we search the directories. */
import type { KernelState } from '../state'

/**
 * @returns '' for a file that has no name any more, or never had one
 * @kernel  fs/d_path.c d_path()
 * @model   searches every directory of every mount; for a person who clicked, not for the machine
 */
export function inodePath(state: KernelState, ino: number): string {
  if (ino === state.vdsoIno) return '[vdso]'
  for (const mount of state.mounts) {
    if (mount.root === 0) continue
    const found = pathBelow(state, mount.root, ino)
    if (found !== undefined) return mount.path === '/' ? found || '/' : `${mount.path}${found}`
  }
  const device = state.inodes[ino]?.kind === 'device' ? state.devices[state.inodes[ino].device] : undefined
  return device?.path ?? ''
}

function pathBelow(state: KernelState, dir: number, ino: number): string | undefined {
  if (dir === ino) return ''
  const inode = state.inodes[dir]
  if (inode === undefined || inode.kind !== 'dir') return undefined
  for (const name of Object.keys(inode.entries)) {
    const rest = pathBelow(state, inode.entries[name]!, ino)
    if (rest !== undefined) return `/${name}${rest}`
  }
  return undefined
}
