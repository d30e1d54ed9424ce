/**
 * The table of pseudo file systems: which family answers for a path of /proc, /sys, debugfs and the cgroup tree.
 */
import { loadavgText } from '../loadavg'
import type { Errno } from '../../util/errno'
import type { FileStat } from '../commands'
import type { KernelState } from '../state'
import { sysDir } from './sysfs'
import { blockDir } from './sysfs_block'
import { buddyinfoText } from './buddyinfo'
import { cgroupFs } from './cgroup'
import { debugDir } from './debugfs'
import { meminfoText } from './meminfo'
import {
  cpuinfoText,
  diskstatsText,
  iomemText,
  kmsgText,
  mountsText,
  partitionsText,
  procStatText,
  uptimeText,
  versionText,
} from './misc'
import { moduleDir, modulesText } from './modules'
import { pagetypeinfoText } from './pagetypeinfo'
import { pidDir } from './pid'
import { pressureText } from './pressure'
import { slabDir, slabinfoText } from './slab'
import { swapsText } from './swaps'
import { sysctlDir } from './sysctl'
import { traceDir } from './tracefs'
import { DIR_STAT, type PseudoDir, type PseudoFile } from './types'
import { vmallocinfoText } from './vmallocinfo'
import { vmstatText } from './vmstat'
import { zoneinfoText } from './zoneinfo'

const text = (read: (state: KernelState) => string): PseudoFile => ({ read: (state) => read(state) })

const PROC_FILES: Readonly<Record<string, PseudoFile>> = {
  buddyinfo: text(buddyinfoText),
  cmdline: text((state) => `${state.config.cmdline}\n`),
  cpuinfo: text(cpuinfoText),
  diskstats: text(diskstatsText),
  iomem: text(iomemText),
  loadavg: text(loadavgText),
  meminfo: text(meminfoText),
  modules: text(modulesText),
  mounts: text(mountsText),
  pagetypeinfo: text(pagetypeinfoText),
  partitions: text(partitionsText),
  slabinfo: text(slabinfoText),
  stat: text(procStatText),
  swaps: text(swapsText),
  uptime: text(uptimeText),
  version: text(versionText),
  vmallocinfo: text(vmallocinfoText),
  vmstat: text(vmstatText),
  zoneinfo: text(zoneinfoText),
}

const isPid = (name: string): boolean => /^\d+$/.test(name)

const procDir: PseudoDir = {
  list: (state, path) => {
    if (path === '') return [...pidDir.list(state, '')!, ...Object.keys(PROC_FILES), 'pressure', 'self', 'sys']
    if (path === 'pressure') return ['memory']
    if (path === 'sys' || path.startsWith('sys/')) return sysctlDir.list(state, path.slice(4))
    return isPid(path) ? pidDir.list(state, path) : undefined
  },
  file: (state, path) => {
    if (Object.hasOwn(PROC_FILES, path)) return PROC_FILES[path]
    if (path === 'pressure/memory') return { read: (s) => pressureText(s) }
    if (path.startsWith('sys/')) return sysctlDir.file(state, path.slice(4))
    return isPid(path.split('/')[0]!) ? pidDir.file(state, path) : undefined
  },
}

/** Longest prefix first. */
const FAMILIES: readonly { readonly root: string; readonly dir: PseudoDir }[] = [
  { root: '/sys/fs/cgroup', dir: cgroupFs },
  { root: '/sys/kernel/tracing', dir: traceDir },
  { root: '/sys/kernel/debug/tracing', dir: traceDir },
  { root: '/sys/kernel/debug', dir: debugDir },
  { root: '/sys/kernel/slab', dir: slabDir },
  { root: '/sys/block', dir: blockDir },
  { root: '/sys/module', dir: moduleDir },
  { root: '/sys', dir: sysDir },
  { root: '/proc', dir: procDir },
]

function family(path: string): { dir: PseudoDir; rest: string } | undefined {
  for (const { root, dir } of FAMILIES) {
    if (path === root) return { dir, rest: '' }
    if (path.startsWith(`${root}/`)) return { dir, rest: path.slice(root.length + 1) }
  }
  return undefined
}

/** /proc/self belongs to whoever looks. */
const resolveSelf = (path: string, pid: number): string =>
  path === '/proc/self' || path.startsWith('/proc/self/') ? `/proc/${pid}${path.slice(10)}` : path

const EMPTY: readonly string[] = []

export const pseudo = {
  stat(state: KernelState, rawPath: string, pid = 1): FileStat | undefined {
    const path = resolveSelf(rawPath, pid)
    if (path === '/dev/kmsg') return { kind: 'device', sizeBytes: 0, writable: true, executable: false, target: '' }
    const found = family(path)
    if (found === undefined) return undefined
    const target = found.dir.link?.(state, found.rest)
    if (target !== undefined) return { kind: 'symlink', sizeBytes: 0, writable: true, executable: true, target }
    if (found.dir.list(state, found.rest) !== undefined) return DIR_STAT
    const file = found.dir.file(state, found.rest)
    if (file === undefined) return undefined
    return { kind: 'file', sizeBytes: 0, writable: file.write !== undefined, executable: false, target: '' }
  },

  /** Whether a path is a symbolic link to a directory. */
  isLinkToDir(state: KernelState, rawPath: string, pid = 1): boolean {
    const found = family(resolveSelf(rawPath, pid))
    return found?.dir.link?.(state, found.rest) !== undefined && found.dir.list(state, found.rest) !== undefined
  },

  list(state: KernelState, rawPath: string, pid = 1): string[] {
    const found = family(resolveSelf(rawPath, pid))
    const names = found?.dir.list(state, found.rest) ?? EMPTY
    return [...new Set(names)].sort()
  },

  /** @param peek  a look without side effects */
  read(state: KernelState, rawPath: string, pid: number, peek: boolean): string | { readonly errno: Errno } {
    const path = resolveSelf(rawPath, pid)
    if (path === '/dev/kmsg') return kmsgText(state)
    const found = family(path)
    if (found === undefined) return { errno: 'ENOENT' }
    const file = found.dir.file(state, found.rest)
    if (file === undefined) return { errno: found.dir.list(state, found.rest) === undefined ? 'ENOENT' : 'EISDIR' }
    if (file.read === undefined) return { errno: 'EACCES' }
    return file.read(state, pid, peek)
  },

  /** A file that does not exist cannot be created here: EACCES in a cgroup, ENOENT elsewhere, as on Linux. */
  write(state: KernelState, rawPath: string, data: string, pid: number): Errno | undefined {
    const path = resolveSelf(rawPath, pid)
    const found = family(path)
    if (found === undefined) return 'ENOENT'
    const file = found.dir.file(state, found.rest)
    if (file === undefined) {
      if (found.dir.list(state, found.rest) !== undefined) return 'EISDIR'
      const parent = found.rest.slice(0, Math.max(0, found.rest.lastIndexOf('/')))
      if (found.dir.list(state, parent) === undefined) return 'ENOENT'
      return found.dir === procDir ? 'ENOENT' : 'EACCES'
    }
    if (file.write === undefined) return 'EACCES'
    return file.write(state, data, pid)
  },

  mkdir(state: KernelState, path: string): Errno | undefined {
    const found = family(path)
    return found?.dir.mkdir === undefined ? 'EPERM' : found.dir.mkdir(state, found.rest)
  },

  rmdir(state: KernelState, path: string): Errno | undefined {
    const found = family(path)
    return found?.dir.rmdir === undefined ? 'EPERM' : found.dir.rmdir(state, found.rest)
  },
}
