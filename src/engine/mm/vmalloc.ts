/**
 * vmalloc: memory that is contiguous for the kernel's page tables only. A range of addresses with a guard page behind it,
 * single frames, and the tables that map them.
 * @kernel      mm/vmalloc.c
 * @spec        03 §3.8, 09 §9.1 (VmallocUsed)
 * @simplifies  no huge mappings; the lowest hole is taken (the kernel keeps a pool of small areas a CPU since 6.9); pages
 *              one by one instead of in bulk
 */
import { PAGE_SIZE, bytesToPagesCeil, type Bytes, type Pages, type Pfn } from '../../util/units'
import { charge, isSuspended } from '../exec'
import type { KernelState } from '../state'
import { GFP_BIT_ACCOUNT, GFP_BIT_HIGHMEM, GFP_BIT_NOWARN, GFP_KERNEL } from './gfp'
import { kfree, kmalloc } from './kmalloc'
import { PG_KERNEL, clearFlag, pageMemcg, pageZoneIndex, setFlag } from './memmap'
import { MEMCG_STAT_KERNEL, MEMCG_STAT_VMALLOC, modMemcgState } from './memcg_stat'
import { memcgKmemChargePages, memcgKmemUnchargePages } from './obj_cgroup'
import { allocPages, freePages } from './page_alloc'
import { findCache } from './slab_state'
import { kmemCacheAlloc } from './slub'
import { warnAlloc } from './warn_alloc'

/** Where an area lies: below VMALLOC_START, or among the modules near the kernel's image. */
export type VmRegion = 'vmalloc' | 'modules'

export interface VmArea {
  readonly region: VmRegion
  /** First page, counted from the start of the region. */
  readonly start: Pages
  /** Mapped pages, and all of the range with its guard page. */
  readonly pages: Pages
  readonly span: Pages
  /** Function that asked, as /proc/vmallocinfo names it. */
  readonly caller: string
  readonly kind: 'vmalloc' | 'vmap'
  /** Its frames; empty for areas of boot whose frames are not known one by one. */
  readonly pfns: Pfn[]
  /** Node of the frames that are not known, −1 = none are. */
  readonly bootNid: number
  /** Slab objects behind it: vmap_area, vm_struct, the array of pages. */
  readonly objects: number[]
  /** The array of pages when it is too large for kmalloc. */
  readonly array: VmArea | undefined
}

/** A range that was freed and may not be used again until all CPUs have flushed it from their TLBs. */
interface LazyRange {
  readonly region: VmRegion
  readonly start: Pages
  readonly span: Pages
}

export interface Vmap {
  /** In the order of their addresses, region after region. */
  readonly areas: VmArea[]
  readonly lazy: LazyRange[]
  /** Pages of all areas with frames of their own. @kernel nr_vmalloc_pages */
  nrPages: Pages
  /** Frames of the kernel's last-level tables by 2 MiB range; they are never given back. */
  readonly tables: Record<string, Pfn>
}

/** Nothing is mapped. @kernel mm/vmalloc.c vmalloc_init() */
export const createVmap = (): Vmap => ({ areas: [], lazy: [], nrPages: 0, tables: {} })

/** Pages of each region: 32 TiB, and 1 GiB less the kernel's image. @kernel Documentation/arch/x86/x86_64/mm.rst */
const REGION_PAGES: Readonly<Record<VmRegion, Pages>> = { vmalloc: 2 ** 33, modules: 0x3f000 }
const TABLE_PAGES = 512

const before = (a: VmArea | LazyRange, b: { region: VmRegion; start: Pages }): boolean =>
  a.region === b.region ? a.start < b.start : a.region === 'modules'

/** Lazily freed ranges are given up at so many pages. @kernel mm/vmalloc.c lazy_max_pages() */
const lazyMaxPages = (state: KernelState): Pages => (32 - Math.clz32(state.cpuNode.length)) * 8192

/** @returns first page of the lowest hole, −1 none @kernel mm/vmalloc.c find_vmap_lowest_match() */
function findHole(state: KernelState, region: VmRegion, span: Pages, align: Pages): Pages {
  // Areas lie in order; only what waits to be given up does not. Boot and fork ask here for every kernel stack.
  const { areas } = state.vmap
  const lazy = state.vmap.lazy.filter((range) => range.region === region).sort((a, b) => a.start - b.start)
  let at = 0
  for (let i = 0, l = 0; ;) {
    while (i < areas.length && areas[i]!.region !== region) i++
    const area = areas[i]
    const range = lazy[l]
    const isLazyNext = range !== undefined && (area === undefined || range.start < area.start)
    const taken = isLazyNext ? range : area
    if (taken === undefined || at + span <= taken.start) break
    at = Math.max(at, Math.ceil((taken.start + taken.span) / align) * align)
    if (isLazyNext) l++
    else i++
  }
  return at + span <= REGION_PAGES[region] ? at : -1
}

function insert(state: KernelState, area: VmArea): void {
  const { areas } = state.vmap
  let i = areas.length
  while (i > 0 && !before(areas[i - 1]!, area)) i--
  areas.splice(i, 0, area)
}

/** @kernel include/linux/mm.h totalram_pages() */
export const totalramPages = (state: KernelState): Pages => state.zones.reduce((sum, zone) => sum + zone.managed, 0)

export interface VmRequest {
  readonly bytes: Bytes
  readonly gfp: number
  readonly region: VmRegion
  readonly caller: string
}

/** Objects behind an area. @returns undefined = no memory @kernel mm/vmalloc.c __get_vm_area_node(), alloc_vmap_area() */
function takeObjects(
  state: KernelState,
  pages: Pages,
  gfp: number,
): { objects: number[]; isArrayLarge: boolean } | undefined {
  const cache = findCache(state.slabs, 'vmap_area')
  const isArrayLarge = pages * 8 > PAGE_SIZE
  const plain = gfp & ~(GFP_BIT_ACCOUNT | GFP_BIT_HIGHMEM)
  const objects: number[] = []
  const asks = [
    (): number => kmalloc(state, 64, plain),
    ...(cache < 0 ? [] : [(): number => kmemCacheAlloc(state, cache, plain)]),
    ...(isArrayLarge ? [] : [(): number => kmalloc(state, pages * 8, plain)]),
  ]
  for (const ask of asks) {
    const address = ask()
    if (address === 0) {
      for (const object of objects) kfree(state, object)
      return undefined
    }
    objects.push(address)
  }
  return { objects, isArrayLarge }
}

/** @returns whether every page got a frame; those that did are in `pfns` @kernel mm/vmalloc.c vm_area_alloc_pages() */
function takePages(state: KernelState, pages: Pages, gfp: number, pfns: Pfn[]): boolean {
  const mask = gfp | GFP_BIT_NOWARN
  while (pfns.length < pages) {
    const pfn = allocPages(state, mask & ~GFP_BIT_ACCOUNT, 0)
    if (pfn === 0) return false
    if ((gfp & GFP_BIT_ACCOUNT) !== 0 && !memcgKmemChargePages(state, pfn, 1, gfp)) {
      freePages(state, pfn, 0)
      return false
    }
    setFlag(state.memmap, pfn, PG_KERNEL)
    account(state, pfn, 1)
    pfns.push(pfn)
  }
  return true
}

function account(state: KernelState, pfn: Pfn, sign: number): void {
  const memcg = pageMemcg(state.memmap, pfn)
  if (memcg === 0) return
  const { nid } = state.zones[pageZoneIndex(state.memmap, pfn)]!
  modMemcgState(state, memcg, MEMCG_STAT_VMALLOC, sign, nid)
  modMemcgState(state, memcg, MEMCG_STAT_KERNEL, sign, nid)
}

function givePages(state: KernelState, pfns: readonly Pfn[]): void {
  for (const pfn of pfns) {
    account(state, pfn, -1)
    memcgKmemUnchargePages(state, pfn, 1)
    clearFlag(state.memmap, pfn, PG_KERNEL)
    freePages(state, pfn, 0)
  }
}

/** Tables for a range; one that is there already is used. @kernel mm/vmalloc.c vmap_pages_range(), pte_alloc_kernel_track() */
function mapRange(state: KernelState, region: VmRegion, start: Pages, pages: Pages): boolean {
  const { tables } = state.vmap
  for (let at = Math.floor(start / TABLE_PAGES); at <= Math.floor((start + pages - 1) / TABLE_PAGES); at++) {
    const key = `${region} ${at}`
    if (tables[key] !== undefined) continue
    const pfn = allocPages(state, GFP_KERNEL, 0)
    if (pfn === 0) return false
    setFlag(state.memmap, pfn, PG_KERNEL)
    tables[key] = pfn
  }
  charge(state, pages * state.costs.mapKernelPage)
  return true
}

/**
 * Memory for the kernel in single frames.
 * @returns undefined = nothing was asked for, more than there is, no memory, no addresses, or the operation has to wait
 * @kernel  mm/vmalloc.c __vmalloc_node_range()
 */
export function vmalloc(state: KernelState, request: VmRequest): VmArea | undefined {
  const { bytes, gfp, region, caller } = request
  const pages = bytesToPagesCeil(bytes)
  if (pages === 0) return undefined
  if (pages > totalramPages(state)) {
    warnAlloc(state, gfp, `vmalloc error: size ${bytes}, exceeds total pages`)
    return undefined
  }
  charge(state, state.costs.vmallocArea)
  const start = findHole(state, region, pages + 1, 1)
  const taken = start < 0 ? undefined : takeObjects(state, pages, gfp)
  if (taken === undefined) return undefined
  const array = taken.isArrayLarge
    ? vmalloc(state, { bytes: pages * 8, gfp: gfp & ~GFP_BIT_ACCOUNT, region: 'vmalloc', caller })
    : undefined
  const pfns: Pfn[] = []
  const hasArray = !taken.isArrayLarge || array !== undefined
  // The array of pages may have taken the hole.
  const at = array === undefined ? start : findHole(state, region, pages + 1, 1)
  if (hasArray && takePages(state, pages, gfp, pfns) && mapRange(state, region, at, pages)) {
    const area: VmArea = {
      region,
      start: at,
      pages,
      span: pages + 1,
      caller,
      kind: 'vmalloc',
      pfns,
      bootNid: -1,
      objects: taken.objects,
      array,
    }
    insert(state, area)
    state.vmap.nrPages += pages
    return area
  }
  givePages(state, pfns)
  for (const object of taken.objects) kfree(state, object)
  if (array !== undefined) vfree(state, array)
  if (hasArray && !isSuspended(state)) warnFailed(state, gfp, pages)
  return undefined
}

/** 6.1 names the order that the pages were asked for. @kernel mm/vmalloc.c __vmalloc_area_node() */
function warnFailed(state: KernelState, gfp: number, pages: Pages): void {
  const order = state.config.series === '6.1' ? ' page order 0,' : ''
  warnAlloc(state, gfp, `vmalloc error: size ${pages * PAGE_SIZE},${order} failed to allocate pages`)
}

/**
 * Frees an area. Its addresses are not used again before so many are waiting that flushing all TLBs is worth it.
 * @kernel  mm/vmalloc.c vfree(), free_vmap_area_noflush()
 */
export function vfree(state: KernelState, area: VmArea): void {
  const { areas, lazy } = state.vmap
  const i = areas.indexOf(area)
  areas.splice(i, 1)
  lazy.push({ region: area.region, start: area.start, span: area.span })
  charge(state, area.pages * state.costs.mapKernelPage)
  givePages(state, area.pfns)
  state.vmap.nrPages -= area.pfns.length
  for (const object of area.objects) kfree(state, object)
  if (area.array !== undefined) vfree(state, area.array)
  if (lazy.reduce((sum, range) => sum + range.span, 0) > lazyMaxPages(state)) purgeLazy(state)
}

/** @kernel mm/vmalloc.c __purge_vmap_area_lazy() */
export function purgeLazy(state: KernelState): void {
  state.vmap.lazy.length = 0
  charge(state, state.costs.flushTlbAll)
}

/**
 * An area whose frames somebody else keeps: stacks of threads and of interrupts.
 * @param align  pages
 * @kernel  mm/vmalloc.c vmap(), __vmalloc_node_range() of alloc_thread_stack_node()
 */
export function addVmArea(
  state: KernelState,
  area: Pick<VmArea, 'pages' | 'caller' | 'kind' | 'pfns' | 'bootNid'>,
  align: Pages,
): VmArea {
  const made: VmArea = {
    ...area,
    region: 'vmalloc',
    start: findHole(state, 'vmalloc', area.pages + 1, align),
    span: area.pages + 1,
    objects: [],
    array: undefined,
  }
  insert(state, made)
  return made
}

/** The owner of the frames has freed them. @kernel mm/vmalloc.c remove_vm_area() */
export function removeVmArea(state: KernelState, area: VmArea): void {
  const { areas, lazy } = state.vmap
  areas.splice(areas.indexOf(area), 1)
  lazy.push({ region: area.region, start: area.start, span: area.span })
  if (lazy.reduce((sum, range) => sum + range.span, 0) > lazyMaxPages(state)) purgeLazy(state)
}
