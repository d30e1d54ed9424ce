/**
 * Sysctls of nodes: whether allocations are counted by node, and the order of zonelists.
 * @kernel  mm/vmstat.c, mm/page_alloc.c
 * @spec    08 §8.1
 */
import { klog } from '../klog'
import { parseInteger } from './sysctl_text'
import type { PseudoFile } from './types'

/**
 * Without them an allocation is cheaper; what was counted is forgotten at once.
 * @kernel  mm/vmstat.c sysctl_vm_numa_stat_handler(), invalid_numa_statistics()
 */
export const SYSCTL_NUMA_STAT: PseudoFile = {
  read: (state) => `${state.sysctl.numaStat}\n`,
  write: (state, text) => {
    const value = parseInteger(text)
    if (value === undefined || value < 0 || value > 1) return 'EINVAL'
    if (value === state.sysctl.numaStat) return undefined
    state.sysctl.numaStat = value
    if (value === 0) for (const zone of state.zones) zone.numaStat.fill(0)
    klog(state, value === 1 ? 'enable numa statistics' : 'disable numa statistics, and clear numa counters')
    return undefined
  },
}

/** There is one order left; older names of it are taken. @kernel mm/page_alloc.c numa_zonelist_order_handler() */
export const SYSCTL_NUMA_ZONELIST_ORDER: PseudoFile = {
  read: () => 'Node\n',
  write: (state, text) => {
    if (/^[dn]/i.test(text)) return undefined
    klog(state, `Ignoring unsupported numa_zonelist_order value:  ${text.trim()}`)
    return 'EINVAL'
  },
}
