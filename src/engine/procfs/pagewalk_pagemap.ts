/**
 * /sys/kernel/debug/pagewalk/pagemap/<pid>: what /proc/<pid>/pagemap holds as a number of 64 bits a page, as text: under
 * each mapping the runs of pages whose frames, or swap slots, follow one another. Pages that have nothing are left out.
 * @kernel  fs/proc/task_mmu.c pagemap_read(), pte_to_pagemap_entry(), pagemap_pmd_range()
 */
import { HPAGE_PAGES, PAGE_SIZE, type Pages, type Pfn, type Vpn } from '../../util/units'
import { compoundHead, pageMapcount } from '../mm/folio'
import { forEachHugePmd, pmdPfn } from '../mm/huge_pmd'
import { forEachHugetlb } from '../mm/hugetlb_map'
import { vmaUnit } from '../mm/hugetlb_pool'
import { PG_ANON, mapcount, pageFlags } from '../mm/memmap'
import type { Mm, Vma } from '../mm/mm_types'
import { forEachPte, isSwapPte, ptePfn, pteSwapSlot, vpnOfSlot } from '../mm/pgtable'
import { mmOf } from '../mm/rss'
import type { KernelState } from '../state'
import { mapsLine } from './maps'
import type { PseudoFile } from './types'

/** Pages that follow one another, in frames or slots that do so, too, and are alike in all else. */
interface Run {
  readonly vpn: Vpn
  readonly from: number
  readonly what: string
  pages: Pages
}

/** Runs of one process that are listed: a fragmented one has as many as it has pages. */
const RUNS_MAX = 4096

const ZERO = 'pfn present zero'

/** Bits 61 and 56 of an entry. @kernel PM_FILE, PM_MMAP_EXCLUSIVE */
function flagsOf(state: KernelState, pfn: Pfn, maps: number): string {
  const isFile = (pageFlags(state.memmap, compoundHead(state.memmap, pfn)) & PG_ANON) === 0
  return `present${isFile ? ' file' : ''}${maps === 1 ? ' exclusive' : ''}`
}

function runsOf(state: KernelState, mm: Mm, vma: Vma): Run[] {
  const runs: Run[] = []
  const add = (vpn: Vpn, from: number, pages: Pages, what: string): void => {
    const last = runs.at(-1)
    const isNext = last?.what === what && last.vpn + last.pages === vpn && last.from + last.pages === from
    if (isNext) last.pages += pages
    else runs.push({ vpn, from, what, pages })
  }
  const addZero = (vpn: Vpn): void => {
    const last = runs.at(-1)
    if (last?.what === ZERO && last.vpn + last.pages === vpn) last.pages++
    else runs.push({ vpn, from: state.zeroPfn, what: ZERO, pages: 1 })
  }
  const t = state.pgtables
  if (vma.hugeOrder !== undefined) {
    const size = vmaUnit(vma) === HPAGE_PAGES ? '2M' : '1G'
    forEachHugetlb(state, mm, { vma, start: vma.start, end: vma.end }, (_slot, entry, first) => {
      const pfn = pmdPfn(entry)
      add(first, pfn, vmaUnit(vma), `pfn ${flagsOf(state, pfn, mapcount(state.memmap, pfn))} hugetlb ${size}`)
    })
    return runs
  }
  forEachHugePmd(state, mm, vma.start, vma.end, (_slot, entry, first) => {
    const pfn = pmdPfn(entry)
    const isZero = pfn === state.thp.hugeZeroPfn
    add(
      first,
      pfn,
      HPAGE_PAGES,
      isZero ? `${ZERO} huge` : `pfn ${flagsOf(state, pfn, pageMapcount(state.memmap, pfn))} huge`,
    )
  })
  const small: Run[] = runs.splice(0)
  forEachPte(state, mm, vma.start, vma.end, (slot, pte) => {
    const vpn = vpnOfSlot(t, slot)
    if (isSwapPte(pte)) return add(vpn, pteSwapSlot(pte), 1, 'swap swapped')
    const pfn = ptePfn(pte)
    // One frame stands for all pages that were only read: its runs do not advance.
    if (pfn === state.zeroPfn) return addZero(vpn)
    add(vpn, pfn, 1, `pfn ${flagsOf(state, pfn, pageMapcount(state.memmap, pfn))}`)
  })
  return [...small, ...runs].sort((a, b) => a.vpn - b.vpn)
}

const hex = (n: number): string => n.toString(16).padStart(12, '0')

/** `  7fff00000000-7fff00004000      4 pfn 0x2700-0x2703 present exclusive` */
function runText({ vpn, from, what, pages }: Run): string {
  const [kind = '', ...words] = what.split(' ')
  const range = `${hex(vpn * PAGE_SIZE)}-${hex((vpn + pages) * PAGE_SIZE)}`
  const last = what.startsWith(ZERO) ? from : from + pages - 1
  const place = kind === 'pfn' ? `pfn 0x${from.toString(16)}-0x${last.toString(16)}` : `swap slot ${from}-${last}`
  return `  ${range} ${String(pages).padStart(8)} ${place} ${words.join(' ')}\n`
}

function pagemapText(state: KernelState, mm: Mm): string {
  let left = RUNS_MAX
  const parts = mm.vmas.map((vma) => {
    const runs = runsOf(state, mm, vma)
    const count = (word: string): Pages =>
      runs.filter(({ what }) => what.includes(word)).reduce((sum, { pages }) => sum + pages, 0)
    const shown = runs.slice(0, left)
    left -= shown.length
    const more = runs.length > shown.length ? `  ... ${runs.length - shown.length} more runs\n` : ''
    const total = vma.end - vma.start
    return `${mapsLine(vma)}  pages ${total} present ${count('present')} swapped ${count('swapped')}\n${shown.map(runText).join('')}${more}`
  })
  return parts.join('')
}

/** Processes with an address space: threads of the kernel have none. */
export const pagemapPids = (state: KernelState): string[] =>
  state.taskList.filter((pid) => mmOf(state, state.tasks[pid]!) !== undefined).map(String)

export function pagemapFile(state: KernelState, pid: string): PseudoFile | undefined {
  const task = /^\d+$/.test(pid) ? state.tasks[Number(pid)] : undefined
  if (task === undefined || mmOf(state, task) === undefined) return undefined
  return {
    read: (now) => {
      const found = now.tasks[Number(pid)]
      const mm = found === undefined ? undefined : mmOf(now, found)
      return mm === undefined ? { errno: 'ESRCH' } : pagemapText(now, mm)
    },
  }
}
