/**
 * The translation caches of all CPUs as columns, and where in them each structure lies.
 * A translation is named by the page-table slot of its leaf entry (pgtable.ts): one int32 that says address space, page
 * and page size at once, and whose low nine bits are those of the page number, so that they choose the set.
 * @model   hardware; set = page number mod sets, true LRU in a set
 * @spec    04 §4.2
 */
import type { Pages, Vpn } from '../../util/units'
import type { TlbArray, TlbGeometry, TlbPage } from './tlb_presets'

/** Address spaces that a CPU remembers at once. @kernel arch/x86/include/asm/tlbflush.h TLB_NR_DYN_ASIDS */
export const NR_ASIDS = 6
/** Sequences of fills that a CPU has not put into its structures yet. */
export const NR_RUNS = 8

/** Which structures an access looks into: data or instruction, and the page size. */
export const DATA_4K = 0
export const DATA_2M = 1
export const DATA_1G = 2
export const CODE_4K = 3
export const NR_ROUTES = 6
/** Columns of a structure: first entry (−1 = there is none), sets − 1, ways, first ring; of a route: both levels. */
export const STRUCTURE_COLUMNS = 4
export const ROUTE_COLUMNS = 2 * STRUCTURE_COLUMNS

/**
 * What a paging-structure cache knows of an entry: the table that it points to, and for whom.
 * @model   hardware; entries are told apart by PCID
 */
export const pscKey = (table: number, asid: number): number => ((table + 1) << PSC_ASID_BITS) | asid
const PSC_ASID_BITS = 3

/** What is counted, by column of CpuTlb.counts. */
export const TLB_LOADS = 0
export const TLB_STORES = 1
export const TLB_FETCHES = 2
/** Misses of the first level that the second level served: loads and stores, fetches. */
export const STLB_HITS = 3
export const STLB_FETCH_HITS = 4
/** Walks that ended with a translation. */
export const WALKS_LOAD = 5
export const WALKS_STORE = 6
export const WALKS_FETCH = 7
/** Walks that ended with a page fault. */
export const WALKS_FAULT_LOAD = 8
export const WALKS_FAULT_STORE = 9
/** Entries read by walks that ended with a translation, and their time, ns. */
export const WALK_READS = 10
export const WALK_NS = 11
/** Walks whose leaf table was not in the paging-structure caches. */
export const WALKS_COLD = 12
/** Flushes of a whole address space, of single pages; CPUs that were sent, and interrupts that were taken. */
export const FLUSHES_FULL = 13
export const FLUSHES_PAGE = 14
export const IPIS_SENT = 15
export const IPIS_RECEIVED = 16
/** Switches to another address space: kept translations, had to flush. */
export const SWITCHES_KEPT = 17
export const SWITCHES_FLUSHED = 18
export const NR_TLB_COUNTS = 19
/** What is kept for each task: loads, stores, their walks, hits of the second level. */
export const TASK_COLUMNS = 5

/** The last passes over pages of one address space that nothing interrupted. Owner: tlb_pass.ts */
export interface TlbPass {
  first: Vpn
  count: Pages
  /** Generation of the address space. */
  space: number
  /** How many of them in a row, −1 = something else came between. */
  streak: number
  /** Page of the current one at which it goes on, 0 = it is over. */
  at: Pages
  /** What follows is known. */
  isKnown: boolean
  /** The structures have not seen the first `at` accesses of the current one. */
  isAhead: boolean
  /** How each of its pages is translated. */
  how: Uint8Array
  /** Slot of its first page in each of its page tables; −1 − that of the huge entry instead of one. */
  leaves: number[]
  /** How its pages in each of them are translated, added up: tlb_pass.ts knows the columns. */
  totals: Int32Array
}

/** One CPU. Owner: tlb.ts, and of the address spaces tlb_flush.ts */
export interface CpuTlb {
  /** Entries of all structures in a row, sets in a row: slot + 1. */
  tag: Int32Array
  /** Generation of the address space that the entry belongs to; dead when that is no more, 0 never alive. */
  space: Int32Array
  /** Of each set, the way of its youngest entry; the next ones, round and round, are older and older. */
  head: Uint8Array
  /** Of each set, whether entries may have died that are not its oldest. */
  mayHaveDead: Uint8Array
  /** The paging-structure caches in a row, the youngest first: (table that the entry points to + 1) << 3 | ASID; 0 empty. */
  psc: Int32Array
  /** By ASID: context of the address space, how far it has been flushed, and its generation here; −1 none. */
  readonly asidContext: Float64Array
  readonly asidGen: Float64Array
  readonly asidSpace: Int32Array
  /** ASIDs with translations since their last flush, as bits. */
  asidFilled: number
  nextAsid: number
  /** Generations given out. */
  sequence: number
  /** Loaded address space: index in state.mms and ASID; −1 none. */
  mm: number
  asid: number
  /** A kernel thread runs, or nothing: the address space is loaded but not used. */
  isLazy: boolean
  /** Generation of the loaded ASID. */
  curSpace: number
  /** Slot that data were last accessed through, −1 none: certainly in the first level, and the youngest there. */
  lastSlot: number
  /** Table that was last walked through: the youngest of its cache. −1 none. */
  lastTable: number
  /** Fills that are still to be done, oldest first: consecutive slots from runFirst. */
  readonly runFirst: Int32Array
  readonly runCount: Int32Array
  readonly runSpace: Int32Array
  runs: number
  /** The runs push out all that was in the structures of data pages before. */
  isWiped: boolean
  readonly pass: TlbPass
  readonly counts: Float64Array
  /** Some of them as they stood when the running task began its turn. Owner: tlb_task.ts */
  readonly taskCounts: Float64Array
}

/** A structure's place and size. */
export interface TlbStructure {
  /** 'L1 DTLB', 'L1 ITLB', 'L2 TLB', 'L2 DTLB', 'L2 ITLB' */
  readonly name: string
  readonly level: 1 | 2
  readonly pages: readonly TlbPage[]
  readonly first: number
  readonly firstSet: number
  readonly sets: number
  readonly ways: number
}

/** The translation hardware of the machine. */
export interface Tlb {
  readonly cpus: CpuTlb[]
  readonly structures: readonly TlbStructure[]
  readonly route: Int32Array
  readonly entries: number
  readonly sets: number
  /** Sizes of the paging-structure caches: PDE, PDPTE, PML4E. */
  readonly psc: readonly number[]
  readonly pcid: boolean
  readonly gigabytePages: boolean
  /** Page-table isolation without PCID: each way back from the kernel loads CR3 anew, which forgets the program's translations. */
  readonly flushesOnReturn: boolean
  /** By index in state.mms: which address space that is, and how often its translations changed. Owner: tlb_flush.ts */
  readonly context: number[]
  readonly gen: number[]
  /** CPUs that have it loaded, lazy ones included. */
  readonly loaded: number[]
  contexts: number
  /** Address spaces that reclaim took pages out of since the last flush. @kernel struct tlbflush_unmap_batch */
  readonly batch: number[]
  /** One of those pages could be written. */
  batchIsDirty: boolean
}

const createPass = (): TlbPass => ({
  first: 0,
  count: 0,
  space: -1,
  streak: -1,
  at: 0,
  isKnown: false,
  isAhead: false,
  how: new Uint8Array(0),
  leaves: [],
  totals: new Int32Array(0),
})

const createCpuTlb = (): CpuTlb => ({
  tag: new Int32Array(0),
  space: new Int32Array(0),
  head: new Uint8Array(0),
  mayHaveDead: new Uint8Array(0),
  psc: new Int32Array(0),
  asidContext: new Float64Array(NR_ASIDS),
  asidGen: new Float64Array(NR_ASIDS),
  asidSpace: new Int32Array(NR_ASIDS + 2).fill(-1),
  asidFilled: 0,
  nextAsid: 0,
  sequence: 0,
  mm: -1,
  asid: -1,
  isLazy: true,
  curSpace: -1,
  lastSlot: -1,
  lastTable: -1,
  runFirst: new Int32Array(NR_RUNS),
  runCount: new Int32Array(NR_RUNS),
  runSpace: new Int32Array(NR_RUNS),
  runs: 0,
  isWiped: false,
  pass: createPass(),
  counts: new Float64Array(NR_TLB_COUNTS),
  taskCounts: new Float64Array(TASK_COLUMNS),
})

/**
 * Empty caches for every CPU.
 * @param geometry  checked: sets are a power of two of at most 512
 * @param isPti     page-table isolation is on
 * @model   hardware of spec 04 §4.2
 */
export function createTlb(geometry: TlbGeometry, cpus: number, isPti = false): Tlb {
  const structures: TlbStructure[] = []
  let first = 0
  let firstSet = 0
  const add = (name: string, level: 1 | 2, arrays: readonly TlbArray[]): void => {
    for (const { entries, ways, pages } of arrays) {
      structures.push({ name, level, pages, first, firstSet, sets: entries / ways, ways })
      first += entries
      firstSet += entries / ways
    }
  }
  const isSplit = geometry.stlbInstructions !== undefined
  add('L1 DTLB', 1, geometry.dtlb)
  add('L1 ITLB', 1, geometry.itlb)
  add(isSplit ? 'L2 DTLB' : 'L2 TLB', 2, geometry.stlb)
  if (geometry.stlbInstructions !== undefined) add('L2 ITLB', 2, geometry.stlbInstructions)
  return {
    cpus: Array.from({ length: cpus }, createCpuTlb),
    structures,
    route: routes(structures),
    entries: first,
    sets: firstSet,
    psc: [geometry.pde, geometry.pdpte, geometry.pml4e],
    pcid: geometry.pcid,
    gigabytePages: geometry.gigabytePages,
    flushesOnReturn: isPti && !geometry.pcid,
    context: [],
    gen: [],
    loaded: [],
    contexts: 0,
    batch: [],
    batchIsDirty: false,
  }
}

const SIZES: readonly TlbPage[] = ['4K', '2M', '1G']

function routes(structures: readonly TlbStructure[]): Int32Array {
  const table = new Int32Array(NR_ROUTES * ROUTE_COLUMNS).fill(-1)
  const find = (names: readonly string[], page: TlbPage): TlbStructure | undefined =>
    structures.find((s) => names.includes(s.name) && s.pages.includes(page))
  for (let route = 0; route < NR_ROUTES; route++) {
    const page = SIZES[route % 3]!
    const side = route < 3 ? 'D' : 'I'
    const levels = [find([`L1 ${side}TLB`], page), find(['L2 TLB', `L2 ${side}TLB`], page)]
    for (const [level, structure] of levels.entries()) {
      if (structure === undefined) continue
      const { first, sets, ways, firstSet } = structure
      table.set([first, sets - 1, ways, firstSet], route * ROUTE_COLUMNS + level * STRUCTURE_COLUMNS)
    }
  }
  return table
}

/** A new address space: no CPU knows it. @kernel init_new_context() */
export function initNewContext(tlb: Tlb, mm: number): void {
  tlb.context[mm] = ++tlb.contexts
  tlb.gen[mm] = 1
  tlb.loaded[mm] = 0
}
