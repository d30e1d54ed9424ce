/**
 * /sys: nodes, the memory knobs under /sys/kernel/mm, block queues.
 * @kernel  drivers/base/node.c, mm/huge_memory.c, mm/vmscan.c
 * @spec    09 §9.9
 */
import type { Errno } from '../../util/errno'
import { NS_PER_JIFFY, NS_PER_MS } from '../../util/units'
import { compactNodes } from '../mm/compaction_manual'
import { setMglruEnabled } from '../mm/reclaim'
import type { KernelState } from '../state'
import { cpuList } from './cpu_list'
import { nodeMeminfoText, nodeNumastatText, nodeVmstatText } from './sysfs_node'
import { mmNumaDir, virtualDir } from './memory_tiers'
import { mempolicyDir } from './mempolicy'
import { HUGEPAGES_DIRS, nodePoolFiles, poolFiles } from './hugepages'
import { THP_FILES } from './transparent_hugepage'
import type { PseudoDir, PseudoFile } from './types'

function writeLruGen(state: KernelState, text: string): Errno | undefined {
  const word = text.trim()
  const value = /^[yY]/.test(word)
    ? 7
    : /^[nN]/.test(word)
      ? 0
      : /^(0x[0-9a-f]+|\d+)$/i.test(word)
        ? Number(word)
        : Number.NaN
  if (!Number.isInteger(value) || value < 0) return 'EINVAL'
  setMglruEnabled(state, value & 7)
  return undefined
}

/** Kept in ticks: 1 ms becomes 4. @kernel min_ttl_ms_store(), msecs_to_jiffies() */
function writeMinTtl(state: KernelState, text: string): Errno | undefined {
  const word = text.trim()
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(word) || Number(word) > 0xffffffff) return 'EINVAL'
  state.reclaim.lruGenMinTtlNs = Math.ceil((Number(word) * NS_PER_MS) / NS_PER_JIFFY) * NS_PER_JIFFY
  return undefined
}

const nodeFiles: Readonly<Record<string, (state: KernelState, nid: number) => string>> = {
  cpulist: (state, nid) => `${cpuList(state.nodes[nid]!.cpus)}\n`,
  distance: (state, nid) => `${state.config.distances[nid]!.join(' ')}\n`,
  meminfo: nodeMeminfoText,
  numastat: nodeNumastatText,
  vmstat: nodeVmstatText,
}

const nids = (state: KernelState, keep: (nid: number) => boolean): string =>
  `${cpuList(state.nodes.map((n) => n.nid).filter(keep))}\n`

const nodeLists: Readonly<Record<string, (state: KernelState) => string>> = {
  has_cpu: (s) => nids(s, (nid) => s.nodes[nid]!.cpus.length > 0),
  has_memory: (s) => nids(s, (nid) => s.nodes[nid]!.hasMemory),
  has_normal_memory: (s) => nids(s, (nid) => s.nodes[nid]!.hasMemory),
  online: (s) => nids(s, () => true),
  possible: (s) => nids(s, () => true),
}

const MM_FILES: Readonly<Record<string, PseudoFile>> = {
  ...Object.fromEntries(
    HUGEPAGES_DIRS.flatMap((dir, pool) =>
      Object.entries(poolFiles(pool)).map(([name, file]) => [`kernel/mm/hugepages/${dir}/${name}`, file]),
    ),
  ),
  'kernel/mm/lru_gen/enabled': {
    read: (state) => `0x${state.mglruEnabled.toString(16).padStart(4, '0')}\n`,
    write: writeLruGen,
  },
  'kernel/mm/lru_gen/min_ttl_ms': {
    read: (state) => `${state.reclaim.lruGenMinTtlNs / NS_PER_MS}\n`,
    write: writeMinTtl,
  },
  ...Object.fromEntries(
    Object.entries(THP_FILES).map(([name, file]) => [`kernel/mm/transparent_hugepage/${name}`, file]),
  ),
}

const NODE_ROOT = 'devices/system/node'
const STATIC_DIRS: Readonly<Record<string, readonly string[]>> = {
  '': ['block', 'devices', 'fs', 'kernel', 'module'],
  devices: ['system'],
  'devices/system': ['node'],
  fs: ['cgroup'],
  kernel: ['debug', 'mm', 'slab', 'tracing'],
  'kernel/mm': ['hugepages', 'lru_gen', 'transparent_hugepage'],
  'kernel/mm/hugepages': HUGEPAGES_DIRS,
  ...Object.fromEntries(
    HUGEPAGES_DIRS.map((dir, pool) => [`kernel/mm/hugepages/${dir}`, Object.keys(poolFiles(pool))]),
  ),
  'kernel/mm/lru_gen': ['enabled', 'min_ttl_ms'],
  'kernel/mm/transparent_hugepage': Object.keys(THP_FILES).sort(),
}

/** Directories that files of their own answer for. */
const FAMILIES: Readonly<Record<string, PseudoDir>> = {
  'devices/virtual': virtualDir,
  'kernel/mm/mempolicy': mempolicyDir,
  'kernel/mm/numa': mmNumaDir,
}

function familyOf(path: string): { readonly dir: PseudoDir; readonly rest: string } | undefined {
  const root = Object.keys(FAMILIES).find((name) => path === name || path.startsWith(`${name}/`))
  return root === undefined ? undefined : { dir: FAMILIES[root]!, rest: path.slice(root.length + 1) }
}

/** Names of those directories in a directory, as far as this kernel has them. */
const familiesIn = (state: KernelState, parent: string): string[] =>
  Object.keys(FAMILIES)
    .filter((root) => root.slice(0, root.lastIndexOf('/')) === parent)
    .filter((root) => FAMILIES[root]!.list(state, '') !== undefined)
    .map((root) => root.slice(parent.length + 1))

/** 'node3' → 3 when the machine has it. */
function nodeNumber(state: KernelState, name: string): number | undefined {
  const match = /^node(\d+)$/.exec(name)
  const nid = match === null ? -1 : Number(match[1])
  return state.nodes[nid] === undefined ? undefined : nid
}

/** Names below one node's directory. */
function listNode(path: string): string[] | undefined {
  if (path === '') return ['compact', 'hugepages', ...Object.keys(nodeFiles)]
  if (path === 'hugepages') return [...HUGEPAGES_DIRS]
  return HUGEPAGES_DIRS.some((dir) => path === `hugepages/${dir}`) ? Object.keys(nodePoolFiles(0, 0)) : undefined
}

/** Files of a node that can be written, or that lie in a directory of their own. */
function nodeFile(nid: number, path: string): PseudoFile | undefined {
  if (path === 'compact') return { write: (state) => compactNodes(state, [nid]) }
  const [top, dir = '', name = ''] = path.split('/')
  const pool = HUGEPAGES_DIRS.findIndex((d) => d === dir)
  if (top !== 'hugepages' || pool < 0) return undefined
  const files = nodePoolFiles(pool, nid)
  return Object.hasOwn(files, name) ? files[name] : undefined
}

export const sysDir: PseudoDir = {
  list: (state, path) => {
    const family = familyOf(path)
    if (family !== undefined) return family.dir.list(state, family.rest)
    if (path === 'kernel/mm' || path === 'devices') return [...STATIC_DIRS[path]!, ...familiesIn(state, path)].sort()
    if (Object.hasOwn(STATIC_DIRS, path)) return [...STATIC_DIRS[path]!]
    if (path === NODE_ROOT) return [...state.nodes.map((n) => `node${n.nid}`), ...Object.keys(nodeLists)]
    if (!path.startsWith(`${NODE_ROOT}/`)) return undefined
    const [first = '', ...rest] = path.slice(NODE_ROOT.length + 1).split('/')
    return nodeNumber(state, first) === undefined ? undefined : listNode(rest.join('/'))
  },
  file: (state, path) => {
    if (Object.hasOwn(MM_FILES, path)) return MM_FILES[path]
    const family = familyOf(path)
    if (family !== undefined) return family.dir.file(state, family.rest)
    if (!path.startsWith(`${NODE_ROOT}/`)) return undefined
    const [first = '', name = '', more] = path.slice(NODE_ROOT.length + 1).split('/')
    if (name === '') {
      const list = Object.hasOwn(nodeLists, first) ? nodeLists[first] : undefined
      return list === undefined ? undefined : { read: (s) => list(s) }
    }
    const nid = nodeNumber(state, first)
    const special = nid === undefined ? undefined : nodeFile(nid, path.slice(NODE_ROOT.length + first.length + 2))
    if (special !== undefined) return special
    if (nid === undefined || more !== undefined || !Object.hasOwn(nodeFiles, name)) return undefined
    return { read: (s) => nodeFiles[name]!(s, nid) }
  },
}
