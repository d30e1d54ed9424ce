/**
 * Zones and watermarks of a configuration without booting it: what the hardware editor redraws at every keystroke.
 * @spec 01 §1.2–§1.7
 */
import type { Pages } from '../util/units'
import type { MachineConfig } from './config'
import { holesOf, layoutZones } from './machine_layout'
import { ZONE_NAMES } from './mm/gfp'
import { WMARK_HIGH, WMARK_LOW, WMARK_MIN, createNodes, type Zone } from './mm/mmzone'
import { initMinFreeKbytes } from './mm/watermark'
import type { KernelState, Sysctl } from './state'

export interface PreviewZone {
  readonly nid: number
  readonly name: string
  readonly startPfn: number
  readonly spanned: Pages
  readonly present: Pages
  readonly managed: Pages
  readonly min: Pages
  readonly low: Pages
  readonly high: Pages
  readonly protection: readonly Pages[]
}

export interface Preview {
  readonly zones: readonly PreviewZone[]
  readonly nodes: readonly { readonly nid: number; readonly order: readonly number[]; readonly managed: Pages }[]
  /** Bytes, end exclusive. */
  readonly holes: readonly { readonly start: number; readonly end: number }[]
  readonly minFreeKbytes: number
  readonly totalPages: Pages
}

const previewZone = (zone: Zone): PreviewZone => ({
  nid: zone.nid,
  name: ZONE_NAMES[zone.idx]!,
  startPfn: zone.startPfn,
  spanned: zone.spanned,
  present: zone.present,
  managed: zone.managed,
  min: zone.watermark[WMARK_MIN]!,
  low: zone.watermark[WMARK_LOW]!,
  high: zone.watermark[WMARK_HIGH]!,
  protection: [...zone.lowmemReserve],
})

/** The sysctls that decide watermarks, at their defaults or as the profile sets them. */
function watermarkSysctls(config: MachineConfig): Partial<Sysctl> {
  const wsf = Number(config.sysctls['vm.watermark_scale_factor'] ?? 10)
  const mfk = config.sysctls['vm.min_free_kbytes']
  const ratio = config.sysctls['vm.lowmem_reserve_ratio']?.trim().split(/\s+/).map(Number)
  return {
    minFreeKbytes: mfk === undefined ? 0 : Number(mfk),
    userMinFreeKbytes: mfk === undefined ? -1 : Number(mfk),
    watermarkScaleFactor: wsf,
    lowmemReserveRatio: ratio ?? [256, 256, 32, 0, 0],
    percpuPagelistHighFraction: 0,
  }
}

/** @param config  validated */
export function previewMachine(config: MachineConfig): Preview {
  const { nodes, zones } = createNodes(config, layoutZones(config))
  const cpuNode: number[] = []
  for (const node of config.nodes) for (const cpu of node.cpus) cpuNode[cpu] = node.nid
  // Watermark code reads only these fields of a machine.
  const state = {
    config,
    zones,
    nodes,
    cpuNode,
    sysctl: watermarkSysctls(config),
    thpEnabled: config.thp,
    totalreservePages: 0,
  } as unknown as KernelState
  initMinFreeKbytes(state)
  return {
    zones: zones.map(previewZone),
    nodes: nodes.map((n) => ({
      nid: n.nid,
      order: n.nodeOrder,
      managed: zones.filter((z) => z.nid === n.nid).reduce((sum, z) => sum + z.managed, 0),
    })),
    holes: holesOf(config),
    minFreeKbytes: state.sysctl.minFreeKbytes,
    totalPages: zones.reduce((sum, z) => sum + z.managed, 0),
  }
}
