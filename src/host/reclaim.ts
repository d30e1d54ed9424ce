/** Reclaim as the Reclaim view asks for it: read through the engine's own readers; bad places are refused in words. */
import { cgroupByPath, cgroupPath } from '../engine/cgroup'
import { ZONE_NAMES } from '../engine/mm/gfp'
import { KSWAPD_ASLEEP, KSWAPD_NAPPING } from '../engine/mm/kswapd'
import { ROOT_MEMCG } from '../engine/mm/memcontrol'
import { WMARK_HIGH, WMARK_LOW, WMARK_MIN, wmark } from '../engine/mm/mmzone'
import { balanceView, lookingScan } from '../engine/mm/reclaim/balance_view'
import { gensView } from '../engine/mm/reclaim/gens_view'
import { fullestGroup, groupsBelow, listsView } from '../engine/mm/reclaim/lists_view'
import { runsView } from '../engine/mm/reclaim/runs_view'
import { totalSwapPages } from '../engine/mm/swap_space'
import { NR_FREE_PAGES, readStat } from '../engine/mm/vmstat'
import type { KernelState } from '../engine/state'
import type { GetReclaim, KswapdNow, ReclaimReply, ReclaimZone } from '../protocol/reclaim'
import { ok, userError, type Result } from '../util/result'

/** More than a table shows without scrolling for long. */
const RUNS_SHOWN = 60

export function reclaimReply(state: KernelState, { nid, group, asLimit }: GetReclaim): Result<ReclaimReply> {
  if (state.nodes[nid] === undefined)
    return userError(
      'reclaim/node',
      `node ${nid}`,
      'There is no such node.',
      `Nodes are 0 to ${state.nodes.length - 1}.`,
    )
  const cgroup = cgroupByPath(state, group)
  const memcg = cgroup?.memcg ?? 0
  if (memcg === 0)
    return userError('reclaim/group', group, 'There is no such memory cgroup.', 'Take a path from the Containers view.')
  const target = asLimit && memcg !== ROOT_MEMCG ? memcg : 0
  const isMglru = (state.mglruEnabled & 1) !== 0
  const groups = groupsBelow(state, memcg)
  const leader = fullestGroup(state, nid, groups)
  const gens = isMglru ? gensView(state, lookingScan(target), nid, groups) : undefined
  return ok({
    atNs: state.nowNs,
    policy: isMglru ? 'mglru' : 'classic',
    nid,
    group,
    swappiness: state.sysctl.swappiness,
    hasSwap: totalSwapPages(state) > 0,
    lists: listsView(state, nid, memcg),
    gens,
    leader: pathOfMemcg(state, leader) || '/',
    balance: isMglru ? undefined : balanceView(state, nid, leader, target),
    kswapd: kswapdNow(state, nid),
    zones: zonesOf(state, nid),
    decisions: [...state.reclaim.reclaimLog.decisions[nid]!],
    runs: runsView(state, { nid, groups: memcg === ROOT_MEMCG ? [] : groups, most: RUNS_SHOWN }).map((run) => ({
      ...run,
      targetPath: pathOfMemcg(state, run.target),
    })),
    nrRuns: state.reclaim.reclaimLog.nrRuns,
  })
}

function pathOfMemcg(state: KernelState, memcg: number): string {
  const found = memcg > ROOT_MEMCG ? state.memcgs[memcg] : undefined
  return found === undefined ? '' : cgroupPath(state, found.cgroup)
}

function kswapdNow(state: KernelState, nid: number): KswapdNow {
  const { kswapd } = state.nodes[nid]!
  const run = state.reclaim.kswapd[nid]!
  const task = state.tasks[kswapd.pid]
  return {
    pid: kswapd.pid,
    phase: kswapd.phase === KSWAPD_ASLEEP ? 'asleep' : kswapd.phase === KSWAPD_NAPPING ? 'napping' : 'running',
    failures: kswapd.failures,
    priority: run.sc.priority,
    order: run.order,
    wanted: run.sc.nrToReclaim,
    reclaimed: run.sc.nrReclaimed,
    cpuNs: task === undefined ? 0 : task.utimeNs + task.stimeNs,
  }
}

const zonesOf = (state: KernelState, nid: number): ReclaimZone[] =>
  state.nodes[nid]!.zones.map((index) => state.zones[index]!)
    .filter((zone) => zone.managed > 0)
    .map((zone) => ({
      name: ZONE_NAMES[zone.idx]!,
      zone: zone.index,
      free: readStat(zone.stat, NR_FREE_PAGES),
      min: wmark(zone, WMARK_MIN),
      low: wmark(zone, WMARK_LOW),
      high: wmark(zone, WMARK_HIGH),
      boost: zone.watermarkBoost,
    }))
