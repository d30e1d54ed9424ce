/** The drawing of the address space as rows: zones with their owners and the holes between, by address. Pure. */
import type { ZoneFrame } from '../../../protocol/messages'
import type { Bytes } from '../../../util/units'
import { zonePieces, zoneRange, type Machine } from './address-space'

export interface AddressRow {
  readonly startBytes: Bytes
  readonly endBytes: Bytes
  /** 'DMA32', or why nothing is there. */
  readonly what: string
  /** undefined: a hole. */
  readonly zone: ZoneFrame | undefined
  /** Memory in the range, without the holes inside. */
  readonly memoryBytes: Bytes
}

export function addressRows({ preview, zones }: Machine): readonly AddressRow[] {
  const rows: AddressRow[] = [
    ...zones.map((zone) => ({
      ...zoneRange(zone),
      what: zone.name,
      zone,
      memoryBytes: zonePieces(zone, preview).reduce((sum, piece) => sum + piece.endBytes - piece.startBytes, 0),
    })),
    ...preview.holes.map((hole) => ({
      startBytes: hole.startBytes,
      endBytes: hole.endBytes,
      what: hole.why,
      zone: undefined,
      memoryBytes: 0,
    })),
  ]
  return rows.sort((a, b) => a.startBytes - b.startBytes || b.endBytes - a.endBytes)
}
