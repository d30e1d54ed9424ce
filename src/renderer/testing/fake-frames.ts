/** What the made-up machine looks like at a moment: zones, tasks, groups, reports, labs. */
import type {
  CgroupFrame,
  Frame,
  LabProgress,
  LabSummary,
  MachinePreview,
  MachineSummary,
  OomReport,
  TaskFrame,
  ZoneFrame,
} from '../../protocol/messages'
import { fakeFree, fakePsi } from './fake-series'

const MIB = 1024 * 1024

export function fakeZones(ns: number): ZoneFrame[] {
  const free = fakeFree(ns)
  const used = 114845 - free
  const blank = { boost: 0, nid: 0, pcp: 60 }
  return [
    {
      ...blank,
      name: 'DMA',
      startPfn: 1,
      free: 3584,
      min: 22,
      low: 27,
      high: 32,
      spanned: 4095,
      present: 3998,
      managed: 3840,
      pcp: 0,
      anon: 0,
      file: 0,
      pagetables: 0,
      kernel: 256,
      protection: [0, 448, 448, 448],
    },
    {
      ...blank,
      name: 'DMA32',
      startPfn: 4096,
      free,
      min: 659,
      low: 823,
      high: 987,
      spanned: 126942,
      present: 126942,
      managed: 114845,
      anon: Math.round(used * 0.55),
      file: Math.round(used * 0.3),
      pagetables: Math.round(used * 0.01),
      kernel: Math.round(used * 0.14),
      protection: [0, 0, 0, 0],
    },
  ]
}

const task = (pid: number, comm: string, rss: number, extra: Partial<TaskFrame> = {}): TaskFrame => ({
  pid,
  ppid: 1,
  comm,
  state: 'S',
  waitChannel: 'do_wait',
  cpu: pid % 2,
  cpuPercent: 0,
  rssAnonKib: rss,
  rssFileKib: Math.round(rss * 0.03),
  rssShmemKib: 688,
  swapKib: 0,
  pgtablesKib: Math.round(rss / 512) + 8,
  vmSizeKib: rss + 9000,
  minflt: rss >> 2,
  majflt: 3,
  oomScore: 666 + Math.round(rss / 900),
  oomScoreAdj: 0,
  cgroup: '/',
  stallNs: 0,
  isKthread: false,
  isOomVictim: false,
  ...extra,
})

export function fakeTasks(ns: number): TaskFrame[] {
  const isBurst = ns > 40.5e9 && ns < 43.6e9
  return [
    task(1, 'init', 1012),
    task(42, 'kswapd0', 0, {
      ppid: 2,
      isKthread: true,
      rssShmemKib: 0,
      vmSizeKib: 0,
      cpuPercent: isBurst ? 71 : 9,
      state: isBurst ? 'R' : 'S',
      waitChannel: 'kswapd',
    }),
    task(163, 'web', 62000, { cpuPercent: 14, stallNs: 135e6 }),
    task(164, 'db', 122880, { cpuPercent: 20, stallNs: 156e6, oomScoreAdj: -100 }),
    task(165, 'cache', 81920, {
      cgroup: '/lab',
      stallNs: 1089e6,
      waitChannel: 'mem_cgroup_handle_over_high',
      state: 'D',
      swapKib: 12000,
    }),
    ...(ns < 43.56e9
      ? [task(181, 'hog', 169344, { cpuPercent: 98, state: 'R', waitChannel: '', stallNs: 1035e6 })]
      : []),
    task(312, 'bash', 3400),
  ]
}

const group = (path: string, current: number, limits: Partial<CgroupFrame> = {}): CgroupFrame => ({
  path,
  parent: path === '/' ? '' : path.slice(0, path.lastIndexOf('/')) || '/',
  depth: path === '/' ? 0 : path.split('/').length - 1,
  hasMemory: true,
  current: current * MIB,
  peak: current * 1.1 * MIB,
  anon: current * 0.55 * MIB,
  file: current * 0.35 * MIB,
  kernel: current * 0.1 * MIB,
  swapCurrent: 0,
  min: 0,
  low: 0,
  high: -1,
  max: -1,
  swapMax: -1,
  emin: 0,
  elow: 0,
  oomGroup: false,
  events: { low: 0, high: 0, max: 0, oom: 0, oom_kill: 0, oom_group_kill: 0 },
  eventsLocal: {},
  processes: [],
  throttledNs: 0,
  psiSome: 0,
  ...limits,
})

export const fakeCgroups = (): CgroupFrame[] => [
  group('/', 430),
  group('/lab', 97, {
    max: 100 * MIB,
    high: 90 * MIB,
    low: 40 * MIB,
    elow: 32 * MIB,
    psiSome: 22.7,
    throttledNs: 4130e6,
    processes: [165],
    events: { low: 14, high: 2817, max: 12, oom: 1, oom_kill: 1, oom_group_kill: 0 },
  }),
  group('/lab/worker', 40, { min: 20 * MIB, emin: 20 * MIB, max: 64 * MIB }),
  group('/system.slice', 120, { low: 64 * MIB, elow: 64 * MIB }),
  group('/system.slice/web.service', 62, { high: 200 * MIB, processes: [163] }),
]

export const fakeFrame = (ns: number): Frame => ({
  atNs: ns,
  zones: fakeZones(ns),
  cpus: [
    { cpu: 0, nid: 0, comm: 'hog', busyPercent: 98 },
    { cpu: 1, nid: 0, comm: 'kswapd0', busyPercent: 71 },
  ],
  tasks: fakeTasks(ns),
  cgroups: fakeCgroups(),
  swap: [{ path: '/dev/vdb', totalBytes: 1024 * MIB, usedBytes: 212 * MIB, priority: -2 }],
  pressure: { some: [fakePsi(ns), 12, 4], full: [fakePsi(ns) * 0.37, 4, 1] },
})

const machine = (id: string, gib: number, cpus: number, nodes: number, description: string): MachineSummary => ({
  id,
  title: id,
  description,
  memoryBytes: gib * 1024 * MIB,
  cpus,
  nodes,
  profile: JSON.stringify({ format: 'pagewalk-machine', version: 1, name: id }),
})
export const FAKE_MACHINES: readonly MachineSummary[] = [
  machine('vm-512m', 0.5, 2, 1, 'Reclaim and OOM happen within seconds'),
  machine('vm-512m-swap', 0.5, 2, 1, 'Swap, swappiness, refaults'),
  machine('laptop-16g', 16, 8, 1, 'Huge pages, page cache, daily work'),
  machine('numa-2x4g', 8, 8, 2, 'Local and remote, Movable zone'),
  machine('numa-4x-asym', 6, 8, 4, 'Distances, fallback order'),
  machine('server-2x128g', 256, 64, 2, 'Scale, kswapd falling behind'),
]

export const fakePreview = (): MachinePreview => ({
  zones: fakeZones(0),
  minFreeKbytes: 2729,
  totalPages: 118685,
  warnings: [],
  nodes: [{ nid: 0, cpus: [0, 1], order: [0], managed: 118685, ranges: [{ startBytes: 0, endBytes: 512 * MIB }] }],
  holes: [{ startBytes: 0x9f000, endBytes: 0x100000, why: 'VGA and ROM' }],
})

export const FAKE_LABS: readonly LabSummary[] = [
  {
    id: '10-containers',
    title: 'Containers',
    summary: 'A group with a limit of 100 MiB is killed while the host has memory free.',
    minutes: 40,
    topics: [10],
    steps: 5,
    outcomes: ['Set a hard memory limit with cgroup v2'],
  },
]

export const fakeLab = (): LabProgress => ({
  id: '10-containers',
  title: 'Containers',
  seed: 1,
  current: 2,
  finished: false,
  steps: [
    {
      index: 0,
      kind: 'command',
      body: 'Make a group with a limit of **100 MiB**.',
      command: 'mkdir /sys/fs/cgroup/lab; echo 100M > /sys/fs/cgroup/lab/memory.max',
      state: 'done',
      checks: [{ text: 'memory.max is 104857600', passed: true, seen: '104857600' }],
      hasHint: true,
    },
    {
      index: 1,
      kind: 'check',
      body: 'Move the shell into it.',
      command: 'echo $$ > /sys/fs/cgroup/lab/cgroup.procs',
      state: 'done',
      checks: [{ text: 'cgroup.procs holds 312', passed: true, seen: '312' }],
      hasHint: false,
    },
    {
      index: 2,
      kind: 'prediction',
      body: 'File pages could be dropped. Anonymous pages have nowhere to go: the machine has no swap. What happens?',
      choices: [
        'The write waits until memory is free',
        'A task in the group is killed',
        'kswapd takes pages from other groups',
      ],
      state: 'open',
      checks: [],
      hasHint: true,
    },
    {
      index: 3,
      kind: 'command',
      body: 'Touch 200 MiB.',
      command: 'mm hog --anon 200M --touch',
      state: 'locked',
      checks: [{ text: 'memory.events: oom_kill rises by 1', passed: false, seen: '0' }],
      hasHint: true,
    },
    {
      index: 4,
      kind: 'explanation',
      body: 'The limit is the group’s, not the machine’s.',
      state: 'locked',
      checks: [],
      hasHint: false,
    },
  ],
})

export const FAKE_OOM: OomReport = {
  atNs: 43.55e9,
  constraint: 'CONSTRAINT_NONE',
  oomMemcg: '',
  totalPages: 118685,
  allocator: { pid: 181, comm: 'hog' },
  victim: { pid: 181, comm: 'hog' },
  candidates: [
    {
      pid: 181,
      comm: 'hog',
      rssPages: 42508,
      swapPages: 0,
      pgtablePages: 92,
      adj: 0,
      adjPages: 0,
      points: 42600,
      spared: '',
      chosen: true,
    },
    {
      pid: 164,
      comm: 'db',
      rssPages: 30892,
      swapPages: 0,
      pgtablePages: 70,
      adj: 0,
      adjPages: 0,
      points: 30962,
      spared: '',
      chosen: false,
    },
    {
      pid: 165,
      comm: 'cache',
      rssPages: 20652,
      swapPages: 0,
      pgtablePages: 49,
      adj: 0,
      adjPages: 0,
      points: 20701,
      spared: '',
      chosen: false,
    },
    {
      pid: 180,
      comm: 'mm',
      rssPages: 1836,
      swapPages: 0,
      pgtablePages: 12,
      adj: -1000,
      adjPages: -118685,
      points: 0,
      spared: 'oom_score_adj is −1000',
      chosen: false,
    },
  ],
  lines: [
    'hog invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO), order=0, oom_score_adj=0',
    'Mem-Info:',
    'active_anon:109711 inactive_anon:0 isolated_anon:0',
    'Node 0 DMA32 free:2556kB boost:0kB min:2636kB low:3292kB high:3948kB reserved_highatomic:0KB active_anon:425704kB',
    'Free swap  = 0kB',
    'oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=hog,pid=181,uid=0',
    'Out of memory: Killed process 181 (hog) total-vm:410916kB, anon-rss:169344kB, file-rss:0kB, shmem-rss:688kB, UID:0 pgtables:368kB oom_score_adj:0',
  ],
  explanation: [
    'DMA32 free 2556 kB is below min 2636 kB: only reserves are left.',
    'No swap, so 109 711 anonymous pages cannot leave.',
  ],
}
