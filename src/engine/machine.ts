/**
 * Boot: from a configuration to a machine in which pid 1 lives.
 * @kernel  init/main.c start_kernel(), mm/mm_init.c
 * @spec    01
 */
import { assert } from '../util/assert'
import { createPrng } from '../util/prng'
import { KIB, PAGE_SIZE, type Pages } from '../util/units'
import { bootLog } from './boot_log'
import { createRootCgroup } from './cgroup'
import type { BlockDeviceConfig, MachineConfig } from './config'
import { cpusetAttach, updateCpusets } from './cpuset'
import { createCosts } from './costs'
import { createDcache, inodeAddLru } from './fs/dcache'
import { shrinkSlab } from './fs/shrink_slab'
import { createAt, createInode } from './fs/vfs'
import type { Inode } from './fs_types'
import { hooks } from './hooks'
import { shellImage } from './images'
import { createTask, reapMm, sendKill, startTask } from './lifecycle'
import { installModules } from './machine_files'
import { layoutZones } from './machine_layout'
import { freeLateMemory, seedFreeMemory } from './mm/buddy'
import { GFP_DMA, GFP_DMA32, GFP_KERNEL } from './mm/gfp'
import {
  PG_KERNEL,
  PG_RESERVED,
  PG_TAIL,
  createMemMap,
  hasFlag,
  pageZoneIndex,
  setFlag,
  setPageMapping,
} from './mm/memmap'
import { createMemcgStock } from './mm/memcontrol'
import { createHandTouch } from './by_hand_touch'
import { createByHand } from './mm/by_hand'
import { createHandPages } from './mm/by_hand_pages'
import { createBlockDevice } from './mm/block'
import { startFlusher } from './mm/flusher'
import { forgetShadows, removeMapping, replaceMapping, shmemReplaceBySwap } from './mm/filemap'
import { createCompactionState } from './mm/compaction_state'
import { createHugetlb } from './mm/hugetlb_pool'
import { startKcompactd } from './mm/kcompactd'
import { createModules } from './modules'
import { createNodes } from './mm/mmzone'
import { memcgOutOfMemory } from './mm/oom_kill'
import { createReclaimState } from './mm/reclaim'
import { allocPages, allocSinglePages } from './mm/page_alloc'
import { createPageTables } from './mm/pgtable'
import { createThp } from './mm/thp'
import { createPsiGroup, startPsiClock } from './mm/psi'
import { createAnonVmas } from './mm/anon_vma'
import { createRmapChains } from './mm/rmap_chain'
import { createShadowNodes } from './mm/shadow_nodes'
import { createSlabs } from './mm/slab_state'
import { fillSlabsAtBoot } from './mm/slub_boot'
import { createLruBatches } from './mm/swap'
import { swapon } from './mm/swapfile'
import { initZswap } from './mm/zswap_params'
import { createTracing } from './trace_ring'
import { createZswap } from './mm/zswap_state'
import { queueZswapShrink, shrinkZswapMemcg } from './mm/zswap_shrink'
import { addVmArea, createVmap } from './mm/vmalloc'
import { createNumaBalancing } from './mm/numa_state'
import { createVmstat, NR_KERNEL_STACK, modStat } from './mm/vmstat'
import { DEFAULT_TLB, TLB_PRESETS } from './mm/tlb_presets'
import { createTlb } from './mm/tlb_state'
import { tryToFreeMemcgPages } from './mm/vmscan'
import { initMinFreeKbytes } from './mm/watermark'
import { writeSysctl } from './procfs/sysctl'
import { createQueue, schedule } from './queue'
import { createRatelimit } from './ratelimit'
import { wakePageWaiters, wakeTask } from './sched_queue'
import { createExecContext } from './exec'
import { startLoadClock } from './loadavg'
import { createRunQueue } from './sched_queue'
import type { KernelState } from './state'
import { defaultSysctls } from './sysctl_defaults'
import { createTaint } from './taint'
import { startUserland } from './userland'

/** Binds the calls that go up; see hooks.ts. Idempotent: the functions never change. */
function bindHooks(): void {
  hooks.tryToFreeMemcgPages = tryToFreeMemcgPages
  hooks.memcgOutOfMemory = memcgOutOfMemory
  hooks.sendKill = sendKill
  hooks.reapMm = reapMm
  hooks.wakeTask = wakeTask
  hooks.wakePageWaiters = wakePageWaiters
  hooks.removeMapping = removeMapping
  hooks.replaceMapping = replaceMapping
  hooks.shmemReplaceBySwap = shmemReplaceBySwap
  hooks.allocPages = allocPages
  hooks.shrinkSlab = shrinkSlab
  hooks.forgetShadows = forgetShadows
  hooks.inodeAddLru = inodeAddLru
  hooks.queueZswapShrink = queueZswapShrink
  hooks.shrinkZswapMemcg = shrinkZswapMemcg
  hooks.cpusetAttach = cpusetAttach
  hooks.updateCpusets = updateCpusets
}
bindHooks()

/** On where there is something to balance, unless the command line says otherwise. @kernel mm/mempolicy.c check_numabalancing_enable() */
function bootBalancing(config: MachineConfig): number {
  const said = /(?:^| )numa_balancing=(\w+)/.exec(config.cmdline)?.[1]
  if (said === 'enable' || said === 'disable') return said === 'enable' ? 1 : 0
  return config.nodes.length > 1 ? 1 : 0
}

function cpuNodes(config: MachineConfig): number[] {
  const nodes: number[] = []
  for (const node of config.nodes) for (const cpu of node.cpus) nodes[cpu] = node.nid
  return nodes
}

/** Page tables and what the CPUs keep of them. */
const translation = (config: MachineConfig, cpus: number): Pick<KernelState, 'pgtables' | 'tlb'> => ({
  pgtables: createPageTables(config.fiveLevelPaging === true ? 5 : 4),
  tlb: createTlb(config.tlb ?? TLB_PRESETS[DEFAULT_TLB], cpus, config.pti),
})

/** Memory, zones and free lists; nothing is allocated yet. */
function createState(config: MachineConfig, seed: number): KernelState {
  const layout = layoutZones(config)
  const { nodes, zones } = createNodes(config, layout)
  const cpuNode = cpuNodes(config)
  let endPfn = 1
  for (const zone of zones) if (zone.present > 0) endPfn = Math.max(endPfn, zone.startPfn + zone.spanned)
  const present = zones.reduce((sum, z) => sum + z.present, 0)
  const managed = zones.reduce((sum, z) => sum + z.managed, 0)
  return {
    config,
    seed,
    nowNs: 0,
    eventCount: 0,
    queue: createQueue(),
    prng: createPrng(seed),
    costs: createCosts(config.costs, config.pti),
    exec: createExecContext(),
    numa: createNumaBalancing(nodes.length),
    sysctl: { ...defaultSysctls(), numaBalancing: bootBalancing(config) },
    panicked: '',
    memmap: createMemMap(endPfn),
    zones,
    nodes,
    vmstat: createVmstat(),
    totalreservePages: 0,
    pageblocks: new Uint8Array((endPfn >> 9) + 1).fill(1),
    blockNext: new Int32Array((endPfn >> 10) + 1),
    blockPrev: new Int32Array((endPfn >> 10) + 1),
    lruvecs: [],
    lruBatches: createLruBatches(cpuNode.length),
    mglruEnabled: config.mglru ? 7 : 0,
    swapAreas: [],
    zswap: createZswap(),
    tracing: createTracing(cpuNode.length),
    thpEnabled: config.thp,
    thpDefrag: 'madvise',
    committedAs: 0,
    ...translation(config, cpuNode.length),
    slabs: createSlabs(config, cpuNode.length, nodes.length),
    rmapChains: createRmapChains(),
    anonVmas: createAnonVmas(),
    zeroPfn: 0,
    vdsoIno: 0,
    tasks: {},
    taskList: [],
    processObjects: {},
    lastPid: 0,
    mms: [],
    cpuNode,
    runqueues: cpuNode.map(createRunQueue),
    loads: new Float64Array(3),
    pageWaiters: {},
    cgroups: [undefined],
    memcgs: [undefined],
    memcgStocks: cpuNode.map(() => createMemcgStock()),
    oomLockHolder: 0,
    inodes: [undefined],
    mounts: [],
    devices: [],
    psi: createPsiGroup(),
    klog: [],
    boot: { totalPages: managed, physicalPages: present, freePagesAtBoot: 0, reservedPages: present - managed },
    ...extraState(nodes.length, zones.length, endPfn),
  }
}

type FileCaches = 'byHand' | 'openFiles' | 'vmap' | 'modules' | 'dcache' | 'shadowNodes' | 'shrinkers'

/** Nothing was looked up or asked for yet. */
const fileCaches = (): Pick<KernelState, FileCaches> => ({
  byHand: createByHand(),
  openFiles: {},
  vmap: createVmap(),
  modules: createModules(),
  dcache: createDcache(),
  shadowNodes: createShadowNodes(),
  shrinkers: { deferred: {}, scanned: 0 },
})

type ExtraState = Pick<
  KernelState,
  | 'oomReports'
  | 'oomRatelimit'
  | 'nopageRatelimit'
  | 'slubRatelimit'
  | 'segvRatelimit'
  | 'handTouch'
  | FileCaches
  | 'taint'
  | 'reclaim'
  | 'hugetlb'
  | 'thp'
  | 'compaction'
  | 'pipes'
  | 'handPages'
>

/** What reclaim, compaction, huge pages, the OOM killer and pipes remember: nothing yet. */
const extraState = (nodes: number, zones: number, endPfn: number): ExtraState => ({
  oomReports: [],
  oomRatelimit: createRatelimit(),
  nopageRatelimit: createRatelimit(),
  slubRatelimit: createRatelimit(),
  segvRatelimit: createRatelimit(),
  handTouch: createHandTouch(),
  handPages: createHandPages(),
  taint: createTaint(),
  reclaim: createReclaimState(nodes),
  hugetlb: createHugetlb(nodes),
  thp: createThp(nodes),
  compaction: createCompactionState({ zones, nodes, endPfn }),
  pipes: [],
  ...fileCaches(),
})

/**
 * Boots the machine. Time 0 is power-on; user land is running its first instructions when this returns.
 * @param config  validated (src/profiles)
 */
export function bootMachine(config: MachineConfig, seed: number): KernelState {
  assert(
    config.nodes.some((node) => node.cpus.length > 0),
    'a machine needs a CPU',
  )
  const state = createState(config, seed)
  seedFreeMemory(state)
  initMinFreeKbytes(state)
  createRootCgroup(state)
  state.zeroPfn = pickZeroPage(state)
  allocateKernelMemory(state)
  freeLateMemory(state)
  mountRoot(state)
  installModules(state)
  initZswap(state)
  state.nowNs = bootLog(state)
  createKthreads(state)
  startUserland(state)
  setReserves(state)
  switchOnSwap(state)
  for (const [name, value] of Object.entries(config.sysctls)) writeSysctl(state, name, value)
  startPsiClock(state)
  startLoadClock(state)
  startFlusher(state)
  schedule(state.queue, state.nowNs + 1_000_000_000, { kind: 'vmstatTick' })
  return state
}

/** The shared zero page is part of the kernel image: a frame that was never given to the allocator. */
function pickZeroPage(state: KernelState): number {
  for (let pfn = 1; pfn < state.memmap.endPfn; pfn++)
    if (pageZoneIndex(state.memmap, pfn) >= 0 && hasFlag(state.memmap, pfn, PG_RESERVED)) return pfn
  const pfn = allocPages(state, GFP_KERNEL, 0)
  setFlag(state.memmap, pfn, PG_KERNEL)
  return pfn
}

/** Debian's kernels right after boot, pages; read off 18 captured machines (spec 11 §0 and truth index). */
const BOOT_USE = {
  '6.12': {
    stack: 190,
    stackCpu: 30,
    percpuCpu: 69,
    other: 1600,
    otherPerNode: 1950,
  },
  '6.1': {
    stack: 180,
    stackCpu: 22,
    percpuCpu: 64,
    other: 1650,
    otherPerNode: 3500,
  },
} as const

/** Pages of "other" memory for each page of RAM: per-page metadata of subsystems. */
const OTHER_PER_PAGE = 1 / 1150
/**
 * What the kernel itself has taken by the time that user land starts: slab, stacks, per-CPU areas, DMA pools.
 * @model  amounts from the captured machines
 */
function allocateKernelMemory(state: KernelState): void {
  const use = BOOT_USE[state.config.series]
  const cpus = state.cpuNode.length
  const nodes = state.nodes.filter((n) => n.hasMemory).length
  dmaPools(state)
  fillSlabsAtBoot(state)
  const stacks = use.stack + use.stackCpu * cpus
  bootAreas(state, stacks / 4)
  takeKernel(state, stacks)
  modStat(state.nodes[bootNode(state)]!.stat, NR_KERNEL_STACK, stacks * 4)
  takeKernel(state, use.percpuCpu * cpus)
  takeKernel(state, use.other + Math.floor(state.boot.totalPages * OTHER_PER_PAGE) + use.otherPerNode * (nodes - 1))
}

/**
 * Kernel addresses that boot gives away: a stack for the interrupts of each CPU, and one for each kernel thread.
 * @kernel irq_init_percpu_irqstack(), dup_task_struct()
 */
function bootAreas(state: KernelState, threads: number): void {
  const bootNid = bootNode(state)
  const area = (caller: string, kind: 'vmap' | 'vmalloc', align: Pages): void =>
    void addVmArea(state, { pages: 4, caller, kind, pfns: [], bootNid }, align)
  state.cpuNode.forEach(() => area('irq_init_percpu_irqstack', 'vmap', 1))
  for (let i = 0; i + 1 <= threads; i++) area('dup_task_struct', 'vmalloc', 4)
}

const bootNode = (state: KernelState): number => state.nodes.find((n) => n.hasMemory)!.nid

function takeKernel(state: KernelState, pages: Pages): void {
  allocSinglePages(state, GFP_KERNEL, pages, PG_KERNEL)
}

/** Three pools of 128 KiB a GiB, at least 128 KiB, at most 4 MiB. @kernel kernel/dma/pool.c dma_atomic_pool_init() */
function dmaPools(state: KernelState): void {
  const wanted = Math.max(32, Math.floor(state.boot.totalPages / 8192))
  let order = 0
  while (1 << order < wanted && order < 10) order++
  for (const gfp of [GFP_KERNEL, GFP_KERNEL | GFP_DMA, GFP_KERNEL | GFP_DMA32]) {
    const pfn = allocPages(state, gfp, order)
    if (pfn === 0) continue
    setFlag(state.memmap, pfn, PG_KERNEL)
    for (let i = 1; i < 1 << order; i++) setFlag(state.memmap, pfn + i, PG_TAIL)
  }
}

function addDevice(state: KernelState, device: BlockDeviceConfig): void {
  state.devices.push(createBlockDevice(device))
  const index = state.devices.length - 1
  const node = createAt(state, device.path, 'file')
  if (typeof node === 'string') return
  node.kind = 'device'
  node.device = index
  if (device.files.length === 0) return
  const root = createInode(state, 'dir', 'ext4', 0, index)
  state.devices[index]!.rootIno = root.ino
  for (const file of device.files) {
    const inode = createInode(state, 'file', 'ext4', file.sizeBytes, index)
    root.entries[file.path.replace(/^\//, '')] = inode.ino
  }
}

/** An NVMe disk that holds the root file system of a 'debian' user land. */
const ROOT_DISK: BlockDeviceConfig = {
  path: '/dev/nvme0n1p1',
  sizeBytes: 32 * KIB * KIB * KIB,
  readNs: 90_000,
  writeNs: 30_000,
  perPageNs: 1_500,
  rotational: false,
  files: [],
}

function mountRoot(state: KernelState): void {
  const onDisk = state.config.userland === 'debian'
  const root = createInode(state, 'dir', onDisk ? 'ext4' : 'tmpfs', 0, onDisk ? 0 : -1)
  state.mounts.push({
    path: '/',
    fs: onDisk ? 'ext4' : 'tmpfs',
    root: root.ino,
    readOnly: false,
    source: onDisk ? ROOT_DISK.path : 'rootfs',
  })
  for (const dir of ['bin', 'dev', 'proc', 'sys', 'tmp', 'root', 'etc', 'out', 'data', 'run', 'usr', 'mnt']) {
    const inode = createInode(state, 'dir', root.fs, 0, root.device)
    root.entries[dir] = inode.ino
  }
  const dev = createInode(state, 'dir', 'devtmpfs', 0, -1)
  state.mounts.push({ path: '/dev', fs: 'devtmpfs', root: dev.ino, readOnly: false, source: 'dev' })
  state.mounts.push({ path: '/proc', fs: 'proc', root: 0, readOnly: false, source: 'proc' })
  state.mounts.push({ path: '/sys', fs: 'sysfs', root: 0, readOnly: false, source: 'sysfs' })
  state.mounts.push({ path: '/sys/kernel/debug', fs: 'debugfs', root: 0, readOnly: false, source: 'debugfs' })
  state.mounts.push({ path: '/sys/fs/cgroup', fs: 'cgroup2', root: 0, readOnly: false, source: 'cgroup2' })
  if (onDisk) addDevice(state, ROOT_DISK)
  for (const device of state.config.blockDevices) addDevice(state, device)
  state.vdsoIno = createVdso(state).ino
}

const VDSO_PAGES: Pages = 2

/** Pages of the kernel image that every process maps: no page cache, on no list, never freed. @kernel arch/x86/entry/vdso */
function createVdso(state: KernelState): Inode {
  const vdso = createInode(state, 'file', 'devtmpfs', VDSO_PAGES * PAGE_SIZE, -1)
  vdso.pages = new Int32Array(VDSO_PAGES)
  vdso.shadows = new Float64Array(VDSO_PAGES)
  for (let i = 0; i < VDSO_PAGES; i++) {
    const pfn = allocPages(state, GFP_KERNEL, 0)
    assert(pfn !== 0, 'no memory for the vdso at boot')
    setFlag(state.memmap, pfn, PG_KERNEL)
    setPageMapping(state.memmap, pfn, vdso.ino, i)
    vdso.pages[i] = pfn
    vdso.nrPages++
  }
  return vdso
}

function createKthreads(state: KernelState): void {
  createTask(state, {
    ppid: 0,
    comm: 'swapper/init',
    argv: ['/sbin/init'],
    program: 'host',
    data: {},
    op: undefined,
    isKthread: false,
  })
  const spawn = (comm: string, program: string, data: Record<string, unknown>): number =>
    createTask(state, {
      ppid: comm === 'kthreadd' ? 0 : 2,
      comm,
      argv: [comm],
      program,
      data,
      op: undefined,
      isKthread: true,
    }).pid
  spawn('kthreadd', 'kthread', {})
  for (const node of state.nodes) {
    if (!node.hasMemory) continue
    const pid = spawn(`kswapd${node.nid}`, 'kswapd', { nid: node.nid })
    node.kswapd.pid = pid
    state.tasks[pid]!.memalloc = true
    state.tasks[pid]!.cpu = node.cpus[0] ?? 0
    state.tasks[pid]!.waitChannel = 'kswapd_try_to_sleep'
  }
  for (const node of state.nodes) {
    if (!node.hasMemory) continue
    const pid = spawn(`kcompactd${node.nid}`, 'kcompactd', { nid: node.nid })
    state.tasks[pid]!.cpu = node.cpus[0] ?? 0
    startKcompactd(state, node.nid, pid)
  }
  // Kernel threads that do nothing here still have taken their numbers.
  state.lastPid = state.config.userland === 'initramfs' ? 90 : 400
  const init = state.tasks[1]!
  init.ppid = 0
  init.op = {
    op: 'exec',
    argv: ['init'],
    program: 'tool',
    image: shellImage(state.config),
    forked: shellImage(state.config),
  }
  startTask(state, init)
}

/** @kernel mm/mmap.c init_user_reserve(), init_admin_reserve() */
function setReserves(state: KernelState): void {
  const freeKb = state.zones.reduce((sum, z) => sum + z.stat[0]!, 0) * 4
  state.sysctl.userReserveKbytes = Math.min(Math.floor(freeKb / 32), 131072)
  state.sysctl.adminReserveKbytes = Math.min(Math.floor(freeKb / 32), 8192)
}

function switchOnSwap(state: KernelState): void {
  for (const device of state.config.blockDevices) {
    if (device.swap?.onAtBoot !== true) continue
    const errno = swapon(state, device.path, device.swap.priority)
    assert(errno === undefined, `swapon ${device.path} at boot: ${errno}`)
  }
}
