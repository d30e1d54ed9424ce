/** Topics of /proc: the machine's files, a process's files, the sysctls. */
import { PRESSURE, SLABINFO, SWAPS, SYSTEM, VMALLOCINFO } from './text/kernel-memory'
import { MAPS, NUMA_MAPS, SMAPS } from './text/mappings'
import { MEMINFO } from './text/meminfo'
import { LIMITS, PID_FILES, STATM, STATUS } from './text/process'
import { STAT } from './text/process-stat'
import { SYSCTL_OTHER, SYSCTL_VM } from './text/sysctl'
import { VMSTAT_EVENTS } from './text/vmstat-events'
import { VMSTAT_STATE } from './text/vmstat-state'
import { BUDDYINFO, PAGETYPEINFO, ZONEINFO } from './text/zones'
import { BEFORE_COLON, COLUMNS, FIRST_WORD, VALUE, topic, type Topic } from './topic'

const PID = '^/proc/(?:\\d+|self|thread-self)'
const ofProcess = (end: string): RegExp => new RegExp(`${PID}/${end}$`)

export const vmstat = topic({
  id: '/proc/vmstat',
  path: /^\/proc\/vmstat$/,
  about:
    'Every counter of memory management: first amounts that go up and down, then events since boot, of which only the difference between two looks tells anything. Pages of 4 KiB unless said otherwise.',
  layout: FIRST_WORD,
  text: VMSTAT_STATE + VMSTAT_EVENTS,
})

export const machineFiles: readonly Topic[] = [
  topic({
    id: '/proc/meminfo',
    path: /^\/proc\/meminfo$/,
    about: 'Where all memory of the machine is, now. kB means 1024 bytes; the lines overlap, so they do not add up.',
    layout: BEFORE_COLON,
    text: MEMINFO,
  }),
  vmstat,
  topic({
    id: '/proc/zoneinfo',
    path: /^\/proc\/zoneinfo$/,
    about: 'Each zone of each node: free pages, watermarks, counters, and the lists that each CPU keeps. In pages.',
    layout: {
      kind: 'lines',
      name: /^\s+(?:pages )?(vm stats threshold|per-node stats|[a-z_]+)/g,
      shape: /^ +(?:per-node stats|pagesets|(?:pages |vm stats )?[a-z_]+:? +\(?\d.*)$/,
    },
    text: ZONEINFO,
    also: vmstat,
  }),
  topic({
    id: '/proc/buddyinfo',
    path: /^\/proc\/buddyinfo$/,
    about: 'Free blocks of each size in each zone: whether large allocations can succeed at once.',
    layout: COLUMNS,
    text: BUDDYINFO,
  }),
  topic({
    id: '/proc/pagetypeinfo',
    path: /^\/proc\/pagetypeinfo$/,
    about: 'Free blocks split by migrate type, and how many pageblocks each type owns. Only root may read it.',
    layout: {
      kind: 'lines',
      name: /^(Page block order|Pages per block|Free pages count per migrate type at order|Number of blocks type)|type\s+(\w+)/g,
    },
    text: PAGETYPEINFO,
  }),
  topic({
    id: '/proc/slabinfo',
    path: /^\/proc\/slabinfo$/,
    about: 'Each slab cache with its objects and slabs, the newest cache first. Only root may read it.',
    layout: COLUMNS,
    text: SLABINFO,
  }),
  topic({
    id: '/proc/swaps',
    path: /^\/proc\/swaps$/,
    about: 'The swap areas in use.',
    layout: COLUMNS,
    text: SWAPS,
  }),
  topic({
    id: '/proc/vmallocinfo',
    path: /^\/proc\/vmallocinfo$/,
    about: "Every area in the kernel's vmalloc range, by address. Only root may read it.",
    layout: COLUMNS,
    text: VMALLOCINFO,
  }),
  topic({
    id: '/proc/pressure/memory',
    path: /^(?:\/proc\/pressure\/memory|\/sys\/fs\/cgroup\/(?:.*\/)?memory\.pressure)$/,
    about: 'Pressure stall information: how much time was lost because memory was short.',
    layout: { kind: 'lines', name: /\b(some|full|avg\d+|total)\b/g, shape: /^(?:some|full) avg10=/ },
    text: PRESSURE,
  }),
  topic({
    id: '/proc',
    path: /^\/proc\/([a-z]+)$/,
    about: 'Processes by number, and files about the machine as a whole.',
    layout: VALUE,
    text: SYSTEM,
  }),
]

export const processFiles: readonly Topic[] = [
  topic({
    id: '/proc/PID/status',
    path: ofProcess('status'),
    about: 'A process for human readers.',
    layout: BEFORE_COLON,
    text: STATUS,
  }),
  topic({
    id: '/proc/PID/stat',
    path: ofProcess('stat'),
    about: 'A process in one line of 52 fields, for programs.',
    layout: { kind: 'fields' },
    text: STAT,
  }),
  topic({
    id: '/proc/PID/statm',
    path: ofProcess('statm'),
    about: 'The sizes of a process in pages of 4 KiB.',
    layout: { kind: 'fields' },
    text: STATM,
  }),
  topic({
    id: '/proc/PID/smaps',
    path: ofProcess('smaps(?:_rollup)?'),
    about: 'Each mapping of a process with what of it is in memory. Reading it walks the page tables.',
    layout: { kind: 'lines', name: /^([A-Z]\w*):|(\[rollup\])/g },
    text: SMAPS,
  }),
  topic({
    id: '/proc/PID/maps',
    path: ofProcess('maps'),
    about: 'The mappings of a process, by address.',
    layout: COLUMNS,
    text: MAPS,
  }),
  topic({
    id: '/proc/PID/numa_maps',
    path: ofProcess('numa_maps'),
    about: 'The mappings of a process with their memory policy and the nodes that their pages are on.',
    layout: COLUMNS,
    text: NUMA_MAPS,
  }),
  topic({
    id: '/proc/PID/limits',
    path: ofProcess('limits'),
    about: 'Resource limits: the soft one holds, and the process may raise it up to the hard one.',
    layout: { kind: 'lines', name: /^(Max [a-z ]*?[a-z])\s{2}/g },
    text: LIMITS,
  }),
  topic({
    id: '/proc/PID',
    path: ofProcess('([a-z_]+)'),
    about: 'A process: its memory, its files, its state.',
    layout: VALUE,
    text: PID_FILES,
  }),
]

export const sysctls: readonly Topic[] = [
  topic({
    id: '/proc/sys/vm',
    path: /^\/proc\/sys\/vm\/([\w-]+)$/,
    about: 'Settings of memory management. `sysctl vm.NAME=VALUE` is the same as writing the file.',
    layout: VALUE,
    text: SYSCTL_VM,
  }),
  topic({
    id: '/proc/sys',
    path: /^\/proc\/sys\/(?:kernel|fs)\/([\w-]+)$/,
    about: 'Settings and figures of the rest of the kernel.',
    layout: VALUE,
    text: SYSCTL_OTHER,
  }),
]
