/**
 * A small machine with LRU lists, one file, address spaces and swap, where the test puts pages on lists by hand: for
 * tests of reclaim, swap and writeback. Frames come straight from the buddy lists and per-CPU lists keep nothing; the zone DMA is full.
 */
import { createRootCgroup, writeSubtreeControl } from '../src/engine/cgroup'
import type { KernelSeries } from '../src/engine/config'
import type { Inode } from '../src/engine/fs_types'
import { createInode } from '../src/engine/fs/vfs'
import { hooks } from '../src/engine/hooks'
import { createBlockDevice, handleIoDone } from '../src/engine/mm/block'
import { rmqueueSmallest } from '../src/engine/mm/buddy'
import { attach, removeMapping, replaceMapping, shmemReplaceBySwap } from '../src/engine/mm/filemap'
import { MIGRATE_MOVABLE } from '../src/engine/mm/gfp'
import { memcgCharge, createMemcgStock } from '../src/engine/mm/memcontrol'
import { PG_ANON, PG_ANON_EXCLUSIVE, PG_FILE, PG_SWAPBACKED, setFlag, setPageMemcg } from '../src/engine/mm/memmap'
import { MM_ANONPAGES, MM_FILEPAGES, VM_READ, VM_WRITE, type Mm, type Vma } from '../src/engine/mm/mm_types'
import { zoneFreePages, type Zone } from '../src/engine/mm/mmzone'
import {
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_WRITE,
  allocPgd,
  createPageTables,
  ensurePteSlot,
  makePte,
  setPte,
} from '../src/engine/mm/pgtable'
import { createPsiGroup } from '../src/engine/mm/psi'
import { createReclaimState } from '../src/engine/mm/reclaim'
import { pageAddRmap } from '../src/engine/mm/rmap'
import { createRmapChains } from '../src/engine/mm/rmap_chain'
import { addMmCounter } from '../src/engine/mm/rss'
import { createLruBatches, folioAddLru, lruAddDrainAll } from '../src/engine/mm/swap'
import { swapon } from '../src/engine/mm/swapfile'
import { DEFAULT_TLB, TLB_PRESETS } from '../src/engine/mm/tlb_presets'
import { createTlb } from '../src/engine/mm/tlb_state'
import { addMm } from '../src/engine/mm/vma'
import { tryToFreeMemcgPages } from '../src/engine/mm/vmscan'
import { queueZswapShrink, shrinkZswapMemcg, handleZswapShrink } from '../src/engine/mm/zswap_shrink'
import { nextEventAt, popEvent } from '../src/engine/queue'
import { createRatelimit } from '../src/engine/ratelimit'
import type { KernelState } from '../src/engine/state'
import { createTaint } from '../src/engine/taint'
import { MIB } from '../src/util/units'
import { createPrng } from '../src/util/prng'
import { plainMachine, zoneNamed, zoneState } from './zone-state'

export interface LruMachine {
  readonly mib?: number
  readonly series?: KernelSeries
  readonly mglru?: boolean
  readonly cpus?: number
  /** A swap device of this many slots; 0 none. */
  readonly swapSlots?: number
  readonly rotational?: boolean
}

/** Default: 512 MiB, 6.12, classic LRU, no swap. */
export function lruState(options: LruMachine = {}): KernelState {
  const { mib = 512, series = '6.12', mglru = false, cpus = 1, swapSlots = 0, rotational = false } = options
  const state = zoneState(plainMachine(mib * MIB, cpus, series))
  Object.assign(state, {
    prng: createPrng(1),
    cgroups: [undefined],
    memcgs: [undefined],
    memcgStocks: state.cpuNode.map(() => createMemcgStock()),
    lruvecs: [],
    lruBatches: createLruBatches(cpus),
    mms: [],
    mglruEnabled: mglru ? 7 : 0,
    reclaim: createReclaimState(state.nodes.length),
    pgtables: createPageTables(),
    tlb: createTlb(TLB_PRESETS[DEFAULT_TLB], cpus),
    rmapChains: createRmapChains(),
    zeroPfn: 1,
    psi: createPsiGroup(),
    oomReports: [],
    oomRatelimit: createRatelimit(),
    taint: createTaint(),
    panicked: '',
    mounts: [],
    pageWaiters: {},
    runqueues: [],
  })
  Object.assign(state.sysctl, {
    swappiness: 60,
    laptopMode: 0,
    pageCluster: 3,
    zoneReclaimMode: 0,
    dirtyWritebackCentisecs: 500,
    dirtyExpireCentisecs: 3000,
  })
  bindHooks()
  createRootCgroup(state)
  writeSubtreeControl(state, 1, '+memory')
  addDisk(state, '/dev/vda', 1 << 20, false)
  if (swapSlots > 0) {
    addDisk(state, '/dev/vdb', swapSlots + 1, rotational)
    state.devices[1]!.isSwapFormatted = true
    swapon(state, '/dev/vdb')
  }
  const other = zoneNamed(state, 0, 0)
  while (zoneFreePages(other) > 0) rmqueueSmallest(state, other, 0, MIGRATE_MOVABLE)
  for (const zone of state.zones) for (const pcp of zone.pcp) pcp.high = pcp.highMin = pcp.highMax = 0
  return state
}

function bindHooks(): void {
  hooks.removeMapping = removeMapping
  hooks.replaceMapping = replaceMapping
  hooks.shmemReplaceBySwap = shmemReplaceBySwap
  hooks.tryToFreeMemcgPages = tryToFreeMemcgPages
  hooks.allocPages = (s) => takeFrame(s)
  hooks.wakeTask = (s, pid) => {
    const task = s.tasks[pid]
    if (task !== undefined) task.state = 'R'
  }
  hooks.wakePageWaiters = () => undefined
  hooks.queueZswapShrink = queueZswapShrink
  hooks.shrinkZswapMemcg = shrinkZswapMemcg
}

function addDisk(state: KernelState, path: string, pages: number, rotational: boolean): void {
  const latencies = { readNs: 100_000, writeNs: 30_000, perPageNs: 2_000 }
  state.devices.push(createBlockDevice({ path, sizeBytes: pages * 4096, ...latencies, rotational, files: [] }))
}

/** The zone that all pages of these tests are in. */
export const testZone = (state: KernelState): Zone => zoneNamed(state, 0, 1)

/** A free frame of DMA32, off the buddy lists. */
export function takeFrame(state: KernelState): number {
  return rmqueueSmallest(state, testZone(state), 0, MIGRATE_MOVABLE)
}

/** Takes frames until the zone has exactly this many free. */
export function setFree(state: KernelState, pages: number): void {
  const zone = testZone(state)
  while (zoneFreePages(zone) > pages) takeFrame(state)
}

export const setMarks = (zone: Zone, min: number, low: number, high: number): void => {
  zone.watermark.set([min, low, high, high])
}

/** A file on the disk that can hold `pages`. */
export const newFile = (state: KernelState, pages: number): Inode => createInode(state, 'file', 'ext4', pages * 4096, 0)

export interface PageWish {
  readonly memcg?: number
  readonly flags?: number
  readonly inFault?: boolean
  /** For the charge: what may be done to make room at the limit. Default: nothing. */
  readonly gfp?: number
}

/** Clean page-cache pages of a file, oldest first, on the LRU. */
export function addFilePages(state: KernelState, inode: Inode, count: number, wish: PageWish = {}): number[] {
  const pfns: number[] = []
  for (let i = 0; i < count; i++) pfns.push(addFilePage(state, inode, inode.nrPages, wish))
  lruAddDrainAll(state)
  return pfns
}

/** One page of a file at a given index; the caller drains the batch. */
export function addFilePage(state: KernelState, inode: Inode, index: number, wish: PageWish = {}): number {
  const pfn = takeFrame(state)
  const memcg = wish.memcg ?? 1
  memcgCharge(state, memcg, 1, wish.gfp ?? 0)
  setPageMemcg(state.memmap, pfn, memcg)
  setFlag(state.memmap, pfn, PG_FILE | (wish.flags ?? 0))
  attach(state, inode, index, pfn)
  folioAddLru(state, pfn, wish.inFault ?? false)
  return pfn
}

/** An empty address space with one anonymous mapping and one of the file. */
export function newSpace(state: KernelState, inode?: Inode): { mm: Mm; anon: Vma; file: Vma } {
  const mm = state.mms[addMm(state, 0)]!
  allocPgd(state, mm.id)
  const common = { flags: VM_READ | VM_WRITE, pgoff: 0, name: '', anonVma: 1, incompressible: false }
  const anon: Vma = { ...common, start: 0x10000, end: 0x110000, ino: 0 }
  const file: Vma = { ...common, start: 0x200000, end: 0x300000, ino: inode?.ino ?? 0 }
  mm.vmas.push(anon, file)
  return { mm, anon, file }
}

/** Anonymous pages, mapped, dirty and young, at the start of the anonymous mapping, as a task's first writes make them. */
export function addAnonPages(state: KernelState, mm: Mm, count: number, wish: PageWish = {}): number[] {
  const pfns: number[] = []
  const from = mm.rss[MM_ANONPAGES]! + mm.rssPending[MM_ANONPAGES]!
  for (let i = 0; i < count; i++) {
    const pfn = takeFrame(state)
    const memcg = wish.memcg ?? 1
    memcgCharge(state, memcg, 1, wish.gfp ?? 0)
    setPageMemcg(state.memmap, pfn, memcg)
    setFlag(state.memmap, pfn, PG_ANON | PG_SWAPBACKED | PG_ANON_EXCLUSIVE | (wish.flags ?? 0))
    mapPage(state, mm, 0x10000 + from + i, pfn, PTE_ACCESSED | PTE_DIRTY | PTE_WRITE)
    addMmCounter(state, mm.id, MM_ANONPAGES, 1)
    folioAddLru(state, pfn, wish.inFault ?? true)
    pfns.push(pfn)
  }
  lruAddDrainAll(state)
  return pfns
}

/** Maps a cached page at the same index of the file mapping. */
export function mapFilePage(state: KernelState, mm: Mm, index: number, pfn: number, bits: number): number {
  addMmCounter(state, mm.id, MM_FILEPAGES, 1)
  return mapPage(state, mm, 0x200000 + index, pfn, bits)
}

/** @returns the page-table slot */
export function mapPage(state: KernelState, mm: Mm, vpn: number, pfn: number, bits: number): number {
  const slot = ensurePteSlot(state, mm, vpn)
  setPte(state.pgtables, slot, makePte(pfn, bits))
  pageAddRmap(state, pfn, slot)
  return slot
}

/** Handles I/O completions up to now plus `ns`; other events are dropped. */
export function letTimePass(state: KernelState, ns: number): void {
  const until = state.nowNs + state.exec.ns + ns
  state.exec.ns = 0
  for (let at = nextEventAt(state.queue); at !== undefined && at <= until; at = nextEventAt(state.queue)) {
    const { event } = popEvent(state.queue)
    state.nowNs = Math.max(state.nowNs, at)
    if (event.kind === 'ioDone') handleIoDone(state, event)
    if (event.kind === 'zswapShrink') handleZswapShrink(state, event)
  }
  state.nowNs = until
}
