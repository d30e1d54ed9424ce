/**
 * What must hold for the LRU lists, swap slots and dirty pages at every moment between two events.
 * @spec 05 §5.16 invariants
 */
import type { KernelState } from '../state'
import { folioNrPages } from './folio'
import { MAX_NR_ZONES } from './gfp'
import { MAX_NR_GENS, NR_LRU_LISTS, folioLruvec, type Lruvec } from './lruvec'
import {
  PG_DIRTY,
  PG_FILE,
  PG_LRU,
  PG_LRU_BATCH,
  PG_SWAPBACKED,
  PG_SWAPCACHE,
  PG_UNEVICTABLE,
  PG_WRITEBACK,
  hasFlag,
  listHead,
  listTail,
  nextOnList,
  pageFlags,
  pageMapping,
  pageZoneIndex,
  prevOnList,
} from './memmap'
import { folioLruGen, genList, isActiveGen } from './reclaim/lru_gen'
import { folioLruList } from './swap'
import { swapCacheLookup } from './swapfile'
import { checkZswap } from './zswap_check'
import { NR_DIRTY, NR_INACTIVE_ANON, NR_SWAPCACHED, NR_WRITEBACK, NR_ZONE_INACTIVE_ANON, readStat } from './vmstat'

/** Frames of one list, with broken links reported. */
function walkList(state: KernelState, heads: Int32Array, list: number, name: string, found: string[]): number[] {
  const pfns: number[] = []
  let before = 0
  for (let pfn = listHead(heads, list); pfn !== 0; pfn = nextOnList(state.memmap, pfn)) {
    if (prevOnList(state.memmap, pfn) !== before) found.push(`${name}: pfn ${pfn} does not point back to ${before}`)
    pfns.push(pfn)
    before = pfn
    if (pfns.length > state.memmap.endPfn) {
      found.push(`${name}: the list is a ring`)
      break
    }
  }
  if (listTail(heads, list) !== before) found.push(`${name}: tail is ${listTail(heads, list)}, last is ${before}`)
  return pfns
}

const lruvecName = (l: Lruvec): string => `lruvec of memcg ${l.memcg} node ${l.nid}`

/** Walks a lruvec's lists; every page on them belongs there and is PG_LRU. Returns sizes by LRU_* and zone. */
function checkLists(state: KernelState, lruvec: Lruvec, onList: Uint8Array, found: string[]): Int32Array {
  const sizes = new Int32Array(NR_LRU_LISTS * MAX_NR_ZONES)
  const name = lruvecName(lruvec)
  const see = (pfn: number, what: string): void => {
    if (onList[pfn]) found.push(`${what}: pfn ${pfn} is on two lists`)
    onList[pfn] = 1
    if (!hasFlag(state.memmap, pfn, PG_LRU)) found.push(`${what}: pfn ${pfn} is not PG_LRU`)
    else if (folioLruvec(state, pfn) !== lruvec) found.push(`${what}: pfn ${pfn} belongs to another lruvec`)
  }
  for (let lru = 0; lru < NR_LRU_LISTS; lru++) {
    for (const pfn of walkList(state, lruvec.lists, lru, `${name} list ${lru}`, found)) {
      see(pfn, `${name} list ${lru}`)
      if (folioLruList(state, pfn) !== lru) found.push(`${name} list ${lru}: pfn ${pfn} is flagged for another list`)
      sizes[lru * MAX_NR_ZONES + (pageZoneIndex(state.memmap, pfn) % MAX_NR_ZONES)]! += folioNrPages(state.memmap, pfn)
    }
  }
  checkGenerations(state, lruvec, see, sizes, found)
  return sizes
}

function checkGenerations(
  state: KernelState,
  lruvec: Lruvec,
  see: (pfn: number, what: string) => void,
  sizes: Int32Array,
  found: string[],
): void {
  const g = lruvec.gen
  const counted = new Int32Array(g.nrPages.length)
  for (let i = 0; i < MAX_NR_GENS * 2 * MAX_NR_ZONES; i++) {
    const type = Math.floor(i / MAX_NR_ZONES) % 2
    const zone = i % MAX_NR_ZONES
    const name = `${lruvecName(lruvec)} generation list ${i}`
    for (const pfn of walkList(state, g.lists, i, name, found)) {
      see(pfn, name)
      const flags = pageFlags(state.memmap, pfn)
      const gen = folioLruGen(flags)
      if (gen < 0) found.push(`${name}: pfn ${pfn} has no generation`)
      if (((flags & PG_SWAPBACKED) === 0 ? 1 : 0) !== type) found.push(`${name}: pfn ${pfn} is of the other type`)
      if (pageZoneIndex(state.memmap, pfn) % MAX_NR_ZONES !== zone) found.push(`${name}: pfn ${pfn} is of another zone`)
      if (gen < 0) continue
      const nr = folioNrPages(state.memmap, pfn)
      counted[genList(gen, type, zone)]! += nr
      sizes[(type * 2 + (isActiveGen(g, gen) ? 1 : 0)) * MAX_NR_ZONES + zone]! += nr
    }
  }
  counted.forEach((n, i) => {
    if (n !== g.nrPages[i])
      found.push(`${lruvecName(lruvec)} generation list ${i}: ${g.nrPages[i]} counted, ${n} pages`)
  })
}

/** Sums of the lruvecs against node and zone counters. */
function checkCounters(state: KernelState, found: string[]): void {
  for (const node of state.nodes) {
    for (let lru = 0; lru < NR_LRU_LISTS; lru++) {
      let nodeSum = 0
      for (let zone = 0; zone < MAX_NR_ZONES; zone++) {
        let sum = 0
        for (const l of state.lruvecs)
          if (l !== undefined && l.nid === node.nid) sum += l.sizes[lru * MAX_NR_ZONES + zone]!
        const counter = readStat(state.zones[node.nid * MAX_NR_ZONES + zone]!.stat, NR_ZONE_INACTIVE_ANON + lru)
        if (sum !== counter) found.push(`node ${node.nid} zone ${zone} LRU ${lru}: lists ${sum}, counter ${counter}`)
        nodeSum += sum
      }
      const counter = readStat(node.stat, NR_INACTIVE_ANON + lru)
      if (nodeSum !== counter) found.push(`node ${node.nid} LRU ${lru}: lists ${nodeSum}, counter ${counter}`)
    }
  }
}

/** Flags of all frames against node counters: dirty, under writeback, in the swap cache. */
function checkFlags(state: KernelState, onList: Uint8Array, found: string[]): void {
  const sums = { dirty: 0, writeback: 0, swapCache: 0 }
  for (let pfn = 1; pfn < state.memmap.endPfn; pfn++) {
    const flags = pageFlags(state.memmap, pfn)
    if (flags === 0) continue
    if ((flags & PG_LRU) !== 0 && !onList[pfn] && (flags & PG_UNEVICTABLE) === 0)
      found.push(`pfn ${pfn} is PG_LRU and on no list`)
    if ((flags & PG_LRU) !== 0 && (flags & PG_LRU_BATCH) !== 0) found.push(`pfn ${pfn} is on a list and in a batch`)
    const isDiskFile = (flags & PG_FILE) !== 0 && (flags & PG_SWAPBACKED) === 0
    if (isDiskFile && (flags & PG_DIRTY) !== 0) sums.dirty++
    if (flags & PG_WRITEBACK) sums.writeback++
    if (flags & PG_SWAPCACHE) {
      sums.swapCache++
      const held = swapCacheLookup(state, pageMapping(state.memmap, pfn) - 1)
      if (held !== pfn) found.push(`pfn ${pfn} is in the swap cache, whose slot holds pfn ${held}`)
    }
  }
  const total = (item: number): number => state.nodes.reduce((sum, n) => sum + readStat(n.stat, item), 0)
  if (total(NR_DIRTY) !== sums.dirty) found.push(`nr_dirty ${total(NR_DIRTY)}, pages ${sums.dirty}`)
  if (total(NR_WRITEBACK) !== sums.writeback) found.push(`nr_writeback ${total(NR_WRITEBACK)}, pages ${sums.writeback}`)
  if (total(NR_SWAPCACHED) !== sums.swapCache)
    found.push(`nr_swapcached ${total(NR_SWAPCACHED)}, pages ${sums.swapCache}`)
}

/** Slots in use are those with users or a cached frame. */
function checkSwapAreas(state: KernelState, found: string[]): void {
  for (const area of state.swapAreas) {
    let used = 0
    for (let offset = 1; offset <= area.pages; offset++) if (area.map[offset] !== 0) used++
    if (used !== area.used) found.push(`${area.path}: ${area.used} slots used, ${used} with users`)
  }
}

/** One sentence for each broken invariant. @model looks from outside; the kernel has VM_BUG_ON here and there */
export function checkLru(state: KernelState): string[] {
  const found: string[] = []
  const onList = new Uint8Array(state.memmap.endPfn)
  for (const lruvec of state.lruvecs) {
    if (lruvec === undefined) continue
    const sizes = checkLists(state, lruvec, onList, found)
    for (let i = 0; i < 4 * MAX_NR_ZONES; i++) {
      if (sizes[i] !== lruvec.sizes[i])
        found.push(`${lruvecName(lruvec)} size ${i}: ${lruvec.sizes[i]} counted, ${sizes[i]} linked`)
    }
  }
  checkCounters(state, found)
  checkFlags(state, onList, found)
  checkSwapAreas(state, found)
  checkZswap(state, found)
  return found
}
