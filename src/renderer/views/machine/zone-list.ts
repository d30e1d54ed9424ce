/** In which order a node's allocations try the zones, and what the zones keep back from each other. Pure. */
import type { MachinePreview, ZoneFrame } from '../../../protocol/messages'

const HIGHEST_FIRST: readonly string[] = ['Movable', 'Normal', 'DMA32', 'DMA']

export interface ZoneStep {
  readonly name: string
  readonly nid: number
}

/**
 * The fallback list of a node: its nodes by distance, in each the zones from the top down.
 * @kernel mm/page_alloc.c build_zonelists()
 */
export function zonelist(nid: number, preview: MachinePreview, zones: readonly ZoneFrame[]): readonly ZoneStep[] {
  const order = preview.nodes.find((node) => node.nid === nid)?.order ?? []
  return order.flatMap((other) =>
    HIGHEST_FIRST.filter((name) =>
      zones.some((zone) => zone.nid === other && zone.name === name && zone.managed > 0),
    ).map((name) => ({ name, nid: other })),
  )
}

export const zoneKey = (zone: { readonly nid: number; readonly name: string }): string => `${zone.nid} ${zone.name}`

/** CPU numbers as ranges: 0–3, 8. */
export function cpuRanges(cpus: readonly number[]): string {
  const out: string[] = []
  for (let at = 0; at < cpus.length;) {
    let end = at
    while (end + 1 < cpus.length && cpus[end + 1] === cpus[end]! + 1) end++
    out.push(end === at ? `${cpus[at]}` : `${cpus[at]}–${cpus[end]}`)
    at = end + 1
  }
  return out.join(', ')
}
