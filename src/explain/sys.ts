/** Topics of /sys: cgroups, memory management's switches, nodes, slab caches. */
import { CGROUP_FILES, CGROUP_KEYS, MEMORY_EVENTS, SWAP_EVENTS } from './text/cgroup'
import { ZRAM_FILES, ZSWAP_COUNTS, ZSWAP_PARAMS } from './text/compressed'
import { MEMORY_STAT } from './text/memory-stat'
import { MEMORY_TIERS, NODE_FILES, NODE_MEMINFO, NUMASTAT, WEIGHTED_INTERLEAVE } from './text/node'
import { HUGEPAGES, LRU_GEN, SLAB_CACHE, THP } from './text/sysfs'
import { vmstat } from './proc'
import { TRACING } from './text/tracing'
import { FIRST_WORD, VALUE, topic, type Topic } from './topic'

const inCgroup = (end: string): RegExp => new RegExp(`^/sys/fs/cgroup/(?:.*/)?${end}$`)
const NODE = '/sys/devices/system/node'

const cgroupFiles = topic({
  id: '/sys/fs/cgroup',
  path: inCgroup('((?:memory|cgroup|cpuset)\\.[a-z._]+)'),
  about:
    'A directory is a group of processes with limits and counts of its own. Sizes are in bytes, rounded down to pages when written; max means no limit.',
  layout: VALUE,
  text: CGROUP_FILES,
})

export const cgroups: readonly Topic[] = [
  topic({
    id: 'memory.stat',
    path: inCgroup('memory\\.(?:numa_)?stat'),
    about: cgroupFiles.entries.get('memory.stat') ?? '',
    layout: FIRST_WORD,
    text: MEMORY_STAT,
  }),
  topic({
    id: 'memory.events',
    path: inCgroup('memory\\.events(?:\\.local)?'),
    about: cgroupFiles.entries.get('memory.events') ?? '',
    layout: FIRST_WORD,
    text: MEMORY_EVENTS,
  }),
  topic({
    id: 'memory.swap.events',
    path: inCgroup('memory\\.swap\\.events'),
    about: cgroupFiles.entries.get('memory.swap.events') ?? '',
    layout: FIRST_WORD,
    text: SWAP_EVENTS,
  }),
  topic({
    id: 'cgroup.stat',
    path: inCgroup('cgroup\\.(?:stat|events)'),
    about: 'Groups below this one, and whether anything lives in them.',
    layout: FIRST_WORD,
    text: CGROUP_KEYS,
  }),
  cgroupFiles,
]

export const switches: readonly Topic[] = [
  topic({
    id: '/sys/kernel/mm/transparent_hugepage',
    path: /^\/sys\/kernel\/mm\/transparent_hugepage\/((?:khugepaged\/)?[a-z_]+)$/,
    about: 'Settings of transparent huge pages: 2 MB pages that programs get without asking.',
    layout: VALUE,
    text: THP,
  }),
  topic({
    id: '/sys/kernel/mm/hugepages',
    path: /^\/sys\/(?:kernel\/mm|devices\/system\/node\/node\d+)\/hugepages\/hugepages-\d+kB\/([a-z_]+)$/,
    about:
      'The hugetlb pools, one directory for each page size, and again for each node. All numbers are counts of huge pages.',
    layout: VALUE,
    text: HUGEPAGES,
  }),
  topic({
    id: '/sys/kernel/mm/lru_gen',
    path: /^\/sys\/kernel\/mm\/lru_gen\/([a-z_]+)$/,
    about: 'The multi-generational LRU.',
    layout: VALUE,
    text: LRU_GEN,
  }),
  topic({
    id: '/sys/module/zswap/parameters',
    path: /^\/sys\/module\/zswap\/parameters\/([a-z_]+)$/,
    about: 'zswap: a compressed pool in memory in front of the swap devices.',
    layout: VALUE,
    text: ZSWAP_PARAMS,
  }),
  topic({
    id: '/sys/kernel/debug/zswap',
    path: /^\/sys\/kernel\/debug\/zswap\/([a-z_]+)$/,
    about: 'What zswap holds and what it has refused since boot.',
    layout: VALUE,
    text: ZSWAP_COUNTS,
  }),
  topic({
    id: '/sys/kernel/tracing',
    path: /^\/sys\/kernel\/(?:debug\/)?tracing\/([a-z_]+)$/,
    about: 'Tracepoints of the kernel: switched on by writing, recorded in a ring of pages for each CPU.',
    layout: VALUE,
    text: TRACING,
  }),
  topic({
    id: '/sys/kernel/tracing/events',
    path: /^\/sys\/kernel\/(?:debug\/)?tracing\/events\/(?:[a-z_]+\/){0,2}(enable)$/,
    about: '1 switches the tracepoints below this directory on, 0 off; X: some are on.',
    layout: VALUE,
    text: '',
  }),
  topic({
    id: '/sys/kernel/tracing/per_cpu',
    path: /^\/sys\/kernel\/(?:debug\/)?tracing\/per_cpu\/cpu\d+\/(stats|trace)$/,
    about: "One CPU's trace buffer: stats counts what it holds and what was overwritten, trace prints it.",
    layout: VALUE,
    text: '',
  }),
  topic({
    id: '/sys/block/zramN',
    path: /^\/sys\/block\/zram\d+\/([a-z_]+)$/,
    about: 'A block device whose pages lie compressed in memory.',
    layout: VALUE,
    text: ZRAM_FILES,
  }),
  topic({
    id: '/sys/kernel/slab',
    path: /^\/sys\/kernel\/slab\/[^/]+\/([a-z_]+)$/,
    about: 'One directory for each slab cache: sizes, what it holds now, and how it debugs.',
    layout: VALUE,
    text: SLAB_CACHE,
  }),
]

export const nodes: readonly Topic[] = [
  topic({
    id: 'NUMA balancing and memory tiers',
    path: /^\/sys\/(?:kernel\/mm\/numa|kernel\/debug\/sched\/numa_balancing|devices\/virtual\/memory_tiering\/memory_tier\d+)\/([a-z_]+)$/,
    about: 'How NUMA balancing scans, and where memory goes that a fast node has no room for.',
    layout: VALUE,
    text: MEMORY_TIERS,
  }),
  topic({
    id: '/sys/kernel/mm/mempolicy/weighted_interleave',
    path: /^\/sys\/kernel\/mm\/mempolicy\/weighted_interleave\/(node)\d+$/,
    about: 'How many pages in a row each node gets under weighted interleaving.',
    layout: VALUE,
    text: WEIGHTED_INTERLEAVE,
  }),
  topic({
    id: `${NODE}/nodeN/meminfo`,
    path: new RegExp(`^${NODE}/node\\d+/meminfo$`),
    about: "One node's share of /proc/meminfo, in kB.",
    layout: { kind: 'lines', name: /^Node \d+ ([\w()]+):/g },
    text: NODE_MEMINFO,
  }),
  topic({
    id: `${NODE}/nodeN/numastat`,
    path: new RegExp(`^${NODE}/node\\d+/numastat$`),
    about: 'Allocations since boot by where they were wanted and where they landed.',
    layout: FIRST_WORD,
    text: NUMASTAT,
  }),
  topic({
    id: `${NODE}/nodeN/vmstat`,
    path: new RegExp(`^${NODE}/node\\d+/vmstat$`),
    about: "One node's share of /proc/vmstat: amounts only, no events.",
    layout: FIRST_WORD,
    text: '',
    also: vmstat,
  }),
  topic({
    id: NODE,
    path: new RegExp(`^${NODE}/(?:node\\d+/)?([a-z_]+)$`),
    about: 'The NUMA nodes: which there are, how far apart they lie, and what each holds.',
    layout: VALUE,
    text: NODE_FILES,
  }),
]
