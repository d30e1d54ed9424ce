/**
 * Each CPU's translation caches as a whole: how large, how full, and what was counted. For readers from outside; nothing
 * is changed.
 * @spec    04 §4.2
 */
import type { Bytes, Ns } from '../../util/units'
import type { KernelState } from '../state'
import { SPACE_ASID } from './tlb'
import type { TlbPage } from './tlb_presets'
import {
  DATA_1G,
  DATA_2M,
  DATA_4K,
  FLUSHES_FULL,
  FLUSHES_PAGE,
  IPIS_RECEIVED,
  IPIS_SENT,
  ROUTE_COLUMNS,
  STLB_FETCH_HITS,
  STLB_HITS,
  STRUCTURE_COLUMNS,
  SWITCHES_FLUSHED,
  SWITCHES_KEPT,
  TLB_FETCHES,
  TLB_LOADS,
  TLB_STORES,
  WALKS_COLD,
  WALKS_FAULT_LOAD,
  WALKS_FAULT_STORE,
  WALKS_FETCH,
  WALKS_LOAD,
  WALKS_STORE,
  WALK_NS,
  WALK_READS,
  type CpuTlb,
  type Tlb,
} from './tlb_state'
import { knownBy, settledCopy, type Standing } from './tlb_view'

/** One array of translations of one CPU. */
export interface StructureView {
  readonly name: string
  readonly level: 1 | 2
  readonly pages: readonly TlbPage[]
  readonly entries: number
  readonly ways: number
  readonly sets: number
  /** Entries that translate for some address space, and for the one asked about. */
  readonly used: number
  readonly own: number
}

/** One paging-structure cache of one CPU. */
export interface PscView {
  /** 'PDE', 'PDPTE', 'PML4E' */
  readonly name: string
  readonly entries: number
  readonly used: number
  readonly own: number
}

/** What a CPU has counted since boot. */
export interface TlbCounts {
  readonly loads: number
  readonly stores: number
  readonly fetches: number
  /** Misses of the first level that the second level served. */
  readonly l2Hits: number
  readonly l2FetchHits: number
  /** Walks by what was accessed, those that ended in a page fault included. */
  readonly walksLoad: number
  readonly walksStore: number
  readonly walksFetch: number
  /** Those of them that ended in a page fault. */
  readonly walksFault: number
  /** Walks that needed upper levels too. */
  readonly walksCold: number
  readonly walkReads: number
  readonly walkNs: Ns
  /** Flushes of a whole address space; pages flushed one by one. */
  readonly flushesFull: number
  readonly flushesPage: number
  /** CPUs that this one interrupted for a flush; times that it was interrupted. */
  readonly ipisSent: number
  readonly ipisReceived: number
  /** Switches to another address space that kept its translations; that had to flush. */
  readonly switchesKept: number
  readonly switchesFlushed: number
}

/** How much memory the data structures translate at once. */
export interface ReachView {
  readonly page: TlbPage
  readonly pageBytes: Bytes
  /** Entries of both levels; the first level's are in the second as well where that holds the size. */
  readonly entries: number
  readonly bytes: Bytes
}

export interface TlbView {
  readonly cpu: number
  readonly standing: Standing
  readonly asid: number
  readonly pcid: boolean
  readonly structures: readonly StructureView[]
  readonly psc: readonly PscView[]
  readonly reach: readonly ReachView[]
  /** By CPU. */
  readonly counts: readonly TlbCounts[]
}

/** @model  columns of CpuTlb.counts under their names */
export const tlbCounts = ({ counts: n }: Pick<CpuTlb, 'counts'>): TlbCounts => ({
  loads: n[TLB_LOADS]!,
  stores: n[TLB_STORES]!,
  fetches: n[TLB_FETCHES]!,
  l2Hits: n[STLB_HITS]!,
  l2FetchHits: n[STLB_FETCH_HITS]!,
  walksLoad: n[WALKS_LOAD]! + n[WALKS_FAULT_LOAD]!,
  walksStore: n[WALKS_STORE]! + n[WALKS_FAULT_STORE]!,
  walksFetch: n[WALKS_FETCH]!,
  walksFault: n[WALKS_FAULT_LOAD]! + n[WALKS_FAULT_STORE]!,
  walksCold: n[WALKS_COLD]!,
  walkReads: n[WALK_READS]!,
  walkNs: n[WALK_NS]!,
  flushesFull: n[FLUSHES_FULL]!,
  flushesPage: n[FLUSHES_PAGE]!,
  ipisSent: n[IPIS_SENT]!,
  ipisReceived: n[IPIS_RECEIVED]!,
  switchesKept: n[SWITCHES_KEPT]!,
  switchesFlushed: n[SWITCHES_FLUSHED]!,
})

const SIZES: readonly (readonly [TlbPage, number, Bytes])[] = [
  ['4K', DATA_4K, 4096],
  ['2M', DATA_2M, 2 ** 21],
  ['1G', DATA_1G, 2 ** 30],
]

/**
 * Memory that the TLBs for data cover, by page size.
 * @model   the larger of the two levels: what fills the second has been in the first
 * @spec    04 §4.2 (TLB reach)
 */
export function tlbReach({ route }: Pick<Tlb, 'route'>): ReachView[] {
  const entriesAt = (column: number): number => (route[column]! < 0 ? 0 : (route[column + 1]! + 1) * route[column + 2]!)
  return SIZES.flatMap(([page, data, pageBytes]) => {
    const column = data * ROUTE_COLUMNS
    const entries = Math.max(entriesAt(column), entriesAt(column + STRUCTURE_COLUMNS))
    return entries === 0 ? [] : [{ page, pageBytes, entries, bytes: entries * pageBytes }]
  })
}

function structuresOf(tlb: Tlb, c: CpuTlb, space: number): StructureView[] {
  return tlb.structures.map(({ name, level, pages, first, sets, ways }) => {
    let used = 0
    let own = 0
    for (let i = first; i < first + sets * ways && i < c.tag.length; i++) {
      const held = c.space[i]!
      if (held === 0 || c.asidSpace[held & SPACE_ASID] !== held) continue
      used++
      if (held === space) own++
    }
    return { name, level, pages, entries: sets * ways, ways, sets, used, own }
  })
}

function pscOf(tlb: Tlb, c: CpuTlb, asid: number): PscView[] {
  let first = 0
  return ['PDE', 'PDPTE', 'PML4E'].flatMap((name, i) => {
    const entries = tlb.psc[i] ?? 0
    const held = [...c.psc.subarray(first, first + entries)].filter((key) => key !== 0)
    first += entries
    return entries === 0
      ? []
      : [{ name, entries, used: held.length, own: held.filter((key) => (key & SPACE_ASID) === asid).length }]
  })
}

/**
 * The caches of one CPU as they stand, and what all CPUs have counted.
 * @param mm   index of the address space asked about
 * @param cpu  a CPU that exists
 * @model   hardware of spec 04 §4.2
 */
export function tlbView(state: Pick<KernelState, 'tlb' | 'pgtables'>, mm: number, cpu: number): TlbView {
  const { tlb } = state
  const own = tlb.cpus[cpu]!
  const { standing, asid, space } = knownBy(tlb, own, mm)
  const c = settledCopy(state, own)
  return {
    cpu,
    standing,
    asid,
    pcid: tlb.pcid,
    structures: structuresOf(tlb, c, space),
    psc: pscOf(tlb, c, space < 0 ? -1 : asid),
    reach: tlbReach(tlb),
    counts: tlb.cpus.map(tlbCounts),
  }
}
