/**
 * What a CPU's translation caches hold of an address, and what its next access would find and cost: for readers from
 * outside. Nothing is changed: fills that are still to be done are done on a copy.
 * @spec    04 §4.1, §4.2, §4.3
 */
import type { Ns, Vpn } from '../../util/units'
import type { KernelState } from '../state'
import { isHugePmd } from './huge_pmd'
import type { Mm } from './mm_types'
import { ENTRIES_PER_TABLE, PTE_PRESENT, childTable, entryIndex, pteAt, tableLevel } from './pgtable'
import { settleRuns } from './tlb'
import { copyOfTlb, settlePass } from './tlb_pass'
import { ROUTE_COLUMNS, STRUCTURE_COLUMNS, pscKey, type CpuTlb, type Tlb, type TlbStructure } from './tlb_state'

/** How a CPU stands to an address space. */
export type Standing =
  /** Loaded and used. */
  | 'in use'
  /** Loaded, while a kernel thread runs or nothing. */
  | 'lazy'
  /** Another one is loaded; what was translated is kept under its number (PCID). */
  | 'kept'
  /** Known, but a flush was missed: the next switch to it begins with one. */
  | 'stale'
  /** Nothing of it is here. */
  | 'unknown'

/** The caches of one level that an access looks into. */
export interface TlbLook {
  /** 'L1 DTLB' */
  readonly name: string
  readonly level: 1 | 2
  readonly entries: number
  readonly ways: number
  readonly sets: number
  /** Set that the page number chooses. */
  readonly set: number
  readonly isHit: boolean
  /** Entries of the set used since this one; −1 no hit. */
  readonly age: number
}

/** What one level of the walk means to the hardware. */
export interface LevelRead {
  /** 5 … 1 */
  readonly level: number
  /** Paging-structure cache that its entry may be in: 'PML4E', 'PDPTE', 'PDE'; '' none, as of a leaf. */
  readonly cache: string
  readonly isCached: boolean
  /** The hardware reads this entry. */
  readonly isRead: boolean
  /** Time that reading it takes; upper levels come from the data caches and are part of the last one's time. */
  readonly ns: Ns
}

export interface TranslationView {
  readonly cpu: number
  readonly standing: Standing
  /** Number that the address space has on this CPU; −1 none. */
  readonly asid: number
  /** Who translates: a TLB, a walk, or nobody, since the walk ends in a page fault. */
  readonly found: 'L1' | 'L2' | 'walk' | 'fault'
  /** Size of the translation; 0 there is none. */
  readonly pageBytes: number
  readonly looks: readonly TlbLook[]
  readonly levels: readonly LevelRead[]
  /** Level whose entry a walk would read first. */
  readonly startLevel: number
  /** Entries that the walk reads; 0 when a TLB has the translation. */
  readonly reads: number
  /** What translating adds to the access. Walks of a fault are part of the fault's cost: 0. */
  readonly ns: Ns
}

/** An address space as one CPU knows it. */
interface Known {
  readonly standing: Standing
  readonly asid: number
  /** Generation that its entries carry; −1 none is alive. */
  readonly space: number
}

const UNKNOWN: Known = { standing: 'unknown', asid: -1, space: -1 }

/** @kernel choose_new_asid(): what a switch would find */
export function knownBy(tlb: Tlb, c: CpuTlb, mm: number): Known {
  const context = tlb.context[mm]
  if (context === undefined) return UNKNOWN
  const isLoaded = c.mm === mm && c.asidContext[c.asid] === context
  const asid = isLoaded ? c.asid : tlb.pcid ? c.asidContext.indexOf(context) : -1
  if (asid < 0) return UNKNOWN
  if (c.asidGen[asid] !== tlb.gen[mm]) return { standing: 'stale', asid, space: -1 }
  return { standing: !isLoaded ? 'kept' : c.isLazy ? 'lazy' : 'in use', asid, space: c.asidSpace[asid]! }
}

/** The CPU's caches with all accesses and fills done; the CPU itself stays as it is. @model see tlb.ts: runs; tlb_pass.ts */
export function settledCopy({ tlb, pgtables }: Pick<KernelState, 'tlb' | 'pgtables'>, c: CpuTlb): CpuTlb {
  if (c.runs === 0 && !c.pass.isAhead) return c
  const copy = copyOfTlb(c)
  settlePass(tlb, copy, pgtables)
  if (copy.runs !== 0) settleRuns(tlb, copy)
  return copy
}

/** The tables that a walk goes through, top first, and the slot of the entry where it ends. */
interface Path {
  readonly tables: readonly number[]
  readonly slot: number
  readonly isPage: boolean
}

function pathTo(state: KernelState, mm: Mm, vpn: Vpn): Path {
  const t = state.pgtables
  const tables: number[] = []
  for (let table = mm.pgd; ;) {
    tables.push(table)
    const level = tableLevel(t, table)
    const index = entryIndex(vpn, level)
    const slot = table * ENTRIES_PER_TABLE + index
    if (level === 1) return { tables, slot, isPage: (pteAt(t, slot) & PTE_PRESENT) !== 0 }
    if (isHugePmd(pteAt(t, slot))) return { tables, slot, isPage: true }
    const child = childTable(t, table, index)
    if (child < 0) return { tables, slot, isPage: false }
    table = child
  }
}

const CACHE_NAMES = ['PDE', 'PDPTE', 'PML4E']
const cacheName = (tlb: Tlb, level: number): string =>
  (tlb.psc[level - 2] ?? 0) > 0 ? (CACHE_NAMES[level - 2] ?? '') : ''

/** Whether a paging-structure cache knows the entry that points to a table. @param level of the table */
function isInPsc(tlb: Tlb, c: CpuTlb, asid: number, table: number, level: number): boolean {
  const size = tlb.psc[level - 1] ?? 0
  if (asid < 0 || size === 0 || c.psc.length === 0) return false
  let first = 0
  for (let i = 1; i < level; i++) first += tlb.psc[i - 1] ?? 0
  return c.psc.subarray(first, first + size).includes(pscKey(table, asid))
}

function lookInto(tlb: Tlb, c: CpuTlb, slot: number, column: number, space: number): TlbLook | undefined {
  const first = tlb.route[column]!
  if (first < 0) return undefined
  const structure = tlb.structures.find((s: TlbStructure) => s.first === first)!
  const { name, level, ways, sets, firstSet } = structure
  const set = slot & (sets - 1)
  const from = first + set * ways
  let age = -1
  if (space >= 0 && c.tag.length !== 0) {
    const head = c.head[firstSet + set]!
    for (let i = 0; i < ways && age < 0; i++) {
      const at = from + ((head + i) % ways)
      if (c.tag[at] === slot + 1 && c.space[at] === space) age = i
    }
  }
  return { name, level, entries: sets * ways, ways, sets, set, isHit: age >= 0, age }
}

/**
 * What the next load or store of a page would find on a CPU.
 * @param cpu  a CPU that exists
 * @model   hardware of spec 04 §4.2, as tlbAccess() follows it
 */
export function translationView(state: KernelState, mm: Mm, vpn: Vpn, cpu: number): TranslationView {
  const { tlb, pgtables: t } = state
  const own = tlb.cpus[cpu]!
  const { standing, asid, space } = knownBy(tlb, own, mm.id)
  const c = settledCopy(state, own)
  const { tables, slot, isPage } = pathTo(state, mm, vpn)
  const leafLevel = tableLevel(t, tables.at(-1)!)
  const looks = isPage ? looksFor(tlb, c, slot, leafLevel - 1, space) : []
  const hit = looks.find(({ isHit }) => isHit)
  const cached = tables.map((table) => space >= 0 && isInPsc(tlb, c, asid, table, tableLevel(t, table)))
  // The walk begins at the lowest table that a cache leads to; CR3 leads to the top one.
  const start = Math.max(0, cached.lastIndexOf(true))
  const reads = hit ? 0 : tables.length - start
  const walkNs = reads <= 1 ? state.costs.pageWalk : state.costs.pageWalkCold
  const ns = hit ? (hit.level === 1 ? 0 : state.costs.tlbL2Hit) : isPage ? walkNs : 0
  return {
    cpu,
    standing,
    asid,
    found: hit ? (hit.level === 1 ? 'L1' : 'L2') : isPage ? 'walk' : 'fault',
    pageBytes: isPage ? 2 ** (12 + 9 * (leafLevel - 1)) : 0,
    looks,
    levels: tables.map((table, i) => {
      const level = tableLevel(t, table)
      const isLast = i === tables.length - 1
      return {
        level,
        cache: isLast ? '' : cacheName(tlb, level),
        isCached: !isLast && cached[i + 1]!,
        isRead: !hit && i >= start,
        ns: isLast && !hit ? ns : 0,
      }
    }),
    startLevel: tableLevel(t, tables[start]!),
    reads,
    ns,
  }
}

const looksFor = (tlb: Tlb, c: CpuTlb, slot: number, size: number, space: number): TlbLook[] =>
  [0, STRUCTURE_COLUMNS].flatMap((column) => lookInto(tlb, c, slot, size * ROUTE_COLUMNS + column, space) ?? [])
