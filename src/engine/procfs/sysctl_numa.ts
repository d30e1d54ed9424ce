/**
 * Sysctls of nodes: whether allocations are counted by node, and the order of zonelists.
 * @kernel  mm/vmstat.c, mm/page_alloc.c
 * @spec    08 §8.1
 */
import { klog } from '../klog'
import { NUMA_BALANCING_MEMORY_TIERING } from '../mm/numa_state'
import { INT_MAX } from './sysctl_rows'
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

/** @kernel kernel/sched/core.c sysctl_numa_balancing() @spec 08 §8.3 */
export const SYSCTL_NUMA_BALANCING: PseudoFile = {
  read: (state) => `${state.sysctl.numaBalancing}\n`,
  write: (state, text) => {
    const value = parseInteger(text)
    if (value === undefined || value < 0 || value > 4) return 'EINVAL'
    // Promotions are counted from now on. @kernel reset_memory_tiering()
    const turnsOn = (value & NUMA_BALANCING_MEMORY_TIERING) !== 0
    if (turnsOn && (state.sysctl.numaBalancing & NUMA_BALANCING_MEMORY_TIERING) === 0)
      for (const rate of state.numa.promotion) Object.assign(rate, { startNs: 0, candidates: 0 })
    state.sysctl.numaBalancing = value
    return undefined
  },
}

/** @kernel kernel/sched/fair.c sysctl_numa_balancing_promote_rate_limit @spec 08 §8.3 */
export const SYSCTL_PROMOTE_RATE: PseudoFile = {
  read: (state) => `${state.numa.promoteRateLimitMbps}\n`,
  write: (state, text) => {
    const value = parseInteger(text)
    if (value === undefined || value < 0 || value > INT_MAX) return 'EINVAL'
    state.numa.promoteRateLimitMbps = value
    return undefined
  },
}
