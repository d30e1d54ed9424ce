/**
 * TLBs and paging-structure caches as one would explain them: each set a list, youngest first; nothing is put off and
 * nothing is clever. What src/engine/mm/tlb.ts is compared with.
 */
import type { TlbArray, TlbGeometry, TlbPage } from '../src/engine/mm/tlb_presets'

interface Held {
  readonly key: number
  readonly owner: number
}

interface Cache {
  readonly pages: readonly TlbPage[]
  readonly ways: number
  readonly sets: Held[][]
}

const cacheOf = ({ entries, ways, pages }: TlbArray): Cache => ({
  pages,
  ways,
  sets: Array.from({ length: entries / ways }, () => []),
})

/** Finds and makes youngest. */
function use(set: Held[], key: number, owner: number): boolean {
  const at = set.findIndex((held) => held.key === key && held.owner === owner)
  if (at < 0) return false
  set.unshift(...set.splice(at, 1))
  return true
}

function insert(set: Held[], key: number, owner: number, ways: number): void {
  const at = set.findIndex((held) => held.key === key && held.owner === owner)
  if (at >= 0) set.splice(at, 1)
  set.unshift({ key, owner })
  set.length = Math.min(set.length, ways)
}

/** One CPU. An owner is an address space. */
export class NaiveTlb {
  readonly l1: Cache[]
  readonly l2: Cache[]
  /** PDE, PDPTE, PML4E */
  readonly psc: Held[][] = [[], [], []]
  readonly pscSizes: readonly number[]

  constructor(geometry: TlbGeometry) {
    this.l1 = geometry.dtlb.map(cacheOf)
    this.l2 = geometry.stlb.map(cacheOf)
    this.pscSizes = [geometry.pde, geometry.pdpte, geometry.pml4e]
  }

  private set(caches: readonly Cache[], page: TlbPage, slot: number): { set: Held[]; ways: number } | undefined {
    const cache = caches.find((c) => c.pages.includes(page))
    return cache === undefined ? undefined : { set: cache.sets[slot % cache.sets.length]!, ways: cache.ways }
  }

  /**
   * @param tables  that the walk goes through, the leaf's first
   * @returns 0 first level, 1 second, 2 walk with one read, 3 longer walk
   */
  access(owner: number, slot: number, page: TlbPage, tables: readonly number[]): number {
    const l1 = this.set(this.l1, page, slot)
    const l2 = this.set(this.l2, page, slot)
    if (l1 !== undefined && use(l1.set, slot, owner)) return 0
    const isL2 = l2 !== undefined && use(l2.set, slot, owner)
    if (l1 !== undefined) insert(l1.set, slot, owner, l1.ways)
    if (isL2) return 1
    if (l2 !== undefined) insert(l2.set, slot, owner, l2.ways)
    return this.walk(owner, page, tables) === 1 ? 2 : 3
  }

  private walk(owner: number, page: TlbPage, tables: readonly number[]): number {
    const skipped = page === '4K' ? 0 : page === '2M' ? 1 : 2
    let reads = 1
    for (const [i, table] of tables.slice(0, -1).entries()) {
      const set = this.psc[i + skipped]
      if (set === undefined) break
      if (use(set, table, owner)) return reads
      insert(set, table, owner, this.pscSizes[i + skipped]!)
      reads++
    }
    return reads
  }

  flush(owner: number): void {
    for (const cache of [...this.l1, ...this.l2])
      for (const [i, set] of cache.sets.entries()) cache.sets[i] = set.filter((held) => held.owner !== owner)
    for (const [i, set] of this.psc.entries()) this.psc[i] = set.filter((held) => held.owner !== owner)
  }

  flushPage(owner: number, slot: number): void {
    for (const cache of [...this.l1, ...this.l2])
      for (const [i, set] of cache.sets.entries())
        cache.sets[i] = set.filter((held) => held.owner !== owner || held.key !== slot)
    for (const [i, set] of this.psc.entries()) this.psc[i] = set.filter((held) => held.owner !== owner)
  }
}
