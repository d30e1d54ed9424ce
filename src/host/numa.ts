/** Nodes, processes and balancing as the NUMA view asks for them: read through the engine's own readers. */
import { ZONE_NAMES } from '../engine/mm/gfp'
import { KSWAPD_ASLEEP } from '../engine/mm/kswapd'
import { memsAllowed } from '../engine/mm/cpuset_mems'
import { tierOf } from '../engine/mm/memory_tiers'
import { MPOL_BIND, mpolText } from '../engine/mm/mempolicy'
import { WMARK_HIGH, WMARK_LOW, WMARK_MIN, wmark, type PgData, type Zone } from '../engine/mm/mmzone'
import { mappedByNode } from '../engine/mm/numa_view'
import { mmOf } from '../engine/mm/rss'
import * as vs from '../engine/mm/vmstat'
import type { KernelState } from '../engine/state'
import type { Task } from '../engine/task'
import type { NumaNode, NumaProcess, NumaReply } from '../protocol/numa'
import { ok, type Result } from '../util/result'

export function numaReply(state: KernelState): Result<NumaReply> {
  const event = (item: number): number => vs.vmEvent(state.vmstat, item)
  return ok({
    atNs: state.nowNs,
    nodes: state.nodes.map((node) => nodeView(state, node)),
    processes: state.taskList.flatMap((pid) => processView(state, state.tasks[pid]) ?? []),
    balancing: {
      mode: state.sysctl.numaBalancing,
      pteUpdates: event(vs.NUMA_PTE_UPDATES),
      hintFaults: event(vs.NUMA_HINT_FAULTS),
      hintFaultsLocal: event(vs.NUMA_HINT_FAULTS_LOCAL),
      pagesMigrated: event(vs.NUMA_PAGES_MIGRATED),
      migrateFailed: event(vs.PGMIGRATE_FAIL),
    },
    zoneReclaimMode: state.sysctl.zoneReclaimMode,
    demotionEnabled: state.numa.demotionEnabled,
  })
}

function nodeView(state: KernelState, node: PgData): NumaNode {
  const zones = node.zones.map((z) => state.zones[z]!).filter((zone) => zone.present > 0)
  const sum = (pick: (zone: Zone) => number): number => zones.reduce((total, zone) => total + pick(zone), 0)
  const stat = (item: number): number => vs.readStat(node.stat, item)
  const numa = (item: number): number => sum((zone) => vs.readStat(zone.numaStat, item))
  return {
    nid: node.nid,
    cpus: node.cpus,
    tier: tierOf(state, node.nid),
    distances: state.config.distances[node.nid]!,
    order: node.nodeOrder,
    total: sum((zone) => zone.managed),
    free: sum((zone) => vs.readStat(zone.stat, vs.NR_FREE_PAGES)),
    anon: stat(vs.NR_ANON_PAGES),
    file: stat(vs.NR_FILE_PAGES),
    slab: stat(vs.NR_SLAB_RECLAIMABLE) + stat(vs.NR_SLAB_UNRECLAIMABLE),
    zones: zones.map((zone) => ({
      name: ZONE_NAMES[zone.idx]!,
      free: vs.readStat(zone.stat, vs.NR_FREE_PAGES),
      min: wmark(zone, WMARK_MIN),
      low: wmark(zone, WMARK_LOW),
      high: wmark(zone, WMARK_HIGH),
    })),
    hit: numa(vs.NUMA_HIT),
    miss: numa(vs.NUMA_MISS),
    foreign: numa(vs.NUMA_FOREIGN),
    interleaveHit: numa(vs.NUMA_INTERLEAVE),
    local: numa(vs.NUMA_LOCAL),
    other: numa(vs.NUMA_OTHER),
    kswapdRuns: node.kswapd.phase !== KSWAPD_ASLEEP,
    demoted: stat(vs.PGDEMOTE_KSWAPD) + stat(vs.PGDEMOTE_DIRECT),
    promoted: stat(vs.PGPROMOTE_SUCCESS),
  }
}

function processView(state: KernelState, task: Task | undefined): NumaProcess | undefined {
  const mm = task === undefined ? undefined : mmOf(state, task)
  if (task === undefined || mm === undefined) return undefined
  return {
    pid: task.pid,
    comm: task.comm,
    cpu: task.cpu,
    nid: state.cpuNode[task.cpu]!,
    policy: mpolText(task.mempolicy),
    ownPolicies: mm.vmas.filter((vma) => vma.policy !== undefined).length,
    mems: memsAllowed(state, task),
    bound: task.mempolicy?.mode === MPOL_BIND ? task.mempolicy.nodes : [],
    pages: mappedByNode(state, mm),
    preferredNid: task.numa?.preferredNid ?? -1,
    scanPeriodMs: task.numa?.scanPeriodMs ?? 0,
    faults: task.numa?.totalFaults ?? 0,
    migrated: task.numa?.pagesMigrated ?? 0,
  }
}
