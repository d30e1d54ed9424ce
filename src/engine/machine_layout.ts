/**
 * From a machine's description to its zones: how many pages each has, and how many boot keeps for itself. Pure arithmetic
 * over the configuration, so that a profile can be checked and drawn without booting.
 * @kernel  mm/mm_init.c, mm/page_alloc.c build_zonelists()
 * @spec    01 §1.2–1.4, §1.6a
 */
import { assert } from '../util/assert'
import type { Bytes, Pages } from '../util/units'
import type { MachineConfig, ZoneReservation } from './config'
import { modelReservations } from './machine_reservations'
import { ramRanges, spanZones, type ZoneSpan } from './machine_spans'
import { ZONE_NAMES } from './mm/gfp'

export interface ZoneLayout extends ZoneSpan {
  readonly managed: Pages
  /** What watermarks are computed from during boot. */
  readonly managedAtBoot: Pages
}

/** @kernel include/linux/numa.h MAX_NUMNODES with NODES_SHIFT 10 */
const MAX_NUMNODES = 1024

/** Gaps in physical memory below its end, bytes; `end` exclusive. */
export function holesOf(config: MachineConfig): { readonly start: Bytes; readonly end: Bytes }[] {
  const all = config.nodes.flatMap((n) => ramRanges(config, n.nid)).sort((a, b) => a.start - b.start)
  const holes: { start: Bytes; end: Bytes }[] = []
  let at = 0
  for (const range of all) {
    if (range.start > at) holes.push({ start: at * 4096, end: range.start * 4096 })
    at = Math.max(at, range.end)
  }
  return holes
}

/**
 * Five zones for every node, in node then zone order, empty ones included.
 * @kernel  mm/mm_init.c free_area_init(), zone_spanned_pages_in_node()
 * @spec    01 §1.3
 */
export function layoutZones(config: MachineConfig): ZoneLayout[] {
  const spans = spanZones(config)
  const rows = config.reservations.length > 0 ? config.reservations : modelReservations(config, spans)
  return spans.map((span) => {
    if (span.present === 0) return { ...span, managed: 0, managedAtBoot: 0 }
    const row = reservationOf(rows, span)
    assert(row !== undefined, `no reservation row for node ${span.nid} zone ${ZONE_NAMES[span.idx]}`)
    // The zone table has one entry for each MiB.
    assert(
      span.startPfn < 4096 || span.startPfn % 256 === 0,
      `node ${span.nid} ${row.zone} starts at pfn ${span.startPfn}`,
    )
    assert(
      row.managed <= span.present,
      `node ${span.nid} ${row.zone}: managed ${row.managed} > present ${span.present}`,
    )
    return { ...span, managed: row.managed, managedAtBoot: row.managed - row.returnedLate }
  })
}

function reservationOf(rows: readonly ZoneReservation[], span: ZoneSpan): ZoneReservation | undefined {
  return rows.find((r) => r.nid === span.nid && r.zone === ZONE_NAMES[span.idx])
}

/**
 * Fallback order of every node: near ones first, nodes that many others chose later. A node without memory appears
 * in no order, its own included.
 * @param distances  ACPI SLIT, 10 on the diagonal
 * @kernel  mm/page_alloc.c build_zonelists(), find_next_best_node()
 * @spec    01 §1.4
 */
export function nodeOrders(
  distances: readonly (readonly number[])[],
  hasMemory: readonly boolean[],
  hasCpu: readonly boolean[],
): number[][] {
  const load = distances.map(() => 0)
  return distances.map((row, local) => {
    const order: number[] = []
    const used = distances.map(() => false)
    let prev = local
    for (;;) {
      const pick = nextBestNode(row, local, { used, hasMemory, hasCpu, load })
      if (pick < 0) return order
      if (row[pick] !== row[prev]) load[pick]!++
      used[pick] = true
      order.push(pick)
      prev = pick
    }
  })
}

interface NodeFacts {
  readonly used: readonly boolean[]
  readonly hasMemory: readonly boolean[]
  readonly hasCpu: readonly boolean[]
  readonly load: readonly number[]
}

function nextBestNode(distance: readonly number[], local: number, facts: NodeFacts): number {
  if (!facts.used[local] && facts.hasMemory[local]) return local
  let best = -1
  let bestValue = Infinity
  for (let n = 0; n < distance.length; n++) {
    if (facts.used[n] || !facts.hasMemory[n]) continue
    const penalty = (n < local ? 1 : 0) + (facts.hasCpu[n] ? 1 : 0)
    const value = (distance[n]! + penalty) * MAX_NUMNODES + facts.load[n]!
    if (value >= bestValue) continue
    bestValue = value
    best = n
  }
  return best
}
