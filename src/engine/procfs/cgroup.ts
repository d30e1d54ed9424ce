/**
 * /sys/fs/cgroup: the files of every group, read and written as Linux does. A file exists in a group when its
 * controller is handed down by the parent; what is not modelled has no file.
 * @kernel  kernel/cgroup/cgroup.c cgroup_base_files[], mm/memcontrol.c memory_files[], swap_files[]
 * @spec    07 §7.1, §7.2; 09 §9.12
 */
import type { Errno } from '../../util/errno'
import type { Result } from '../../util/result'
import {
  cgroupAt,
  cgroupByPath,
  cgroupControllers,
  cgroupSubtree,
  createCgroup,
  isPopulated,
  migrateProcess,
  removeCgroup,
  writeSubtreeControl,
  type Cgroup,
} from '../cgroup'
import { hooks } from '../hooks'
import { setMemoryHigh, setMemoryMax, proactiveReclaim } from '../mm/memcg_limit'
import { flushMemcgStats } from '../mm/memcg_flush'
import { hasZswap } from '../mm/kernel_options'
import { MEMCG_STAT_ZSWAP, memcgNumaStatText, memcgState, memcgStatText } from '../mm/memcg_stat'
import { isMemcgDescendant, memcgAt } from '../mm/memcg_tree'
import { MEMCG_EVENT_NAMES, MEMCG_SWAP_EVENT_NAMES, MEMCG_SWAP_HIGH } from '../mm/memcg_events'
import type { Memcg } from '../mm/memcontrol'
import { pageCounterSetLow, pageCounterSetMin } from '../mm/page_counter'
import { formatPressure, type PsiGroup } from '../mm/psi'
import type { KernelState } from '../state'
import { CPUSET_FILES } from './cgroup_cpuset'
import {
  formatBytes,
  formatCount,
  formatCounter,
  parseCount,
  parseCounter,
  parseInt32,
  parseMem,
} from './cgroup_values'
import type { PseudoDir, PseudoFile } from './types'
import { PAGE_SIZE, type Pages } from '../../util/units'

type Read = (state: KernelState, cgroup: Cgroup, peek: boolean) => string
type Write = (state: KernelState, cgroup: Cgroup, text: string, pid: number) => Errno | undefined

interface CgroupFile {
  readonly controller: 'core' | 'cpuset' | 'memory'
  readonly onRoot: boolean
  /** Absent in Debian 6.1. */
  readonly since62?: boolean
  /** Absent where the kernel has no zswap. */
  readonly ofZswap?: boolean
  readonly read?: Read
  readonly write?: Write
}

const memcgOf = (state: KernelState, cgroup: Cgroup): Memcg => memcgAt(state, cgroup.memcg)

/** Parses, then sets; the parser's error is the write's. */
const setting =
  <T>(
    parse: (text: string) => Result<T, Errno>,
    set: (state: KernelState, cgroup: Cgroup, value: T) => Errno | undefined | void,
  ): Write =>
  (state, cgroup, text) => {
    const value = parse(text)
    return value.ok ? (set(state, cgroup, value.value) ?? undefined) : value.error
  }

const pids = (list: readonly number[]): string => list.map((pid) => `${pid}\n`).join('')

/** @kernel cgroup_procs_write_start() */
const writeProcs: Write = (state, cgroup, text, pid) => {
  const target = parseInt32(text)
  if (!target.ok || target.value < 0) return 'EINVAL'
  return migrateProcess(state, target.value === 0 ? pid : target.value, cgroup.id)
}

/** Threads cannot leave their process without threaded groups. @kernel cgroup_threads_write() */
const writeThreads: Write = (state, cgroup, text, pid) => {
  const target = parseInt32(text)
  if (!target.ok || target.value < 0) return 'EINVAL'
  const task = state.tasks[target.value === 0 ? pid : target.value]
  if (task === undefined) return 'ESRCH'
  return task.cgroup === cgroup.id ? undefined : 'EOPNOTSUPP'
}

/** @kernel cgroup_kill_write(), __cgroup_kill() */
const writeKill: Write = (state, cgroup, text) => {
  const value = parseInt32(text)
  if (!value.ok) return value.error
  if (value.value !== 1) return 'ERANGE'
  for (const below of cgroupSubtree(state, cgroup.id)) for (const pid of [...below.tasks]) hooks.sendKill(state, pid)
  return undefined
}

/** Groups that are removed and still hold charges, below this one. @kernel cgroup_stat_show() */
function nrDying(state: KernelState, cgroup: Cgroup): number {
  let count = 0
  for (const memcg of state.memcgs) {
    if (memcg === undefined || memcg.online || (memcg.memory.usage === 0 && memcg.swap.usage === 0)) continue
    if (isMemcgDescendant(state, memcg.id, cgroup.memcg)) count++
  }
  return count
}

const threadsOf = (state: KernelState, cgroup: Cgroup): number[] =>
  state.taskList.filter((pid) => cgroup.tasks.includes(state.tasks[pid]!.tgid) && state.tasks[pid]!.state !== 'Z')

const CORE: Readonly<Record<string, CgroupFile>> = {
  'cgroup.controllers': {
    controller: 'core',
    onRoot: true,
    read: (state, cgroup) => `${cgroupControllers(state, cgroup).join(' ')}\n`,
  },
  'cgroup.events': {
    controller: 'core',
    onRoot: false,
    read: (state, cgroup) => `populated ${isPopulated(state, cgroup.id) ? 1 : 0}\nfrozen 0\n`,
  },
  'cgroup.kill': { controller: 'core', onRoot: false, write: writeKill },
  'cgroup.max.depth': {
    controller: 'core',
    onRoot: true,
    read: (_state, cgroup) => formatCount(cgroup.maxDepth),
    write: setting(parseCount, (_state, cgroup, value) => void (cgroup.maxDepth = value)),
  },
  'cgroup.max.descendants': {
    controller: 'core',
    onRoot: true,
    read: (_state, cgroup) => formatCount(cgroup.maxDescendants),
    write: setting(parseCount, (_state, cgroup, value) => void (cgroup.maxDescendants = value)),
  },
  'cgroup.procs': { controller: 'core', onRoot: true, read: (_state, cgroup) => pids(cgroup.tasks), write: writeProcs },
  'cgroup.stat': {
    controller: 'core',
    onRoot: true,
    read: (state, cgroup) =>
      `nr_descendants ${cgroupSubtree(state, cgroup.id).length - 1}\nnr_dying_descendants ${nrDying(state, cgroup)}\n`,
  },
  'cgroup.subtree_control': {
    controller: 'core',
    onRoot: true,
    read: (_state, cgroup) => `${cgroup.subtreeControl.join(' ')}\n`,
    write: (state, cgroup, text) => writeSubtreeControl(state, cgroup.id, text),
  },
  'cgroup.threads': {
    controller: 'core',
    onRoot: true,
    read: (state, cgroup) => pids(threadsOf(state, cgroup)),
    write: writeThreads,
  },
  // @simplifies threaded groups do not exist
  'cgroup.type': {
    controller: 'core',
    onRoot: false,
    read: () => 'domain\n',
    write: (_state, _cgroup, text) => (text.trim() === 'threaded' ? 'EOPNOTSUPP' : 'EINVAL'),
  },
}

const eventsText = (names: readonly string[], first: number, counts: Float64Array): string =>
  names.map((name, i) => `${name} ${counts[first + i]!}\n`).join('')

const zeroOrOne = (text: string): Result<number, Errno> => {
  const value = parseInt32(text)
  return value.ok && value.value !== 0 && value.value !== 1 ? { ok: false, error: 'EINVAL' } : value
}

/** 'SIZE [swappiness=N]'; 6.1 knows no arguments. @kernel memory_reclaim(), user_proactive_reclaim() */
const writeReclaim: Write = (state, cgroup, text) => {
  const [size = '', ...options] = text.trim().split(/ +/)
  let swappiness: number | undefined
  if (state.config.series === '6.1' && options.length > 0) return 'EINVAL'
  for (const option of options) {
    const match = /^swappiness=(\d+)$/.exec(option)
    if (match === null || Number(match[1]) > 200) return 'EINVAL'
    swappiness = Number(match[1])
  }
  const bytes = parseMem(size)
  if (!bytes.ok) return bytes.error
  return proactiveReclaim(state, cgroup.memcg, Number(bytes.value / BigInt(PAGE_SIZE)), swappiness)
}

type CounterField = 'min' | 'low' | 'high' | 'max'

const limit = (field: CounterField, set: (state: KernelState, memcg: Memcg, pages: Pages) => void): CgroupFile => ({
  controller: 'memory',
  onRoot: false,
  read: (state, cgroup) => formatCounter(memcgOf(state, cgroup).memory[field]),
  write: setting(parseCounter, (state, cgroup, pages) => set(state, memcgOf(state, cgroup), pages)),
})

const swapLimit = (field: 'high' | 'max'): CgroupFile => ({
  controller: 'memory',
  onRoot: false,
  read: (state, cgroup) => formatCounter(memcgOf(state, cgroup).swap[field]),
  write: setting(parseCounter, (state, cgroup, pages) => void (memcgOf(state, cgroup).swap[field] = pages)),
})

/** Counts that are summed up for the reader; a look from outside leaves the kernel's sums as they are. */
const counted = (read: (state: KernelState, id: number) => string): CgroupFile => ({
  controller: 'memory',
  onRoot: true,
  read: (state, cgroup, peek) => {
    if (!peek) flushMemcgStats(state, cgroup.memcg)
    return read(state, cgroup.memcg)
  },
})

const shown = (read: (state: KernelState, memcg: Memcg) => string, onRoot = false): CgroupFile => ({
  controller: 'memory',
  onRoot,
  read: (state, cgroup) => read(state, memcgOf(state, cgroup)),
})

/** Reading brings averages up to date; a look from outside does that to a copy. */
const copyPsiGroup = (group: PsiGroup): PsiGroup => ({
  ...group,
  avg: group.avg.slice(),
  cpus: group.cpus.map((cpu) => ({ ...cpu })),
})

/** 6.12: a write starts a new peak for the writer's own descriptor, which closes with it. */
const peakWrite: Write = (state) => (state.config.series === '6.1' ? 'EINVAL' : undefined)

const MEMORY: Readonly<Record<string, CgroupFile>> = {
  'memory.current': shown((_state, memcg) => formatBytes(memcg.memory.usage)),
  'memory.events': shown((_state, memcg) => eventsText(MEMCG_EVENT_NAMES, 0, memcg.events)),
  'memory.events.local': shown((_state, memcg) => eventsText(MEMCG_EVENT_NAMES, 0, memcg.eventsLocal)),
  'memory.high': limit('high', (state, memcg, pages) => setMemoryHigh(state, memcg.id, pages)),
  'memory.low': limit('low', (state, memcg, pages) => pageCounterSetLow(state.memcgs, memcg.id, pages)),
  'memory.max': limit('max', (state, memcg, pages) => setMemoryMax(state, memcg.id, pages)),
  'memory.min': limit('min', (state, memcg, pages) => pageCounterSetMin(state.memcgs, memcg.id, pages)),
  'memory.numa_stat': counted(memcgNumaStatText),
  'memory.oom.group': {
    controller: 'memory',
    onRoot: false,
    read: (state, cgroup) => `${memcgOf(state, cgroup).oomGroup ? 1 : 0}\n`,
    write: setting(zeroOrOne, (state, cgroup, value) => void (memcgOf(state, cgroup).oomGroup = value === 1)),
  },
  'memory.peak': { ...shown((_state, memcg) => formatBytes(memcg.memory.watermark)), write: peakWrite },
  'memory.pressure': {
    controller: 'memory',
    onRoot: true,
    read: (state, cgroup, peek) => {
      const group = cgroup.parent === 0 ? state.psi : memcgOf(state, cgroup).psi
      return formatPressure(state, peek ? copyPsiGroup(group) : group)
    },
  },
  'memory.reclaim': { controller: 'memory', onRoot: true, write: writeReclaim },
  'memory.stat': counted(memcgStatText),
  'memory.swap.current': shown((_state, memcg) => formatBytes(memcg.swap.usage)),
  'memory.swap.events': shown((_state, memcg) => eventsText(MEMCG_SWAP_EVENT_NAMES, MEMCG_SWAP_HIGH, memcg.events)),
  'memory.swap.high': swapLimit('high'),
  'memory.swap.max': swapLimit('max'),
  'memory.swap.peak': {
    ...shown((_state, memcg) => formatBytes(memcg.swap.watermark)),
    since62: true,
    write: peakWrite,
  },
}

/** @kernel mm/memcontrol.c zswap_files[] */
const ZSWAP: Readonly<Record<string, CgroupFile>> = {
  'memory.zswap.current': {
    ...shown((state, memcg) => `${memcgState(state, memcg.id, MEMCG_STAT_ZSWAP)}\n`),
    ofZswap: true,
  },
  'memory.zswap.max': {
    controller: 'memory',
    onRoot: false,
    ofZswap: true,
    read: (state, cgroup) => formatCounter(memcgOf(state, cgroup).zswapMax),
    write: setting(parseCounter, (state, cgroup, pages) => void (memcgOf(state, cgroup).zswapMax = pages)),
  },
  'memory.zswap.writeback': {
    controller: 'memory',
    onRoot: false,
    since62: true,
    ofZswap: true,
    read: (state, cgroup) => `${memcgOf(state, cgroup).zswapWriteback ? 1 : 0}\n`,
    write: setting(zeroOrOne, (state, cgroup, value) => void (memcgOf(state, cgroup).zswapWriteback = value === 1)),
  },
}

const FILES: Readonly<Record<string, CgroupFile>> = { ...CORE, ...CPUSET_FILES, ...MEMORY, ...ZSWAP }

function exists(state: KernelState, cgroup: Cgroup, file: CgroupFile): boolean {
  if (cgroup.parent === 0) return file.onRoot
  if (file.ofZswap === true && !hasZswap(state)) return false
  if (file.since62 === true && state.config.series === '6.1') return false
  if (file.controller === 'cpuset') return cgroupControllers(state, cgroup).includes('cpuset')
  return file.controller === 'core' || cgroup.hasOwnMemcg
}

const isRoot = (state: KernelState, pid: number): boolean => (state.tasks[pid]?.uid ?? 0) === 0

/** Files may be opened both ways by root; what a file cannot do is EINVAL. @kernel cgroup_file_write(), cgroup_seqfile_show() */
function bind(cgroupId: number, file: CgroupFile): PseudoFile {
  return {
    read: (state, _pid, peek) =>
      file.read === undefined ? { errno: 'EINVAL' } : file.read(state, cgroupAt(state, cgroupId), peek),
    write: (state, text, pid) => {
      if (!isRoot(state, pid)) return 'EACCES'
      return file.write === undefined ? 'EINVAL' : file.write(state, cgroupAt(state, cgroupId), text, pid)
    },
  }
}

/** 'a/b/memory.max' → group path 'a/b', name 'memory.max'. */
function split(path: string): { readonly dir: string; readonly name: string } {
  const slash = path.lastIndexOf('/')
  return { dir: path.slice(0, Math.max(0, slash)), name: path.slice(slash + 1) }
}

export const cgroupFs: PseudoDir = {
  list(state, path) {
    const cgroup = cgroupByPath(state, path)
    if (cgroup === undefined) return undefined
    const files = Object.keys(FILES).filter((name) => exists(state, cgroup, FILES[name]!))
    return [...files, ...cgroup.children.map((id) => cgroupAt(state, id).name)]
  },
  file(state, path) {
    const { dir, name } = split(path)
    const cgroup = cgroupByPath(state, dir)
    const file = Object.hasOwn(FILES, name) ? FILES[name] : undefined
    if (cgroup === undefined || file === undefined || !exists(state, cgroup, file)) return undefined
    return bind(cgroup.id, file)
  },
  mkdir(state, path) {
    const { dir, name } = split(path)
    const parent = cgroupByPath(state, dir)
    if (parent === undefined) return 'ENOENT'
    if (cgroupFs.file(state, path) !== undefined) return 'EEXIST'
    const made = createCgroup(state, parent.id, name)
    return made.ok ? undefined : made.error
  },
  rmdir(state, path) {
    const cgroup = cgroupByPath(state, path)
    if (cgroup !== undefined) return removeCgroup(state, cgroup.id)
    return cgroupFs.file(state, path) === undefined ? 'ENOENT' : 'ENOTDIR'
  },
}
