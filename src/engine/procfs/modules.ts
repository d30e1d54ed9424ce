/**
 * /proc/modules, /sys/module, and the file through which modprobe, insmod and rmmod of this machine ask the kernel.
 * @kernel  kernel/module/procfs.c m_show(), kernel/module/sysfs.c
 */
import { klog } from '../klog'
import { MODULES, findModule, loadModule, moduleBytes, unloadModule, type LoadedModule } from '../modules'
import type { KernelState } from '../state'
import type { PseudoDir, PseudoFile } from './types'
import { zswapModuleDir } from './zswap'
import { vmAddress } from './vmallocinfo'

const moduleLine = (state: KernelState, module: LoadedModule): string =>
  `${module.name} ${moduleBytes(module)} 0 - Live ${vmAddress(state, 'modules', module.areas[0]!.start)} (OE)\n`

/** Newest first. */
export const modulesText = (state: KernelState): string =>
  state.modules.loaded.map((module) => moduleLine(state, module)).join('')

const COUNTS: Readonly<Record<string, (module: LoadedModule) => number>> = {
  asked: (module) => module.asked,
  failed: (module) => module.failed,
  held: (module) => module.blocks.length,
}

/** What can be loaded, as `modinfo` would say it, and what those that are loaded did. */
const catalogue = (state: KernelState): string =>
  Object.entries(MODULES)
    .map(([name, { description, params }]) => {
      const module = findModule(state, name)
      const rows = Object.entries(params).map(
        ([key, { fallback, min, max, meaning }]) =>
          `  ${key}=${module?.params[key] ?? fallback}  ${meaning}, ${min} to ${max}\n`,
      )
      const counts = Object.entries(COUNTS).map(([key, count]) => `${key}=${module ? count(module) : 0}`)
      return `${name}: ${description}\n${rows.join('')}${module ? `  loaded ${counts.join(' ')}\n` : ''}`
    })
    .join('')

/** pagewalk/modules: 'load NAME [PARAM=VALUE]…' is init_module(2), 'unload NAME' is delete_module(2). */
export const moduleControl: PseudoFile = {
  read: catalogue,
  write: (state, text) => {
    const [verb = '', name = '', ...words] = text.trim().split(/\s+/)
    if (verb === 'load') return loadModule(state, name, words)
    if (verb === 'unload' && words.length === 0) return unloadModule(state, name)
    klog(state, `pagewalk/modules: '${verb}' is neither 'load NAME [PARAM=VALUE]...' nor 'unload NAME'`)
    return 'EINVAL'
  },
}

/** Of what is built into the kernel, only what has parameters that matter here. */
const builtIn = (state: KernelState): string[] => (zswapModuleDir.list(state, '') === undefined ? [] : ['zswap'])

/** /sys/module: size, parameters, and what a driver of ours counts. */
export const moduleDir: PseudoDir = {
  list: (state, path) => {
    const [name = '', part = '', more] = path.split('/')
    if (name === '') return [...state.modules.loaded.map((module) => module.name), ...builtIn(state)]
    if (name === 'zswap') return zswapModuleDir.list(state, path.slice('zswap/'.length))
    const module = findModule(state, name)
    if (module === undefined || more !== undefined) return undefined
    if (part === '') return ['coresize', 'initstate', 'parameters', 'refcnt']
    return part === 'parameters' ? [...Object.keys(module.params), ...Object.keys(COUNTS)] : undefined
  },
  file: (state, path) => {
    const [name = '', part = '', key = '', more] = path.split('/')
    if (name === 'zswap') return zswapModuleDir.file(state, path.slice('zswap/'.length))
    const module = findModule(state, name)
    if (module === undefined || more !== undefined) return undefined
    const plain: Readonly<Record<string, string>> = {
      coresize: `${moduleBytes(module)}`,
      initstate: 'live',
      refcnt: '0',
    }
    if (key === '') return Object.hasOwn(plain, part) ? { read: () => `${plain[part]}\n` } : undefined
    if (part !== 'parameters') return undefined
    if (Object.hasOwn(module.params, key)) return { read: () => `${module.params[key]}\n` }
    return Object.hasOwn(COUNTS, key) ? { read: () => `${COUNTS[key]!(module)}\n` } : undefined
  },
}
