/**
 * Kernel modules that one can load: their code and data lie in vmalloc'ed memory, and three of them ask for memory as
 * drivers do. The modules are ours; loading, unloading and what they ask for go the kernel's way.
 * @kernel      kernel/module/main.c load_module(), free_module()
 * @simplifies  no symbols, no dependencies; the whole of a module's parameters are numbers
 */
import type { Errno } from '../util/errno'
import { NS_PER_S, PAGE_SIZE, type Bytes, type Ns, type Pfn } from '../util/units'
import { isSuspended } from './exec'
import { klog } from './klog'
import { GFP_ATOMIC, GFP_DMA, GFP_KERNEL } from './mm/gfp'
import { PG_KERNEL, PG_TAIL, setFlag, setFlagsOfRange } from './mm/memmap'
import { allocPages, freePages } from './mm/page_alloc'
import { orderOfBytes } from './mm/slub_size'
import { vfree, vmalloc, type VmArea } from './mm/vmalloc'
import { schedule } from './queue'
import type { KernelState } from './state'
import { addZramDevices, resetZram } from './zram_device'
import { TAINT_OOT_MODULE, TAINT_UNSIGNED_MODULE, addTaint, isTainted } from './taint'

interface ModuleParam {
  readonly fallback: number
  readonly min: number
  readonly max: number
  readonly meaning: string
}

export interface ModuleKind {
  readonly description: string
  /** Text, read-only data, data: an area each. `initBytes` is freed after loading; the file is copied in before. */
  readonly sections: readonly Bytes[]
  readonly initBytes: Bytes
  readonly params: Readonly<Record<string, ModuleParam>>
  /** Built with the kernel and signed: it taints nothing. */
  readonly isInTree?: true
}

const param = (fallback: number, min: number, max: number, meaning: string): ModuleParam => ({
  fallback,
  min,
  max,
  meaning,
})

/** Everything in /lib/modules. */
export const MODULES: Readonly<Record<string, ModuleKind>> = {
  pw_atomic: {
    description: 'a driver that asks for blocks with GFP_ATOMIC from its timer',
    sections: [8192, 4096, 4096],
    initBytes: 4096,
    params: {
      order: param(4, 0, 10, 'order of each block'),
      rate: param(100, 1, 10_000, 'requests a second'),
      hold: param(32, 0, 4096, 'blocks kept before the oldest goes back'),
    },
  },
  pw_dma: {
    description: 'a driver with buffers in ZONE_DMA',
    sections: [4096, 4096, 4096],
    initBytes: 4096,
    params: {
      bytes: param(65_536, 4096, 4_194_304, 'size of a buffer'),
      count: param(1, 1, 256, 'buffers'),
    },
  },
  pw_bulk: {
    description: 'a large module: code and tables of many megabytes, as a graphics driver has',
    sections: [4_194_304, 1_048_576, 524_288],
    initBytes: 262_144,
    params: { table_mb: param(0, 0, 65_536, "a table of so many MiB, vmalloc'ed at start") },
  },
  zram: {
    description: 'Compressed RAM Block Device',
    sections: [24_576, 8192, 8192],
    initBytes: 4096,
    params: { num_devices: param(1, 1, 16, 'Number of pre-created zram devices') },
    isInTree: true,
  },
}

export interface LoadedModule {
  readonly name: string
  readonly params: Record<string, number>
  /** Sections first; what the module asked for itself comes behind them. */
  readonly areas: VmArea[]
  readonly nrSections: number
  /** Blocks that it holds, oldest first. */
  readonly blocks: { readonly pfn: Pfn; readonly order: number }[]
  asked: number
  failed: number
  /** Tells an old timer from a new one. */
  readonly sequence: number
}

export interface Modules {
  readonly loaded: LoadedModule[]
  nextSequence: number
}

export const createModules = (): Modules => ({ loaded: [], nextSequence: 1 })

export const findModule = (state: KernelState, name: string): LoadedModule | undefined =>
  state.modules.loaded.find((module) => module.name === name)

/** Whole pages of its sections. @kernel /proc/modules */
export const moduleBytes = (module: LoadedModule): Bytes =>
  module.areas.slice(0, module.nrSections).reduce((sum, area) => sum + area.pages * PAGE_SIZE, 0)

/**
 * 'rate=5 order=2' → numbers with the rest at their defaults; or which word is wrong.
 * A parameter that the module does not have is left out with a warning. @kernel unknown_module_param_cb()
 */
function parseParams(
  state: KernelState,
  name: string,
  kind: ModuleKind,
  words: readonly string[],
): Record<string, number> | string {
  const values: Record<string, number> = {}
  for (const [key, { fallback }] of Object.entries(kind.params)) values[key] = fallback
  for (const word of words) {
    const [key = '', text = ''] = word.split('=', 2)
    const known = Object.hasOwn(kind.params, key) ? kind.params[key] : undefined
    const value = Number(text === '' ? Number.NaN : text)
    if (known === undefined) {
      klog(state, `${name}: unknown parameter '${key}' ignored`)
      continue
    }
    if (!Number.isInteger(value) || value < known.min || value > known.max)
      return `\`${text}' invalid for parameter \`${key}'`
    values[key] = value
  }
  return values
}

/** @kernel 6.12: execmem_alloc(), 6.1: module_alloc() */
function sectionArea(state: KernelState, bytes: Bytes): VmArea | undefined {
  const caller = state.config.series === '6.1' ? 'move_module' : 'execmem_alloc'
  return vmalloc(state, { bytes, gfp: GFP_KERNEL, region: 'modules', caller })
}

/** Sections, after the file itself has lain in memory for a moment. @returns undefined = no memory, nothing is held */
function loadSections(state: KernelState, kind: ModuleKind): VmArea[] | undefined {
  const bytes = kind.sections.reduce((sum, n) => sum + n, kind.initBytes)
  const file = vmalloc(state, { bytes, gfp: GFP_KERNEL, region: 'vmalloc', caller: 'kernel_read_file' })
  if (file === undefined) return undefined
  const areas: VmArea[] = []
  for (const section of [...kind.sections, kind.initBytes]) {
    const area = sectionArea(state, section)
    if (area === undefined) break
    areas.push(area)
  }
  vfree(state, file)
  if (areas.length === kind.sections.length + 1) return areas
  for (const area of areas) vfree(state, area)
  return undefined
}

/** A module that is not the kernel's own, and nobody has signed. @kernel check_modinfo(), module_sig_check() */
function taint(state: KernelState, name: string): void {
  if (!isTainted(state, TAINT_OOT_MODULE)) klog(state, `${name}: loading out-of-tree module taints kernel.`)
  if (!isTainted(state, TAINT_UNSIGNED_MODULE))
    klog(state, `${name}: module verification failed: signature and/or required key missing - tainting kernel`)
  addTaint(state, TAINT_OOT_MODULE)
  addTaint(state, TAINT_UNSIGNED_MODULE)
}

/**
 * Loads a module and runs its init.
 * @returns ENOENT no such module, EEXIST it is loaded, EINVAL a parameter is wrong, ENOMEM; the kernel log says more
 * @kernel  load_module(), do_init_module()
 */
export function loadModule(state: KernelState, name: string, words: readonly string[]): Errno | undefined {
  const kind = Object.hasOwn(MODULES, name) ? MODULES[name] : undefined
  if (kind === undefined) return 'ENOENT'
  if (findModule(state, name) !== undefined) return 'EEXIST'
  const params = parseParams(state, name, kind, words)
  if (typeof params === 'string') {
    klog(state, `${name}: ${params}`)
    return 'EINVAL'
  }
  const areas = loadSections(state, kind)
  if (areas === undefined) return isSuspended(state) ? 'EAGAIN' : 'ENOMEM'
  if (kind.isInTree !== true) taint(state, name)
  const init = areas.pop()!
  const sequence = state.modules.nextSequence++
  const nrSections = kind.sections.length
  const module: LoadedModule = { name, params, areas, nrSections, blocks: [], asked: 0, failed: 0, sequence }
  const errno = startModule(state, module)
  vfree(state, init)
  if (errno !== undefined) {
    giveAll(state, module)
    return errno
  }
  state.modules.loaded.unshift(module)
  return undefined
}

/** What the module's init function does. */
function startModule(state: KernelState, module: LoadedModule): Errno | undefined {
  const { name, params } = module
  if (name === 'pw_atomic') {
    scheduleTimer(state, module)
    return undefined
  }
  if (name === 'pw_dma') return takeBuffers(state, module)
  if (name === 'zram') {
    addZramDevices(state, params['num_devices']!)
    return undefined
  }
  if (params['table_mb'] === 0) return undefined
  const bytes = params['table_mb']! * 2 ** 20
  const table = vmalloc(state, { bytes, gfp: GFP_KERNEL, region: 'vmalloc', caller: `${name}_init [${name}]` })
  if (table === undefined) return 'ENOMEM'
  module.areas.push(table)
  return undefined
}

/** @kernel __get_free_pages(GFP_KERNEL | GFP_DMA, order) */
function takeBuffers(state: KernelState, module: LoadedModule): Errno | undefined {
  const order = orderOfBytes(module.params['bytes']!)
  for (let i = 0; i < module.params['count']!; i++)
    if (!takeBlock(state, module, GFP_KERNEL | GFP_DMA, order)) return isSuspended(state) ? 'EAGAIN' : 'ENOMEM'
  return undefined
}

function takeBlock(state: KernelState, module: LoadedModule, gfp: number, order: number): boolean {
  module.asked++
  const pfn = allocPages(state, gfp, order)
  if (pfn === 0) {
    module.failed++
    return false
  }
  setFlag(state.memmap, pfn, PG_KERNEL)
  if (order > 0) setFlagsOfRange(state.memmap, pfn + 1, (1 << order) - 1, PG_TAIL)
  module.blocks.push({ pfn, order })
  return true
}

function giveBlock(state: KernelState, { pfn, order }: { readonly pfn: Pfn; readonly order: number }): void {
  setFlagsOfRange(state.memmap, pfn, 1 << order, 0)
  freePages(state, pfn, order)
}

function giveAll(state: KernelState, module: LoadedModule): void {
  for (const block of module.blocks.splice(0)) giveBlock(state, block)
  for (const area of module.areas.splice(0)) vfree(state, area)
}

/**
 * Unloads a module; everything that it holds goes back.
 * @returns ENOENT it is not loaded; EBUSY a device of it is in use
 * @kernel  delete_module(), free_module()
 */
export function unloadModule(state: KernelState, name: string): Errno | undefined {
  const module = findModule(state, name)
  if (module === undefined) return 'ENOENT'
  if (name === 'zram' && state.swapAreas.some(({ device }) => state.devices[device]!.zram !== undefined)) return 'EBUSY'
  state.modules.loaded.splice(state.modules.loaded.indexOf(module), 1)
  if (name === 'zram') {
    for (const [index, { zram }] of state.devices.entries()) if (zram !== undefined) resetZram(state, index)
  }
  giveAll(state, module)
  return undefined
}

const periodNs = (module: LoadedModule): Ns => Math.round(NS_PER_S / module.params['rate']!)

function scheduleTimer(state: KernelState, module: LoadedModule): void {
  const { name, sequence } = module
  // From when it was due, not from when its work was done: the rate holds.
  schedule(state.queue, state.nowNs + periodNs(module), { kind: 'moduleTimer', name, sequence })
}

/** pw_atomic's timer: it may not sleep. @kernel call_timer_fn() in softirq context */
export function handleModuleTimer(
  state: KernelState,
  event: { readonly name: string; readonly sequence: number },
): void {
  const module = findModule(state, event.name)
  if (module === undefined || module.sequence !== event.sequence) return
  takeBlock(state, module, GFP_ATOMIC, module.params['order']!)
  while (module.blocks.length > module.params['hold']!) giveBlock(state, module.blocks.shift()!)
  scheduleTimer(state, module)
}
