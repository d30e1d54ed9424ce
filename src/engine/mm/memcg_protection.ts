/**
 * memory.min and memory.low: how much of each group reclaim has to leave alone. Apart, because only reclaim asks.
 * @kernel  mm/page_counter.c (6.1: mm/memcontrol.c)
 * @spec    07 §7.5
 */
import type { Pages } from '../../util/units'
import type { KernelState } from '../state'
import { memcgAt, ROOT_MEMCG } from './memcg_tree'
import type { PageCounter } from './page_counter'

export interface ProtectionInput {
  readonly usage: Pages
  readonly parentUsage: Pages
  /** The group's own memory.min or memory.low. */
  readonly setting: Pages
  readonly parentEffective: Pages
  /** Σ min(usage, setting) over the parent's children. */
  readonly siblingsProtected: Pages
  /** Mount option memory_recursiveprot. */
  readonly recursive: boolean
}

/** a * b / c rounded down, in 64 bits as the kernel computes it; the products of two page counts pass 2^53. */
const mulDiv = (a: Pages, b: Pages, c: Pages): Pages => Number((BigInt(a) * BigInt(b)) / BigInt(c))

/**
 * A group's share of its parent's protection.
 * @kernel  mm/page_counter.c effective_protection()
 * @spec    07 §7.5
 */
export function effectiveProtection(p: ProtectionInput): Pages {
  const own = Math.min(p.usage, p.setting)
  if (p.siblingsProtected > p.parentEffective) return mulDiv(own, p.parentEffective, p.siblingsProtected)
  const unclaimed = p.parentEffective - p.siblingsProtected
  const unprotectedUsage = p.parentUsage - p.siblingsProtected
  if (!p.recursive || unclaimed <= 0 || unprotectedUsage <= 0 || p.usage <= own) return own
  return own + mulDiv(unclaimed, p.usage - own, unprotectedUsage)
}

/**
 * Computes emin and elow of one group for a reclaim from `targetId`; its ancestors below the target must have been done
 * before, as a walk with nextMemcg() does.
 * @param targetId  group that is reclaimed from; 0 or ROOT_MEMCG for global reclaim
 * @kernel  mm/page_counter.c page_counter_calculate_protection()
 */
export function calculateProtection(state: KernelState, targetId: number, id: number): void {
  const target = targetId || ROOT_MEMCG
  if (id === target) return
  const memcg = memcgAt(state, id)
  const c = memcg.memory
  if (c.usage === 0) return
  if (memcg.parent === target) {
    c.emin = c.min
    c.elow = c.low
    return
  }
  const parent = memcgAt(state, memcg.parent).memory
  c.emin = share(c, parent, {
    setting: c.min,
    parentEffective: parent.emin,
    siblingsProtected: parent.childrenMinUsage,
  })
  c.elow = share(c, parent, {
    setting: c.low,
    parentEffective: parent.elow,
    siblingsProtected: parent.childrenLowUsage,
  })
}

type ShareInput = Pick<ProtectionInput, 'setting' | 'parentEffective' | 'siblingsProtected'>

/** Nothing of nothing, which is what most groups have, is not computed: that was an eighth of a machine's reclaim. */
function share(c: PageCounter, parent: PageCounter, input: ShareInput): Pages {
  if (input.setting === 0 && input.parentEffective === 0) return 0
  return effectiveProtection({ ...input, usage: c.usage, parentUsage: parent.usage, recursive: true })
}

const isUnprotected = (targetId: number, id: number): boolean => id === ROOT_MEMCG || id === (targetId || ROOT_MEMCG)

/** All its memory is protected by memory.min: never reclaimed. @kernel mem_cgroup_below_min() */
export function memcgBelowMin(state: KernelState, targetId: number, id: number): boolean {
  if (isUnprotected(targetId, id)) return false
  const c = memcgAt(state, id).memory
  return c.emin >= c.usage
}

/** All its memory is protected by memory.low: skipped in the first pass. @kernel mem_cgroup_below_low() */
export function memcgBelowLow(state: KernelState, targetId: number, id: number): boolean {
  if (isUnprotected(targetId, id)) return false
  const c = memcgAt(state, id).memory
  return c.elow >= c.usage
}

/** Effective protection for scaling scan counts; none for the target itself. @kernel mem_cgroup_protection() */
export function memcgProtection(state: KernelState, targetId: number, id: number): { min: Pages; low: Pages } {
  if (isUnprotected(targetId, id)) return { min: 0, low: 0 }
  const c = memcgAt(state, id).memory
  return { min: c.emin, low: c.elow }
}
