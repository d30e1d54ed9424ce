/**
 * Memory policies: which node a page should come from, and which nodes it may come from. Setting them and moving pages
 * that lie elsewhere is mbind.ts.
 * @kernel  mm/mempolicy.c, include/uapi/linux/mempolicy.h
 * @spec    08 §8.1
 */
import { assert } from '../../util/assert'
import { currentNode, currentTask } from '../exec'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { gfpZone, ZONE_NORMAL } from './gfp'
import type { Mempolicy, Vma } from './mm_types'
import { confine, memsAllowed } from './cpuset_mems'
import type { Zonelists } from './mmzone'
import { nodeListText } from './show_mem'
import type { Vpn } from '../../util/units'

export const MPOL_DEFAULT = 0
export const MPOL_PREFERRED = 1
export const MPOL_BIND = 2
export const MPOL_INTERLEAVE = 3
export const MPOL_LOCAL = 4
export const MPOL_PREFERRED_MANY = 5
export const MPOL_WEIGHTED_INTERLEAVE = 6

export const MPOL_F_NUMA_BALANCING = 1 << 13
export const MPOL_F_RELATIVE_NODES = 1 << 14
export const MPOL_F_STATIC_NODES = 1 << 15
export const MPOL_MODE_FLAGS = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES | MPOL_F_NUMA_BALANCING

/** The request belongs to no place in a mapping or file: interleaving goes round. @kernel NO_INTERLEAVE_INDEX */
export const NO_INTERLEAVE_INDEX = -1
/** No page was interleaved yet: the first node of the mask is next. @kernel MAX_NUMNODES - 1 */
const BEFORE_FIRST = 1023

const MODE_NAMES = ['default', 'prefer', 'bind', 'interleave', 'local', 'prefer (many)', 'weighted interleave'] as const

/** `interleave:0-1`, `bind=static:2`, `local`. @kernel mm/mempolicy.c mpol_to_str() @spec 09 §9.8 numa_maps */
export function mpolText(policy: Mempolicy | undefined): string {
  if (policy === undefined) return 'default'
  const flags =
    (policy.flags & MPOL_F_STATIC_NODES) !== 0
      ? '=static'
      : (policy.flags & MPOL_F_RELATIVE_NODES) !== 0
        ? '=relative'
        : ''
  const nodes = policy.nodes.length === 0 ? '' : `:${nodeListText(policy.nodes)}`
  return `${MODE_NAMES[policy.mode]}${flags}${nodes}`
}

/** Bit n of the mask becomes the n-th allowed node, round and round. @kernel mpol_relative_nodemask() */
function relativeNodes(nodes: readonly number[], allowed: readonly number[]): number[] {
  return allowed.filter((_, i) => nodes.some((nid) => nid % allowed.length === i))
}

/**
 * A policy from what a system call was given.
 * @param modeAndFlags  MPOL_* | MPOL_F_*
 * @returns undefined = the default policy; 'EINVAL' as the kernel says
 * @kernel  mm/mempolicy.c sanitize_mpol_flags(), mpol_new(), mpol_set_nodemask()
 * @spec    08 §8.1
 */
export function mpolNew(
  state: KernelState,
  modeAndFlags: number,
  mask: readonly number[],
): Mempolicy | undefined | 'EINVAL' {
  const flags = modeAndFlags & MPOL_MODE_FLAGS
  const mode = modeAndFlags & ~MPOL_MODE_FLAGS
  const isKnown = mode >= 0 && mode <= (state.config.series === '6.1' ? MPOL_PREFERRED_MANY : MPOL_WEIGHTED_INTERLEAVE)
  const isBoth = (flags & MPOL_F_STATIC_NODES) !== 0 && (flags & MPOL_F_RELATIVE_NODES) !== 0
  if (!isKnown || isBoth) return 'EINVAL'
  if ((flags & MPOL_F_NUMA_BALANCING) !== 0 && mode !== MPOL_BIND && mode !== MPOL_PREFERRED_MANY) return 'EINVAL'
  if (mode === MPOL_DEFAULT) return mask.length === 0 ? undefined : 'EINVAL'
  if (mode === MPOL_LOCAL) {
    return mask.length === 0 && flags === 0 ? { mode, flags, nodes: [], confined: [] } : 'EINVAL'
  }
  if (mask.length === 0) {
    return mode === MPOL_PREFERRED && flags === 0 ? { mode: MPOL_LOCAL, flags, nodes: [], confined: [] } : 'EINVAL'
  }
  const allowed = memsAllowed(state, currentTask(state))
  const wanted =
    (flags & MPOL_F_RELATIVE_NODES) !== 0 ? relativeNodes(mask, allowed) : allowed.filter((nid) => mask.includes(nid))
  if (wanted.length === 0) return 'EINVAL'
  return withNodes(state, { mode, flags }, mask, wanted)
}

/** The policy over these nodes; `asked` is what rebinding starts from. @kernel mpol_ops[].create() */
function withNodes(
  state: KernelState,
  { mode, flags }: Pick<Mempolicy, 'mode' | 'flags'>,
  asked: readonly number[],
  wanted: readonly number[],
): Mempolicy {
  const nodes = mode === MPOL_PREFERRED ? wanted.slice(0, 1) : [...wanted]
  const confines = mode === MPOL_BIND || mode === MPOL_PREFERRED_MANY
  const confined = confines ? state.nodes.map((n) => confine(state, n, nodes)) : []
  return { mode, flags, nodes, confined, ...((flags & MPOL_USER_NODEMASK) === 0 ? {} : { asked: [...asked] }) }
}

const MPOL_USER_NODEMASK = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES

/**
 * The nodes of a cpuset have changed: static nodes are cut down anew, relative ones counted anew, others follow to the node
 * at the same place.
 * @kernel  mm/mempolicy.c mpol_rebind_policy(), mpol_rebind_nodemask()
 * @spec    08 §8.1
 */
export function mpolRebind(
  state: KernelState,
  policy: Mempolicy,
  { from, to }: { readonly from: readonly number[]; readonly to: readonly number[] },
): Mempolicy {
  if (policy.nodes.length === 0) return policy
  const asked = policy.asked ?? policy.nodes
  const isRelative = (policy.flags & MPOL_F_RELATIVE_NODES) !== 0
  const isStatic = (policy.flags & MPOL_F_STATIC_NODES) !== 0
  const next = isStatic
    ? to.filter((nid) => asked.includes(nid))
    : isRelative
      ? relativeNodes(asked, to)
      : to.filter((nid) => policy.nodes.some((n) => remapped(n, from, to) === nid))
  return withNodes(state, policy, asked, next.length === 0 ? to : next)
}

/** @kernel include/linux/nodemask.h node_remap() */
function remapped(nid: number, from: readonly number[], to: readonly number[]): number {
  const at = from.indexOf(nid)
  return at < 0 ? nid : to[at % to.length]!
}

/** @kernel mm/mempolicy.c mpol_equal() */
export function mpolEqual(a: Mempolicy | undefined, b: Mempolicy | undefined): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined || a.mode !== b.mode || a.flags !== b.flags) return false
  return a.nodes.length === b.nodes.length && a.nodes.every((nid, i) => nid === b.nodes[i])
}

/** What holds for a page of a mapping. @kernel mm/mempolicy.c get_vma_policy() */
export const vmaPolicy = (state: KernelState, vma: Vma): Mempolicy | undefined =>
  vma.policy ?? currentTask(state)?.mempolicy

/**
 * Place of a page in its object, in units of its order; private anonymous memory counts from address 0 of where it
 * was first mapped.
 * @kernel  mm/mempolicy.c get_vma_policy() ilx
 * @spec    08 §8.1 INTERLEAVE
 */
export function interleaveIndex(vma: Vma, vpn: Vpn, order: number): number {
  const size = 2 ** order
  return Math.floor(vma.pgoff / size) + Math.floor((vpn - vma.start) / size)
}

/**
 * Node that the policy asks for; the caller's interleave state moves on when the page has no place.
 * @kernel  mm/mempolicy.c policy_nodemask()
 */
export function policyNode(state: KernelState, policy: Mempolicy, ilx: number): number {
  switch (policy.mode) {
    case MPOL_PREFERRED:
      return policy.nodes[0]!
    case MPOL_INTERLEAVE:
      return ilx === NO_INTERLEAVE_INDEX ? interleaveNext(state, policy) : policy.nodes[ilx % policy.nodes.length]!
    case MPOL_WEIGHTED_INTERLEAVE:
      return ilx === NO_INTERLEAVE_INDEX ? weightedNext(state, policy) : weightedNode(state, policy.nodes, ilx)
    default:
      return currentNode(state)
  }
}

/** Next node of the mask behind `nid`, from the start again at its end. @kernel next_node_in() */
export const nextNodeIn = (nid: number, nodes: readonly number[]): number => nodes.find((n) => n > nid) ?? nodes[0]!

/** @kernel mm/mempolicy.c interleave_nodes() */
function interleaveNext(state: KernelState, policy: Mempolicy): number {
  const task = currentTask(state)
  const nid = nextNodeIn(task?.ilPrev ?? BEFORE_FIRST, policy.nodes)
  if (task !== undefined) task.ilPrev = nid
  return nid
}

/** @kernel mm/mempolicy.c weighted_interleave_nodes() */
function weightedNext(state: KernelState, policy: Mempolicy): number {
  const task = currentTask(state)
  let nid = task?.ilPrev ?? BEFORE_FIRST
  let left = task?.ilWeight ?? 0
  if (left === 0 || !policy.nodes.includes(nid)) {
    nid = nextNodeIn(nid, policy.nodes)
    left = interleaveWeight(state, nid)
  }
  if (task !== undefined) {
    task.ilPrev = nid
    task.ilWeight = left - 1
  }
  return nid
}

/** Pages in a row on the node: 1 until somebody writes its sysfs file. @kernel mm/mempolicy.c get_il_weight() */
export const interleaveWeight = (state: KernelState, nid: number): number => state.interleaveWeights?.[nid] ?? 1

/** @param weight  1 to 255 @kernel mm/mempolicy.c node_store() */
export function setInterleaveWeight(state: KernelState, nid: number, weight: number): void {
  state.interleaveWeights ??= state.nodes.map(() => 1)
  state.interleaveWeights[nid] = weight
}

/** @kernel mm/mempolicy.c weighted_interleave_nid() @spec 08 E1 */
function weightedNode(state: KernelState, nodes: readonly number[], ilx: number): number {
  const total = nodes.reduce((sum, nid) => sum + interleaveWeight(state, nid), 0)
  let target = ilx % total
  for (const nid of nodes) {
    const weight = interleaveWeight(state, nid)
    if (target < weight) return nid
    target -= weight
  }
  assert(false, `interleave index ${ilx} lies beyond all weights`)
}

/** Node of the task's next page that no mapping places; 0 when it does not interleave. @kernel do_get_mempolicy() MPOL_F_NODE */
export const nextInterleaved = (task: Task): number =>
  task.mempolicy?.mode === MPOL_INTERLEAVE || task.mempolicy?.mode === MPOL_WEIGHTED_INTERLEAVE
    ? nextNodeIn(task.ilPrev ?? BEFORE_FIRST, task.mempolicy.nodes)
    : 0

/** The task starts at the first node of its new policy. @kernel do_set_mempolicy() */
export function resetInterleave(task: Task): void {
  delete task.ilPrev
  delete task.ilWeight
}

/**
 * Zonelists for the request: those of the node, without forbidden nodes when the policy confines this zone.
 * @kernel  mm/mempolicy.c policy_nodemask(), apply_policy_zone()
 */
export function policyZonelists(state: KernelState, policy: Mempolicy, nid: number, gfp: number): Zonelists {
  const confines = policy.mode === MPOL_BIND && gfpZone(gfp) >= policyZone(state)
  return confines ? policy.confined[nid]! : state.nodes[nid]!
}

/** Lowest zone that policies rule: the highest one that holds any memory, Movable aside. @kernel policy_zone */
function policyZone(state: KernelState): number {
  for (let idx = ZONE_NORMAL; idx > 0; idx--) {
    if (state.zones.some((zone) => zone.idx === idx && zone.present > 0)) return idx
  }
  return 0
}

/**
 * Whether a task may use memory of these nodes, so that killing it could help.
 * @kernel  mm/mempolicy.c mempolicy_in_oom_domain()
 */
export function mempolicyInOomDomain(task: Task, nodemask: readonly number[]): boolean {
  const policy = task.mempolicy
  return policy?.mode !== MPOL_BIND || policy.nodes.some((nid) => nodemask.includes(nid))
}

/**
 * Nodes that a task's own policy names; undefined: it has none, all nodes are as good.
 * @kernel  mm/mempolicy.c init_nodemask_of_mempolicy()
 */
export function nodesOfPolicy(state: KernelState, task: Task | undefined): readonly number[] | undefined {
  const policy = task?.mempolicy
  if (policy === undefined || policy.mode === MPOL_DEFAULT) return undefined
  return policy.mode === MPOL_LOCAL ? [state.cpuNode[task!.cpu] ?? 0] : policy.nodes
}
