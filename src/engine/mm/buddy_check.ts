/**
 * What must hold of free lists and per-CPU lists, checked from outside by walking all of them. Slow by intent.
 * @model  no kernel function; CONFIG_DEBUG_VM checks single steps only
 * @spec   02 §2.11 "Invariants", 01 §1.11 I1–I5
 */
import type { Pages, Pfn } from '../../util/units'
import type { KernelState } from '../state'
import { freeBlockOrder, freeBlockType, freeListHead, managedRanges, nextFreeBlock, pageblockType } from './buddy'
import { MIGRATE_HIGHATOMIC, MIGRATE_ISOLATE, MIGRATE_TYPES, NR_PAGE_ORDERS, PAGEBLOCK_ORDER, ZONE_NAMES } from './gfp'
import { hasFlag, isFreeMarkTrue, PG_OWNER_MASK, PG_PCP, pageFlags, pageZoneIndex } from './memmap'
import { zoneFreePages, type Zone } from './mmzone'
import { forEachPcpBlock } from './pcp'

/** One sentence for each broken invariant of the allocator. @model see above @spec 02 §2.11 */
export function checkBuddy(state: KernelState): string[] {
  const found: string[] = []
  for (const zone of state.zones) {
    if (zone.present === 0) continue
    const name = `node ${zone.nid} zone ${ZONE_NAMES[zone.idx]}`
    const say = (text: string): void => {
      found.push(`${name}: ${text}`)
    }
    checkFreeLists(state, zone, say)
    checkPcp(state, zone, say)
    checkFrames(state, zone, say)
    checkMarks(zone, say)
  }
  return found
}

type Say = (text: string) => void

function checkFreeLists(state: KernelState, zone: Zone, say: Say): void {
  let pages: Pages = 0
  let highatomic: Pages = 0
  for (let order = 0; order < NR_PAGE_ORDERS; order++) {
    let blocks = 0
    for (let type = 0; type < MIGRATE_TYPES; type++) {
      let onList = 0
      for (let pfn = freeListHead(zone, order, type); pfn !== 0; pfn = nextFreeBlock(state, pfn, order)) {
        if (++onList > zone.present) {
          say(`free list of order ${order} type ${type} is circular`)
          return
        }
        checkFreeBlock(state, zone, pfn, { order, type }, say)
      }
      const counted = zone.nrFreeType[order * MIGRATE_TYPES + type]!
      if (onList !== counted) say(`order ${order} type ${type} holds ${onList} blocks, counted ${counted}`)
      blocks += onList
      if (type !== MIGRATE_ISOLATE) pages += onList << order
      if (type === MIGRATE_HIGHATOMIC) highatomic += onList << order
    }
    if (blocks !== zone.nrFree[order]) say(`order ${order} holds ${blocks} blocks, nr_free says ${zone.nrFree[order]}`)
  }
  if (pages !== zoneFreePages(zone)) say(`free lists hold ${pages} pages, nr_free_pages says ${zoneFreePages(zone)}`)
  if (highatomic !== zone.nrFreeHighatomic) say(`highatomic lists hold ${highatomic}, counted ${zone.nrFreeHighatomic}`)
}

function checkFreeBlock(
  state: KernelState,
  zone: Zone,
  pfn: Pfn,
  on: { readonly order: number; readonly type: number },
  say: Say,
): void {
  const { order, type } = on
  if (pfn % (1 << order) !== 0) say(`free block ${pfn} of order ${order} is not aligned`)
  if (pageZoneIndex(state.memmap, pfn) !== zone.index)
    say(`free block ${pfn} belongs to zone ${pageZoneIndex(state.memmap, pfn)}`)
  if (freeBlockOrder(state, pfn) !== order)
    say(`free block ${pfn} is on the list of order ${order}, marked ${freeBlockOrder(state, pfn)}`)
  if (freeBlockType(state, pfn, order) !== type) say(`free block ${pfn} is on the list of type ${type}`)
  // 6.1 moves free pages without converting their pageblock.
  if (zone.series !== '6.1' && pageblockType(state, pfn) !== type)
    say(`free block ${pfn} is on list ${type}, its pageblock is ${pageblockType(state, pfn)}`)
  // Whole pageblocks may lie side by side unmerged: of unlike types, or after one of them was converted while free.
  const buddy = pfn ^ (1 << order)
  const sameZone = pageZoneIndex(state.memmap, buddy) === zone.index
  if (order < PAGEBLOCK_ORDER && sameZone && freeBlockOrder(state, buddy) === order) {
    say(`free buddies ${pfn} and ${buddy} of order ${order} are not merged`)
  }
}

function checkPcp(state: KernelState, zone: Zone, say: Say): void {
  zone.pcp.forEach((pcp, cpu) => {
    let pages = 0
    forEachPcpBlock(state, zone, cpu, (pfn, order) => {
      pages += 1 << order
      if ((pageFlags(state.memmap, pfn) & PG_OWNER_MASK) !== PG_PCP)
        say(`pfn ${pfn} on a list of CPU ${cpu} has other owners`)
    })
    if (pages !== pcp.count) say(`lists of CPU ${cpu} hold ${pages} pages, count says ${pcp.count}`)
  })
}

/** No frame is in two free blocks, and the inside of a free block has no owner. */
function checkFrames(state: KernelState, zone: Zone, say: Say): void {
  for (const range of managedRanges(state, zone)) {
    for (let pfn = range.start; pfn < range.end;) {
      const order = freeBlockOrder(state, pfn)
      if (!isFreeMarkTrue(state.memmap, pfn)) say(`pfn ${pfn}: flags and order differ on whether it is free`)
      if (order < 0) {
        pfn++
        continue
      }
      for (let inside = pfn + 1; inside < pfn + (1 << order); inside++) {
        if (hasFlag(state.memmap, inside, PG_OWNER_MASK))
          say(`pfn ${inside} lies in the free block ${pfn} but has an owner`)
      }
      pfn += 1 << order
    }
  }
}

function checkMarks(zone: Zone, say: Say): void {
  const [min, low, high, promo] = zone.watermark as unknown as [number, number, number, number]
  if (!(min <= low && low <= high && high <= promo)) say(`marks ${min} ${low} ${high} ${promo} are not ascending`)
  if (low - min !== high - low || high - low !== promo - high)
    say(`marks ${min} ${low} ${high} ${promo} have unequal steps`)
  for (let j = 1; j < zone.lowmemReserve.length; j++) {
    if (zone.lowmemReserve[j]! < zone.lowmemReserve[j - 1]!) say(`lowmem_reserve falls at ${j}`)
  }
}
