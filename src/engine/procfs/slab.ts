/**
 * /proc/slabinfo and /sys/kernel/slab: the slab caches as files. A cache that others may be merged into has a name made of
 * its flags and size; the names that were merged are links to it.
 * @kernel  mm/slab_common.c slab_show(), mm/slub.c slab_attrs[], create_unique_id()
 * @spec    03 §3.11, 09 §9.7
 */
import { constructorOf, isHwcacheAligned, isTypesafeByRcu, userBytes } from '../mm/slab_cache_flags'
import { slabCounts } from '../mm/slab_stat'
import { findCache, type KmemCache } from '../mm/slab_state'
import type { Errno } from '../../util/errno'
import { flushAll, kmemCacheShrink } from '../mm/slub_shrink'
import type { KernelState } from '../state'
import type { PseudoDir, PseudoFile } from './types'

const HEAD =
  'slabinfo - version: 2.1\n' +
  '# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>' +
  ' : tunables <limit> <batchcount> <sharedfactor>' +
  ' : slabdata <active_slabs> <num_slabs> <sharedavail>\n'

const TUNABLES = ' : tunables    0    0    0'

/** Newest cache first. @kernel mm/slab_common.c cache_show() */
export function slabinfoText(state: KernelState): string {
  const pad = (n: number, width: number): string => String(n).padStart(width)
  const rows = state.slabs.caches.map((cache, i) => {
    const { activeObjects, objects, slabs } = slabCounts(state, i)
    return (
      `${cache.name.padEnd(17)} ${pad(activeObjects, 6)} ${pad(objects, 6)} ${pad(cache.size, 6)} ${pad(cache.objects, 4)}` +
      ` ${pad(1 << cache.order, 4)}${TUNABLES} : slabdata ${pad(slabs, 6)} ${pad(slabs, 6)} ${pad(0, 6)}\n`
    )
  })
  return HEAD + rows.reverse().join('')
}

/** '378 N0=378': the sum, then each node that has some. @kernel mm/slub.c show_slab_objects() */
function perNode(state: KernelState, cache: number, pick: (cell: number, nid: number) => number): string {
  const counts = state.nodes.map(({ nid }) => pick(cache * state.nodes.length + nid, nid))
  const sum = counts.reduce((a, b) => a + b, 0)
  return [sum, ...counts.flatMap((n, nid) => (n > 0 ? [`N${nid}=${n}`] : []))].join(' ')
}

/** Objects on the partial list of one node: all, or those in use. */
function objectsOnPartial(state: KernelState, cell: number, column: 'objects' | 'inuse'): number {
  const s = state.slabs
  let n = 0
  for (let row = s.partial[2 * cell]!; row !== 0; row = s.next[row]!) n += s[column][row]!
  return n
}

/** Slabs of a node that a CPU holds: its active one and those set aside. */
function cpuSlabs(state: KernelState, cache: number, nid: number): number {
  const s = state.slabs
  let n = 0
  for (let cpu = 0; cpu < state.cpuNode.length; cpu++) {
    const cell = cache * state.cpuNode.length + cpu
    const active = s.cpuSlab[cell]!
    if (active !== 0 && s.nid[active] === nid) n++
    for (let row = s.cpuPartial[cell]!; row !== 0; row = s.next[row]!) if (s.nid[row] === nid) n++
  }
  return n
}

/** '42(2) C0=42(2)': objects are estimated as half of what the slabs hold. @kernel mm/slub.c slabs_cpu_partial_show() */
function slabsCpuPartial(state: KernelState, cache: number): string {
  const cpus = state.cpuNode.length
  const slabs = state.cpuNode.map((_, cpu) => state.slabs.cpuPartialSlabs[cache * cpus + cpu]!)
  const text = (n: number): string => `${Math.floor((n * state.slabs.caches[cache]!.objects) / 2)}(${n})`
  const all = slabs.reduce((a, b) => a + b, 0)
  return [text(all), ...slabs.flatMap((n, cpu) => (n > 0 ? [`C${cpu}=${text(n)}`] : []))].join(' ')
}

type Show = (state: KernelState, index: number, cache: KmemCache) => number | string

const ATTRIBUTES: Readonly<Record<string, Show>> = {
  aliases: (_s, _i, c) => Math.max(0, c.aliases.length - 1),
  align: (_s, _i, c) => c.align,
  cache_dma: (_s, _i, c) => Number(c.isDma),
  cpu_partial: (_s, _i, c) => c.cpuPartial,
  cpu_slabs: (s, i) => perNode(s, i, (_cell, nid) => cpuSlabs(s, i, nid)),
  destroy_by_rcu: (s, _i, c) => Number(isTypesafeByRcu(c, s.config.series)),
  hwcache_align: (_s, _i, c) => Number(isHwcacheAligned(c)),
  min_partial: (_s, _i, c) => c.minPartial,
  object_size: (_s, _i, c) => c.objectSize,
  objects: (s, i) =>
    perNode(
      s,
      i,
      (cell) => s.slabs.totalObjects[cell]! - objectsOnPartial(s, cell, 'objects') + objectsOnPartial(s, cell, 'inuse'),
    ),
  objects_partial: (s, i) => perNode(s, i, (cell) => objectsOnPartial(s, cell, 'inuse')),
  objs_per_slab: (_s, _i, c) => c.objects,
  order: (_s, _i, c) => c.order,
  partial: (s, i) => perNode(s, i, (cell) => s.slabs.nrPartial[cell]!),
  poison: () => 0,
  reclaim_account: (_s, _i, c) => Number(c.isReclaimable),
  red_zone: () => 0,
  remote_node_defrag_ratio: (_s, _i, c) => c.remoteNodeDefragRatio,
  sanity_checks: () => 0,
  slab_size: (_s, _i, c) => c.size,
  slabs: (s, i) => perNode(s, i, (cell) => s.slabs.nrSlabs[cell]!),
  slabs_cpu_partial: slabsCpuPartial,
  store_user: () => 0,
  total_objects: (s, i) => perNode(s, i, (cell) => s.slabs.totalObjects[cell]!),
  trace: () => 0,
  usersize: (s, _i, c) => userBytes(c, s.config.series),
}

/** Nothing at all for a cache without one. @kernel mm/slub.c ctor_show() @simplifies the function's size is left out */
const ctorText = (cache: KmemCache): string => (constructorOf(cache) === '' ? '' : `${constructorOf(cache)}+0x0\n`)

/** @kernel mm/slub.c shrink_store() */
const shrinkFile = (index: number): PseudoFile => ({
  read: () => '',
  write: (state, text) => {
    if (!text.startsWith('1')) return 'EINVAL'
    kmemCacheShrink(state, index)
    return undefined
  },
})

/** Only a cache with debugging can be checked, and none has it. @kernel mm/slub.c validate_store() */
const VALIDATE: PseudoFile = { read: () => '', write: () => 'EINVAL' }

const UINT_MAX = 2 ** 32 - 1

/** Attributes that can be written; a number out of range is refused as kstrtouint() does. */
const WRITABLE: Readonly<Record<string, (state: KernelState, index: number, value: number) => Errno | undefined>> = {
  /** @kernel mm/slub.c cpu_partial_store(): what CPUs have set aside goes to the nodes */
  cpu_partial: (state, index, value) => {
    const cache = state.slabs.caches[index]!
    cache.cpuPartial = value
    cache.cpuPartialSlabs = Math.ceil((value * 2) / cache.objects)
    flushAll(state, index)
    return undefined
  },
  /** @kernel mm/slub.c min_partial_store() */
  min_partial: (state, index, value) => {
    state.slabs.caches[index]!.minPartial = value
    return undefined
  },
  /** @kernel mm/slub.c remote_node_defrag_ratio_store(); @simplifies anything but 0 always looks at other nodes */
  remote_node_defrag_ratio: (state, index, value) => {
    if (value > 100) return 'ERANGE'
    state.slabs.caches[index]!.remoteNodeDefragRatio = value
    return undefined
  },
}

function writeAttribute(state: KernelState, index: number, attribute: string, text: string): Errno | undefined {
  const value = /^\+?\d+\n?$/.test(text) ? Number(text) : Number.NaN
  if (Number.isNaN(value)) return 'EINVAL'
  return value > UINT_MAX ? 'ERANGE' : WRITABLE[attribute]!(state, index, value)
}

const directoryOf = (cache: KmemCache): string => (cache.sysfsId === '' ? cache.name : cache.sysfsId)

/** Number of the cache that a directory or a link names; −1 none. */
function cacheOf(state: KernelState, name: string): number {
  const named = findCache(state.slabs, name)
  return named >= 0 ? named : state.slabs.caches.findIndex((cache) => cache.sysfsId !== '' && cache.sysfsId === name)
}

/** /sys/kernel/slab */
export const slabDir: PseudoDir = {
  list: (state, path) => {
    if (path === '') return state.slabs.caches.flatMap((cache) => [directoryOf(cache), ...cache.aliases])
    return path.includes('/') || cacheOf(state, path) < 0
      ? undefined
      : [...Object.keys(ATTRIBUTES), 'ctor', 'shrink', 'validate']
  },
  file: (state, path) => {
    const [name = '', attribute = '', more] = path.split('/')
    const index = cacheOf(state, name)
    if (index < 0 || more !== undefined) return undefined
    if (attribute === 'shrink') return shrinkFile(index)
    if (attribute === 'validate') return VALIDATE
    if (attribute === 'ctor') return { read: (s) => ctorText(s.slabs.caches[index]!) }
    const show = Object.hasOwn(ATTRIBUTES, attribute) ? ATTRIBUTES[attribute] : undefined
    if (show === undefined) return undefined
    const read = (s: KernelState): string => `${show(s, index, s.slabs.caches[index]!)}\n`
    if (!Object.hasOwn(WRITABLE, attribute)) return { read }
    return { read, write: (s, text) => writeAttribute(s, index, attribute, text) }
  },
  link: (state, path) => {
    const index = findCache(state.slabs, path)
    const id = index < 0 ? '' : state.slabs.caches[index]!.sysfsId
    return id === '' ? undefined : id
  },
}
