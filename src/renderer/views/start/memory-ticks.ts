/** A machine's memory as pieces, one a node, on a log scale: 512 MiB and 1 TiB side by side. Pure. */
import type { Bytes } from '../../../util/units'
import { MIB } from '../../../util/units'

const PX_A_DOUBLING = 12
const SMALLEST: Bytes = 256 * MIB

export interface MemoryTick {
  readonly x: number
  readonly width: number
}

export function memoryTicks(bytes: Bytes, nodes: number): readonly MemoryTick[] {
  const doublings = Math.max(0.5, Math.log2(Math.max(1, bytes / SMALLEST)))
  const total = Math.min(148, doublings * PX_A_DOUBLING)
  const width = total / Math.max(1, nodes)
  return Array.from({ length: nodes }, (_, nid) => ({ x: nid * width, width: Math.max(1, width - 1) }))
}
