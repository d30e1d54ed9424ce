/** The status line of a session: where the machine is, and how it does. */
import { unusableFreeIndex } from '../engine/mm/fragmentation'
import { PAGEBLOCK_ORDER } from '../engine/mm/gfp'
import type { Zone } from '../engine/mm/mmzone'
import { NR_SLAB_RECLAIMABLE, NR_SLAB_UNRECLAIMABLE, OOM_KILL, readStat, vmEvent } from '../engine/mm/vmstat'
import type { KernelState } from '../engine/state'
import type { StatusMessage } from '../protocol/messages'
import { totalSize } from '../profiles/index'
import { recorderBytes } from '../recorder/recorder'
import { tightestZone } from './frames'
import type { Up } from './session-state'
import { measuredSpeed, type Pacer } from './pacer'
import { psiPercent } from './rates'

export function buildStatus({ machine, profile, profileText }: Up, pacer: Pacer): StatusMessage {
  const { state, config, rewind, recorder } = machine
  return {
    machine: config.name,
    release: config.release,
    cpus: config.nodes.reduce((sum, node) => sum + node.cpus.length, 0),
    memoryBytes: totalSize(profile),
    nodes: config.nodes.length,
    nowNs: state.nowNs,
    endNs: rewind.endNs,
    eventCount: state.eventCount,
    running: pacer.isRunning,
    speed: pacer.speed,
    measuredSpeed: measuredSpeed(pacer),
    seed: machine.seed,
    recorderBytes: (recorder === undefined ? 0 : recorderBytes(recorder)) + rewind.bytes,
    recorderBudgetBytes: (recorder?.options.frameBudgetBytes ?? 0) + rewind.budgetBytes,
    panicked: state.panicked,
    oomKills: vmEvent(state.vmstat, OOM_KILL),
    psiSome: psiPercent(state.psi.avg, 0),
    psiFull: psiPercent(state.psi.avg, 3),
    tightest: tightestZone(state),
    slabPages: slabPages(state),
    unusable: unusableOfLargest(state),
    profile: profileText,
  }
}

const slabPages = (state: KernelState): number =>
  state.nodes.reduce(
    (n, { stat }) => n + readStat(stat, NR_SLAB_RECLAIMABLE) + readStat(stat, NR_SLAB_UNRECLAIMABLE),
    0,
  )

function unusableOfLargest(state: KernelState): number {
  let largest: Zone | undefined
  for (const zone of state.zones) if (largest === undefined || zone.managed > largest.managed) largest = zone
  return largest === undefined ? 0 : unusableFreeIndex(largest.nrFree, PAGEBLOCK_ORDER) / 1000
}
