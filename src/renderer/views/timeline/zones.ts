/** Zones as the recorder names them. Pure. */
import type { SeriesInfo, ZoneFrame } from '../../../protocol/messages'

/** 'zone:0:DMA32' for every zone that has a series of free pages. */
export const zoneKeys = (catalog: readonly SeriesInfo[]): readonly string[] =>
  catalog.flatMap(({ name }) => (/^zone:\d+:\w+:free$/.test(name) ? [name.slice(0, -':free'.length)] : []))

export const keyOfZone = (zone: { nid: number; name: string }): string => `zone:${zone.nid}:${zone.name}`

/** 'DMA32', or 'Normal, node 1' where there is more than one node. */
export function zoneTitle(key: string, nrNodes: number): string {
  const [, nid, name] = key.split(':')
  return nrNodes > 1 ? `${name}, node ${nid}` : `${name}`
}

/** The zone of each node that most allocations come from: its largest; two of them at most, the rest on request. */
export function mainZones(keys: readonly string[], zones: readonly ZoneFrame[]): readonly string[] {
  const largest = new Map<number, ZoneFrame>()
  for (const zone of zones) {
    const best = largest.get(zone.nid)
    if (!best || zone.managed > best.managed) largest.set(zone.nid, zone)
  }
  const main = [...largest.values()]
    .filter((zone) => zone.managed > 0)
    .map(keyOfZone)
    .filter((key) => keys.includes(key))
  return main.length > 0 ? main.slice(0, 2) : keys.slice(-1)
}
