/**
 * Memory tiers as files: which nodes lie in which tier, and whether reclaim moves pages down instead of freeing them.
 * @kernel  mm/memory-tiers.c
 * @spec    08 §8.4
 */
import { memoryTiers } from '../mm/memory_tiers'
import type { KernelState } from '../state'
import { cpuList } from './cpu_list'
import type { PseudoDir } from './types'

/** Words that the kernel takes for a switch. @kernel lib/kstrtox.c kstrtobool() */
function parseBool(text: string): boolean | undefined {
  if (/^(?:[yYtT1]|[oO][nN])/.test(text)) return true
  return /^(?:[nNfF0]|[oO][fF])/.test(text) ? false : undefined
}

/** Below /sys/kernel/mm/numa. */
export const mmNumaDir: PseudoDir = {
  list: (_state, path) => (path === '' ? ['demotion_enabled'] : undefined),
  file: (_state, path) =>
    path !== 'demotion_enabled'
      ? undefined
      : {
          read: (state) => `${state.numa.demotionEnabled}\n`,
          write: (state, text) => {
            const value = parseBool(text)
            if (value === undefined) return 'EINVAL'
            state.numa.demotionEnabled = value
            return undefined
          },
        },
}

const tierAt = (state: KernelState, name: string): ReturnType<typeof memoryTiers>[number] | undefined =>
  memoryTiers(state).find(({ tier }) => name === `memory_tier${tier}`)

/** Below /sys/devices/virtual. */
export const virtualDir: PseudoDir = {
  list: (state, path) => {
    if (path === '') return ['memory_tiering']
    if (path === 'memory_tiering') return memoryTiers(state).map(({ tier }) => `memory_tier${tier}`)
    const [dir, name = '', more] = path.split('/')
    const isTier = dir === 'memory_tiering' && more === undefined && tierAt(state, name) !== undefined
    return isTier ? ['nodelist'] : undefined
  },
  file: (state, path) => {
    const [dir, name = '', file, more] = path.split('/')
    const tier = tierAt(state, name)
    if (dir !== 'memory_tiering' || file !== 'nodelist' || more !== undefined || tier === undefined) return undefined
    return { read: () => `${cpuList(tier.nodes)}\n` }
  },
}
