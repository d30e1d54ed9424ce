/**
 * The machine as it is now, as the sections of a `frame` message: read through accessors, copied into plain messages.
 * What needs two looks (how busy a CPU was) remembers the look before in a FrameMemory.
 */
import { ZONE_NAMES } from '../engine/mm/gfp'
import { pageZoneIndex } from '../engine/mm/memmap'
import { wmark, WMARK_HIGH, WMARK_LOW, WMARK_MIN, type Zone } from '../engine/mm/mmzone'
import { tablePfn } from '../engine/mm/pgtable'
import {
  NR_FREE_PAGES,
  NR_ZONE_ACTIVE_ANON,
  NR_ZONE_ACTIVE_FILE,
  NR_ZONE_INACTIVE_ANON,
  NR_ZONE_INACTIVE_FILE,
  NR_ZONE_UNEVICTABLE,
  readStat,
} from '../engine/mm/vmstat'
import type { KernelState } from '../engine/state'
import { throttledNs } from '../recorder/spans'
import type { Frame, FrameSection, ZoneFrame } from '../protocol/messages'
import { pagesToBytes, type Ns } from '../util/units'
import type { Machine } from './machine'
import { cgroupFrames, taskFrames } from './frames-tasks'
import { percentOf, psiPercent, type FrameMemory } from './rates'

export function buildFrame(machine: Machine, sections: readonly FrameSection[], memory: FrameMemory): Frame {
  const { state, recorder } = machine
  const has = (section: FrameSection): boolean => sections.includes(section)
  const sinceNs = state.nowNs - memory.atNs
  const throttled = has('cgroups') && recorder !== undefined ? throttledNs(recorder.spans, state.nowNs) : []
  const frame: Frame = {
    atNs: state.nowNs,
    ...(has('zones') ? { zones: zoneFrames(state) } : {}),
    ...(has('tasks') ? { tasks: taskFrames(state, memory, sinceNs), cpus: cpuFrames(state, memory, sinceNs) } : {}),
    ...(has('cgroups') ? { cgroups: cgroupFrames(state, throttled) } : {}),
    ...(has('swap') ? { swap: swapFrames(state) } : {}),
    ...(has('pressure') ? { pressure: pressureFrame(state) } : {}),
  }
  memory.atNs = state.nowNs
  return frame
}

// ---------------------------------------------------------------- zones

export function zoneFrames(state: KernelState): ZoneFrame[] {
  const tables = tablesByZone(state)
  return state.zones.filter((zone) => zone.spanned > 0).map((zone) => zoneFrame(zone, tables[zone.index] ?? 0))
}

/** Frames that are page tables, by zone index. */
function tablesByZone(state: KernelState): number[] {
  const counts: number[] = new Array(state.zones.length).fill(0)
  const { pgtables, memmap } = state
  for (let table = 0; table < pgtables.count; table++) {
    const pfn = tablePfn(pgtables, table)
    if (pfn !== 0) counts[pageZoneIndex(memmap, pfn)]!++
  }
  return counts
}

/** Mlocked memory is counted as anonymous: nearly all of it is. The kernel's share is what nobody else has. */
function zoneFrame(zone: Zone, pagetables: number): ZoneFrame {
  const free = readStat(zone.stat, NR_FREE_PAGES)
  const pcp = zone.pcp.reduce((sum, p) => sum + p.count, 0)
  const anon =
    readStat(zone.stat, NR_ZONE_INACTIVE_ANON) +
    readStat(zone.stat, NR_ZONE_ACTIVE_ANON) +
    readStat(zone.stat, NR_ZONE_UNEVICTABLE)
  const file = readStat(zone.stat, NR_ZONE_INACTIVE_FILE) + readStat(zone.stat, NR_ZONE_ACTIVE_FILE)
  return {
    nid: zone.nid,
    name: ZONE_NAMES[zone.idx]!,
    startPfn: zone.startPfn,
    free,
    min: wmark(zone, WMARK_MIN),
    low: wmark(zone, WMARK_LOW),
    high: wmark(zone, WMARK_HIGH),
    boost: zone.watermarkBoost,
    spanned: zone.spanned,
    present: zone.present,
    managed: zone.managed,
    pcp,
    anon,
    file,
    pagetables,
    kernel: Math.max(0, zone.managed - free - pcp - anon - file - pagetables),
    protection: [...zone.lowmemReserve],
  }
}

/** The populated zone that is nearest to trouble: free above min as a share of what lies between min and high. */
export function tightestZone(state: KernelState): ZoneFrame | undefined {
  let tightest: Zone | undefined
  let least = Infinity
  for (const zone of state.zones) {
    if (zone.managed === 0) continue
    const min = wmark(zone, WMARK_MIN)
    const room = (readStat(zone.stat, NR_FREE_PAGES) - min) / Math.max(1, wmark(zone, WMARK_HIGH) - min)
    if (room < least) {
      least = room
      tightest = zone
    }
  }
  return tightest && zoneFrame(tightest, tablesByZone(state)[tightest.index] ?? 0)
}

// ---------------------------------------------------------------- the rest

function cpuFrames(state: KernelState, memory: FrameMemory, sinceNs: Ns): NonNullable<Frame['cpus']> {
  return state.runqueues.map((runqueue, cpu) => {
    const busyPercent = percentOf(runqueue.busyNs - (memory.cpuBusyNs[cpu] ?? 0), sinceNs)
    memory.cpuBusyNs[cpu] = runqueue.busyNs
    const pid = runqueue.queue[0]
    return {
      cpu,
      nid: state.cpuNode[cpu] ?? 0,
      comm: pid === undefined ? '' : (state.tasks[pid]?.comm ?? ''),
      busyPercent,
    }
  })
}

const swapFrames = (state: KernelState): NonNullable<Frame['swap']> =>
  state.swapAreas
    .filter((area) => area.enabled)
    .map(({ path, pages, used, priority }) => ({
      path,
      totalBytes: pagesToBytes(pages),
      usedBytes: pagesToBytes(used),
      priority,
    }))

function pressureFrame(state: KernelState): NonNullable<Frame['pressure']> {
  const { avg } = state.psi
  return {
    some: [psiPercent(avg, 0), psiPercent(avg, 1), psiPercent(avg, 2)],
    full: [psiPercent(avg, 3), psiPercent(avg, 4), psiPercent(avg, 5)],
  }
}
