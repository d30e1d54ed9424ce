/**
 * The sysctls that a profile may set at boot, with what their handlers accept and the kernel's default: those that the
 * engine has (a test writes each). Used to refuse a profile before it boots, and by the importer to find what somebody
 * changed on a captured machine.
 */
import { nearestName } from '../util/nearest'

export interface SysctlRow {
  readonly name: string
  /** '' when the kernel computes it at boot. */
  readonly initial: string
  readonly min: number
  readonly max: number
  /** How many numbers the file holds. */
  readonly count?: number
}

const INT_MAX = 2147483647

/** @spec 01 §1.10, 04 §4.9, 05, 06 §6.6, 08; ranges from mm/*.c and kernel/sysctl.c of 6.12 */
export const SYSCTLS: readonly SysctlRow[] = [
  { name: 'vm.admin_reserve_kbytes', initial: '8192', min: 0, max: INT_MAX },
  { name: 'vm.dirty_background_bytes', initial: '0', min: 0, max: INT_MAX },
  { name: 'vm.dirty_background_ratio', initial: '10', min: 0, max: 100 },
  { name: 'vm.dirty_bytes', initial: '0', min: 0, max: INT_MAX },
  { name: 'vm.dirty_expire_centisecs', initial: '3000', min: 0, max: INT_MAX },
  { name: 'vm.dirty_ratio', initial: '20', min: 0, max: 100 },
  { name: 'vm.dirty_writeback_centisecs', initial: '500', min: 0, max: INT_MAX },
  { name: 'vm.lowmem_reserve_ratio', initial: '256 256 32 0 0', min: 0, max: INT_MAX, count: 5 },
  { name: 'vm.max_map_count', initial: '65530', min: 0, max: INT_MAX },
  { name: 'vm.min_free_kbytes', initial: '', min: 0, max: INT_MAX },
  { name: 'vm.oom_dump_tasks', initial: '1', min: 0, max: INT_MAX },
  { name: 'vm.oom_kill_allocating_task', initial: '0', min: 0, max: INT_MAX },
  { name: 'vm.overcommit_kbytes', initial: '0', min: 0, max: INT_MAX },
  { name: 'vm.overcommit_memory', initial: '0', min: 0, max: 2 },
  { name: 'vm.overcommit_ratio', initial: '50', min: 0, max: INT_MAX },
  { name: 'vm.page-cluster', initial: '3', min: 0, max: 31 },
  { name: 'vm.panic_on_oom', initial: '0', min: 0, max: 2 },
  { name: 'vm.percpu_pagelist_high_fraction', initial: '0', min: 0, max: INT_MAX },
  { name: 'vm.stat_interval', initial: '1', min: 1, max: INT_MAX },
  { name: 'vm.swappiness', initial: '60', min: 0, max: 200 },
  { name: 'vm.user_reserve_kbytes', initial: '', min: 0, max: INT_MAX },
  { name: 'vm.vfs_cache_pressure', initial: '100', min: 0, max: INT_MAX },
  { name: 'vm.watermark_boost_factor', initial: '15000', min: 0, max: INT_MAX },
  { name: 'vm.watermark_scale_factor', initial: '10', min: 1, max: 3000 },
]

export interface SysctlFault {
  readonly message: string
  readonly fix: string
}

/** What is wrong with setting `name` to `value` at boot; undefined when nothing is. */
export function sysctlFault(name: string, value: string): SysctlFault | undefined {
  const row = SYSCTLS.find((s) => s.name === name)
  if (!row) {
    const nearest = nearestName(
      name,
      SYSCTLS.map((s) => s.name),
    )
    const fix =
      nearest === undefined ? `Known are ${SYSCTLS[0]!.name} … ${SYSCTLS.at(-1)!.name}.` : `Did you mean '${nearest}'?`
    return { message: `There is no sysctl '${name}'.`, fix }
  }
  const range = row.max === INT_MAX ? `${row.min} or more` : `${row.min} to ${row.max}`
  const words = value.trim().split(/\s+/)
  if (words.length !== (row.count ?? 1)) {
    return {
      message: `'${value}' is not ${row.count ?? 1} number${row.count ? 's' : ''}.`,
      fix: `Accepted: ${range}, for example "${row.initial}".`,
    }
  }
  for (const word of words) {
    const n = /^-?\d+$/.test(word) ? Number(word) : undefined
    const refused =
      n === undefined ||
      n < row.min ||
      n > row.max ||
      (row.name === 'vm.percpu_pagelist_high_fraction' && n > 0 && n < 8)
    if (refused)
      return {
        message: `The kernel refuses '${word}'.`,
        fix: `Accepted: ${row.name.endsWith('high_fraction') ? '0, or 8 or more' : range}.`,
      }
  }
  return undefined
}
