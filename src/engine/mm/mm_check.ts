/**
 * What must hold for address spaces, page tables, the reverse map and files at every moment between two events. Slow by
 * intent.
 * @spec 04 §4.1, §4.7, §4.9, §4.11
 */
import { PAGE_SIZE, type Pages } from '../../util/units'
import type { Inode } from '../fs_types'
import type { KernelState } from '../state'
import { checkDeposits, checkHugeEntries, checkLargeFolio, type Entries } from './huge_check'
import { pmdPfn } from './huge_pmd'
import { findPage, isShmem, shmemSwapSlot } from './filemap'
import {
  PG_ANON,
  PG_FILE,
  PG_HEAD,
  PG_HUGETLB,
  PG_TAIL,
  hasFlag,
  mapcount,
  pageFlags,
  pageIndex,
  pageMapping,
  pageZoneIndex,
} from './memmap'
import {
  MM_ANONPAGES,
  MM_FILEPAGES,
  MM_SHMEMPAGES,
  MM_SWAPENTS,
  VM_ACCOUNT,
  VM_GROWSDOWN,
  VM_LOCKED,
  type Mm,
  type Vma,
} from './mm_types'
import {
  forEachPte,
  isCounted,
  isPresent,
  isSwapPte,
  mmOfSlot,
  pteAt,
  ptePfn,
  pteSwapSlot,
  tableLevel,
  tableMm,
  tableOfSlot,
  tablePfn,
  tableUsed,
  vpnOfSlot,
  type PageTables,
} from './pgtable'
import { rssCounter } from './rmap'
import { forEachMapping } from './rmap_chain'
import { exactRss } from './rss'
import { swapCount } from './swapfile'
import { findVma } from './vma_find'
import {
  NR_ANON_PAGES,
  NR_ANON_TRANSPARENT_HUGEPAGES,
  NR_FILE_PAGES,
  NR_MAPPED,
  NR_PAGE_TABLE_PAGES,
  NR_SHMEM,
  readStat,
} from './vmstat'

const RSS_NAMES = ['file', 'anon', 'shmem', 'swap'] as const

const isLive = (mm: Mm): boolean => mm.users > 0 && mm.pgd >= 0

/** Mappings in order, and the sizes that are kept of them. */
function checkVmas(mm: Mm, found: string[]): void {
  let end = 0
  let total = 0
  let locked = 0
  let stack = 0
  for (const vma of mm.vmas) {
    if (vma.start < end || vma.end <= vma.start)
      found.push(`mm ${mm.id}: mapping ${vma.start}–${vma.end} follows one that ends at ${end}`)
    end = vma.end
    total += vma.end - vma.start
    if (vma.flags & VM_LOCKED) locked += vma.end - vma.start
    if (vma.flags & VM_GROWSDOWN) stack += vma.end - vma.start
  }
  if (total !== mm.totalVm) found.push(`mm ${mm.id}: total_vm ${mm.totalVm}, mappings ${total}`)
  if (locked !== mm.lockedVm) found.push(`mm ${mm.id}: locked_vm ${mm.lockedVm}, locked mappings ${locked}`)
  if (stack !== mm.stackVm) found.push(`mm ${mm.id}: stack_vm ${mm.stackVm}, stack mappings ${stack}`)
}

/** Every entry lies in a mapping; the counters of resident pages are those of the tables. */
function checkEntries(
  state: KernelState,
  mm: Mm,
  { ptesOf, pmdsOf }: Entries,
  slotUsers: Map<number, number>,
  found: string[],
): void {
  const seen = [0, 0, 0, 0]
  seen[MM_ANONPAGES]! += checkHugeEntries(state, mm, pmdsOf, found)
  let vma: Vma | undefined
  forEachPte(state, mm, 0, Number.MAX_SAFE_INTEGER, (slot, pte) => {
    const vpn = vpnOfSlot(state.pgtables, slot)
    if (vma === undefined || vpn < vma.start || vpn >= vma.end) vma = findVma(mm, vpn)
    if (vma === undefined) found.push(`mm ${mm.id}: page ${vpn} has an entry and no mapping`)
    if (mmOfSlot(state.pgtables, slot) !== mm.id) found.push(`mm ${mm.id}: slot ${slot} belongs to another`)
    if (isSwapPte(pte)) {
      seen[MM_SWAPENTS]!++
      const entry = pteSwapSlot(pte)
      slotUsers.set(entry, (slotUsers.get(entry) ?? 0) + 1)
    } else if (isPresent(pte) && ptePfn(pte) !== state.zeroPfn) {
      const pfn = ptePfn(pte)
      ptesOf[pfn]!++
      seen[rssCounter(pageFlags(state.memmap, pfn))]!++
    }
  })
  for (const counter of [MM_FILEPAGES, MM_ANONPAGES, MM_SHMEMPAGES, MM_SWAPENTS]) {
    const counted = exactRss(state, mm.id, counter)
    if (counted !== seen[counter])
      found.push(`mm ${mm.id}: ${RSS_NAMES[counter]} ${counted}, its page tables hold ${seen[counter]}`)
  }
}

/** Each mapping in the reverse map is an entry of that frame; mapcount, reverse map and entries are as many. */
function checkRmap(state: KernelState, { ptesOf, pmdsOf }: Entries, found: string[]): void {
  let anon = 0
  let mapped = 0
  let huge = 0
  for (let pfn = 1; pfn < state.memmap.endPfn; pfn++) {
    const count = mapcount(state.memmap, pfn)
    const isHead = hasFlag(state.memmap, pfn, PG_HEAD)
    if (isHead) {
      anon += checkLargeFolio(state, pfn, { ptesOf, pmdsOf }, found)
      if (pmdsOf[pfn]! > 0) huge++
    } else if (count !== ptesOf[pfn]! + (hasFlag(state.memmap, pfn, PG_HUGETLB) ? pmdsOf[pfn]! : 0))
      found.push(`pfn ${pfn}: mapcount ${count}, ${ptesOf[pfn]} entries`)
    if (count === 0) continue
    if (hasFlag(state.memmap, pfn, PG_ANON)) anon += isHead ? 0 : 1
    else if (!hasFlag(state.memmap, pfn, PG_TAIL | PG_HUGETLB)) mapped++
    let n = 0
    forEachMapping(state, pfn, (slot) => {
      n++
      const pte = pteAt(state.pgtables, slot)
      const isPmd = tableLevel(state.pgtables, tableOfSlot(slot)) > 1
      if (!isPresent(pte) || (isPmd ? pmdPfn(pte) : ptePfn(pte)) !== pfn)
        found.push(`rmap of pfn ${pfn} names slot ${slot}, which holds 0x${pte.toString(16)}`)
    })
    const entries = ptesOf[pfn]! + pmdsOf[pfn]!
    if (n !== entries) found.push(`pfn ${pfn}: ${entries} entries map it, ${n} in the reverse map`)
  }
  const sum = (item: number): number => state.nodes.reduce((total, node) => total + readStat(node.stat, item), 0)
  if (sum(NR_ANON_PAGES) !== anon) found.push(`nr_anon_pages ${sum(NR_ANON_PAGES)}, mapped pages ${anon}`)
  if (sum(NR_ANON_TRANSPARENT_HUGEPAGES) !== huge)
    found.push(`nr_anon_transparent_hugepages ${sum(NR_ANON_TRANSPARENT_HUGEPAGES)}, mapped by PMDs ${huge}`)
  if (sum(NR_MAPPED) !== mapped) found.push(`nr_mapped ${sum(NR_MAPPED)}, mapped file pages ${mapped}`)
}

function usedEntries(t: PageTables, table: number): number {
  let used = 0
  for (let i = 0; i < 512; i++) if (pteAt(t, table * 512 + i) !== 0) used++
  return used
}

/** Tables of live address spaces, and what is counted of them. */
function checkTables(state: KernelState, found: string[]): void {
  const t = state.pgtables
  const bytes = new Map<number, number>()
  let tables = 0
  for (let table = 0; table < t.count; table++) {
    if (tablePfn(t, table) === 0) continue
    tables++
    const mm = state.mms[tableMm(t, table)]
    if (mm === undefined || !isLive(mm))
      found.push(`page table ${table} belongs to mm ${tableMm(t, table)}, which is gone`)
    if (tableLevel(t, table) === 2) checkDeposits(state, table, found)
    if (isCounted(t, table)) bytes.set(tableMm(t, table), (bytes.get(tableMm(t, table)) ?? 0) + PAGE_SIZE)
    const used = usedEntries(t, table)
    if (used !== tableUsed(t, table))
      found.push(`page table ${table}: ${tableUsed(t, table)} entries counted, ${used} used`)
  }
  for (const mm of state.mms)
    if (isLive(mm) && mm.pgtablesBytes !== (bytes.get(mm.id) ?? 0))
      found.push(`mm ${mm.id}: pgtables_bytes ${mm.pgtablesBytes}, tables ${bytes.get(mm.id) ?? 0}`)
  const counted = state.nodes.reduce((sum, node) => sum + readStat(node.stat, NR_PAGE_TABLE_PAGES), 0)
  if (counted !== tables) found.push(`nr_page_table_pages ${counted}, tables ${tables}`)
}

/** Open descriptors and mappings of each file. */
function fileUsers(state: KernelState): Map<number, number> {
  const users = new Map<number, number>()
  const count = (ino: number): void => void users.set(ino, (users.get(ino) ?? 0) + 1)
  for (const pid of state.taskList) for (const fd of state.tasks[pid]!.fds) if (fd?.kind === 'inode') count(fd.ino)
  for (const mm of state.mms) if (isLive(mm)) for (const vma of mm.vmas) if (vma.ino !== 0) count(vma.ino)
  return users
}

/** Pages of one file. @returns pages in the cache */
function checkFile(state: KernelState, inode: Inode, slotUsers: Map<number, number>, found: string[]): Pages {
  let pages = 0
  for (let index = 0; index < inode.pages.length; index++) {
    const slot = shmemSwapSlot(inode, index)
    if (slot >= 0) slotUsers.set(slot, (slotUsers.get(slot) ?? 0) + 1)
    const pfn = findPage(inode, index)
    if (pfn === 0) continue
    if (hasFlag(state.memmap, pfn, PG_FILE)) pages++
    if (pageMapping(state.memmap, pfn) !== inode.ino || pageIndex(state.memmap, pfn) !== index)
      found.push(`file ${inode.ino} index ${index} holds pfn ${pfn}, which belongs elsewhere`)
  }
  if (pages > 0 && pages !== inode.nrPages) found.push(`file ${inode.ino}: nrpages ${inode.nrPages}, cached ${pages}`)
  return pages
}

function checkFiles(state: KernelState, slotUsers: Map<number, number>, found: string[]): void {
  const users = fileUsers(state)
  let cached = 0
  let shmem = 0
  for (const inode of state.inodes) {
    if (inode === undefined) continue
    const pages = checkFile(state, inode, slotUsers, found)
    cached += pages
    if (isShmem(inode)) shmem += pages
    if (inode.users !== (users.get(inode.ino) ?? 0))
      found.push(`file ${inode.ino}: ${inode.users} users counted, ${users.get(inode.ino) ?? 0} there`)
    if (!inode.linked && inode.users === 0) found.push(`file ${inode.ino} is unlinked and unused, and still there`)
  }
  for (const area of state.swapAreas) for (const pfn of area.cache) if (pfn !== 0) cached++
  const sum = (item: number): number => state.nodes.reduce((total, node) => total + readStat(node.stat, item), 0)
  if (sum(NR_FILE_PAGES) !== cached) found.push(`nr_file_pages ${sum(NR_FILE_PAGES)}, pages ${cached}`)
  if (sum(NR_SHMEM) !== shmem) found.push(`nr_shmem ${sum(NR_SHMEM)}, pages ${shmem}`)
}

/** Each swap slot has as many users as entries of page tables and files name it. */
function checkSlots(state: KernelState, slotUsers: Map<number, number>, found: string[]): void {
  for (const area of state.swapAreas) {
    for (let offset = 1; offset <= area.pages; offset++) {
      const slot = area.base + offset
      const users = slotUsers.get(slot) ?? 0
      if (swapCount(state, slot) !== users)
        found.push(`swap slot ${slot}: ${swapCount(state, slot)} users counted, ${users} there`)
    }
  }
}

/** Promised memory is what mappings and tmpfs files were promised. */
function checkCommitments(state: KernelState, found: string[]): void {
  let promised = 0
  for (const mm of state.mms)
    if (isLive(mm)) for (const vma of mm.vmas) if (vma.flags & VM_ACCOUNT) promised += vma.end - vma.start
  for (const inode of state.inodes) promised += inode?.committed ?? 0
  if (promised !== state.committedAs) found.push(`Committed_AS ${state.committedAs}, promised ${promised}`)
}

/** One sentence for each broken invariant. @model looks from outside; the kernel checks single steps with VM_BUG_ON */
export function checkMm(state: KernelState): string[] {
  const found: string[] = []
  const ptesOf = new Int32Array(state.memmap.endPfn)
  const entries: Entries = { ptesOf, pmdsOf: new Int32Array(state.memmap.endPfn) }
  const slotUsers = new Map<number, number>()
  for (const mm of state.mms) {
    if (!isLive(mm)) continue
    checkVmas(mm, found)
    checkEntries(state, mm, entries, slotUsers, found)
  }
  checkRmap(state, entries, found)
  checkTables(state, found)
  checkFiles(state, slotUsers, found)
  checkSlots(state, slotUsers, found)
  checkCommitments(state, found)
  for (let pfn = 1; pfn < state.memmap.endPfn; pfn++)
    if (ptesOf[pfn]! > 0 && pageZoneIndex(state.memmap, pfn) < 0) found.push(`pfn ${pfn} is mapped and no memory`)
  return found
}
