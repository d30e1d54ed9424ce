/** What the NUMA view asks for: the nodes with their zones and counters, where every process's pages are, and balancing. */
import type { Ns, Pages } from '../util/units'

export interface GetNuma {
  readonly kind: 'getNuma'
}

export interface NumaZone {
  readonly name: string
  readonly free: Pages
  readonly min: Pages
  readonly low: Pages
  readonly high: Pages
}

export interface NumaNode {
  readonly nid: number
  readonly cpus: readonly number[]
  /** Number of its memory tier; 4 is DRAM. */
  readonly tier: number
  readonly distances: readonly number[]
  /** Nodes in the order in which an allocation from here spills, itself first if it has memory. */
  readonly order: readonly number[]
  readonly total: Pages
  readonly free: Pages
  readonly anon: Pages
  readonly file: Pages
  readonly slab: Pages
  readonly zones: readonly NumaZone[]
  /** Calls since boot, as numastat has them. */
  readonly hit: number
  readonly miss: number
  readonly foreign: number
  readonly interleaveHit: number
  readonly local: number
  readonly other: number
  readonly kswapdRuns: boolean
  readonly demoted: Pages
  readonly promoted: Pages
}

export interface NumaProcess {
  readonly pid: number
  readonly comm: string
  readonly cpu: number
  /** Node of that CPU. */
  readonly nid: number
  /** 'default', 'bind:1', 'interleave:0-1' … */
  readonly policy: string
  /** Mappings with a policy of their own. */
  readonly ownPolicies: number
  /** Nodes that its cpuset leaves. */
  readonly mems: readonly number[]
  /** Nodes that its policy confines it to; empty = none are forbidden. */
  readonly bound: readonly number[]
  /** Pages that it maps, by node. */
  readonly pages: readonly Pages[]
  /** −1 = balancing has no opinion. */
  readonly preferredNid: number
  readonly scanPeriodMs: number
  readonly faults: Pages
  readonly migrated: Pages
}

export interface NumaBalancingView {
  /** kernel.numa_balancing */
  readonly mode: number
  readonly pteUpdates: Pages
  readonly hintFaults: number
  readonly hintFaultsLocal: number
  readonly pagesMigrated: Pages
  readonly migrateFailed: Pages
}

export interface NumaReply {
  readonly atNs: Ns
  readonly nodes: readonly NumaNode[]
  readonly processes: readonly NumaProcess[]
  readonly balancing: NumaBalancingView
  readonly zoneReclaimMode: number
  readonly demotionEnabled: boolean
}
