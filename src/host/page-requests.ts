/** The requests of the memory map: what is asked for by name becomes a lens, and bad places are refused in words. */
import { cgroupByPath } from '../engine/cgroup'
import { ZONE_NAMES } from '../engine/mm/gfp'
import type { PageLens } from '../engine/mm/page_colours'
import { zoneRam } from '../engine/mm/page_map'
import { findCache } from '../engine/mm/slab_state'
import type { KernelState } from '../engine/state'
import type { PageInfo, PageMap, PageMapLayout, PageMapQuery } from '../protocol/page-map'
import { PAGE_COLOURS, SHIFT_MAX } from '../protocol/page-map'
import { ok, userError, type Result } from '../util/result'
import type { Pfn } from '../util/units'
import { buildPageInfo } from './page-info'
import { lookAgain } from './page-levels'
import { readRanges } from './page-map'
import { readWhole } from './page-whole'
import { scannersOf } from './page-scanners'
import type { Up } from './session-state'

/** More cells than two large screens have. */
const CELLS_MAX = 1 << 24

export function pageMapLayout(state: KernelState): PageMapLayout {
  return {
    endPfn: state.memmap.endPfn,
    zones: state.zones
      .filter((zone) => zone.present > 0)
      .map((zone) => ({
        zone: zone.index,
        nid: zone.nid,
        name: ZONE_NAMES[zone.idx]!,
        startPfn: zone.startPfn,
        spanned: zone.spanned,
        present: zone.present,
        managed: zone.managed,
        ram: zoneRam(state, zone),
      })),
    caches: state.slabs.caches.map((cache) => cache.name),
  }
}

export function pageMap(up: Up, query: PageMapQuery, nowMs: () => number): Result<PageMap> {
  const { state } = up.machine
  const bad = problemOf(state, query)
  if (bad !== undefined) return userError('map/query', 'getPageMap', bad, 'Ask for a range of the layout.')
  const lens = lensOf(state, query)
  if (!lens.ok) return lens
  lookAgain(up.pages, up.machine)
  const read = readRanges(state, up.pages, { lens: lens.value, shift: query.shift, ranges: query.ranges }, nowMs)
  return ok({
    atNs: state.nowNs,
    ...read,
    whole: query.whole ? readWhole(state, up.pages, nowMs) : undefined,
    scanners: scannersOf(state),
    isMglru: (state.mglruEnabled & 1) !== 0,
  })
}

/** A window of another version could ask for anything. */
function problemOf(state: KernelState, query: PageMapQuery): string | undefined {
  const { shift, ranges, colour } = query
  if (!PAGE_COLOURS.includes(colour)) return `There is no sorting "${colour}".`
  if (!Number.isInteger(shift) || shift < 0 || shift > SHIFT_MAX) return `A cell of 2^${shift} frames is not possible.`
  const cells = ranges.reduce((sum, range) => sum + range.cells, 0)
  if (!(cells <= CELLS_MAX)) return `${cells} cells are more than one reply holds.`
  const isBad = ranges.some(
    ({ zone, startPfn, cells: n }) =>
      !Number.isInteger(n) ||
      n < 0 ||
      !Number.isInteger(startPfn) ||
      startPfn < 0 ||
      startPfn % 2 ** shift !== 0 ||
      state.zones[zone] === undefined,
  )
  return isBad ? 'A range begins inside a cell, or in no zone.' : undefined
}

function lensOf(state: KernelState, { colour, subject }: PageMapQuery): Result<PageLens> {
  if (colour === 'cgroup') {
    const memcg = cgroupByPath(state, subject)?.memcg ?? 0
    if (memcg !== 0) return ok({ colour, subject: memcg })
    return userError('map/group', subject, 'There is no such memory cgroup.', 'Take a path from the Containers view.')
  }
  if (colour === 'process') {
    const task = state.tasks[Number(subject)]
    if (task !== undefined && task.mm >= 0) return ok({ colour, subject: task.mm })
    const fix = 'Take a pid from the Processes view.'
    if (task !== undefined) return userError('map/process', `pid ${subject}`, 'It has no address space.', fix)
    return userError('map/process', `pid ${subject}`, 'There is no such process.', fix)
  }
  if (colour === 'slab') {
    const cache = findCache(state.slabs, subject)
    if (cache >= 0) return ok({ colour, subject: cache })
    return userError('map/slab', subject, 'There is no such slab cache.', 'Take a name from /proc/slabinfo.')
  }
  return ok({ colour, subject: 0 })
}

export function pageInfo(up: Up, pfn: Pfn): Result<PageInfo> {
  const { state } = up.machine
  const { endPfn } = state.memmap
  if (!Number.isInteger(pfn) || pfn < 0 || pfn >= endPfn) {
    return userError(
      'map/pfn',
      `pfn ${pfn}`,
      'No frame has this number.',
      `The machine's frames are 0 to 0x${(endPfn - 1).toString(16)}.`,
    )
  }
  lookAgain(up.pages, up.machine)
  return ok(buildPageInfo(state, up.pages.facts, pfn))
}
