/**
 * /proc/<pid>/numa_maps: every mapping with its policy and where its pages lie.
 * @kernel  fs/proc/task_mmu.c show_numa_map()
 * @spec    09 §9.8
 */
import { HPAGE_PAGES, PAGE_SIZE, type Pages, type Pfn } from '../../util/units'
import {
  PG_ACTIVE,
  PG_ANON,
  PG_DIRTY,
  PG_RESERVED,
  PG_SWAPCACHE,
  PG_UNEVICTABLE,
  PG_WRITEBACK,
  mapcount,
  pageFlags,
  pageZoneIndex,
} from '../mm/memmap'
import { compoundHead, pageMapcount } from '../mm/folio'
import { forEachHugePmd, pmdPfn } from '../mm/huge_pmd'
import { forEachHugetlb } from '../mm/hugetlb_map'
import { vmaUnit } from '../mm/hugetlb_pool'
import { mpolText } from '../mm/mempolicy'
import { VM_MAYSHARE, type Mm, type Vma } from '../mm/mm_types'
import { PTE_DIRTY, forEachPte, isPresent, ptePfn } from '../mm/pgtable'
import { mmOf } from '../mm/rss'
import type { KernelState } from '../state'
import type { Task } from '../task'

/** @kernel struct numa_maps */
interface NumaMaps {
  pages: number
  anon: number
  active: number
  writeback: number
  mapcountMax: number
  dirty: number
  swapcache: number
  readonly node: number[]
}

/** `nr` pages that one entry maps. @kernel gather_stats() */
function gatherPages(state: KernelState, md: NumaMaps, pfn: Pfn, isDirty: boolean, nr: Pages): void {
  const m = state.memmap
  const flags = pageFlags(m, compoundHead(m, pfn))
  if ((flags & PG_RESERVED) !== 0) return
  md.pages += nr
  if (isDirty || (flags & PG_DIRTY) !== 0) md.dirty += nr
  if ((flags & PG_SWAPCACHE) !== 0) md.swapcache += nr
  if ((flags & (PG_ACTIVE | PG_UNEVICTABLE)) !== 0) md.active += nr
  if ((flags & PG_WRITEBACK) !== 0) md.writeback += nr
  if ((flags & PG_ANON) !== 0) md.anon += nr
  md.mapcountMax = Math.max(md.mapcountMax, pageMapcount(m, pfn))
  md.node[state.zones[pageZoneIndex(m, pfn)]!.nid]! += nr
}

/** A huge page of the pool counts once. @kernel gather_hugetlb_stats() */
function gatherHuge(state: KernelState, md: NumaMaps, vma: Vma, entry: number): void {
  const pfn = pmdPfn(entry)
  md.pages++
  // A shared page is dirty from its first use on, a private one when it is written.
  if ((entry & PTE_DIRTY) !== 0) md.dirty++
  if ((vma.flags & VM_MAYSHARE) === 0) md.anon++
  // Pages of the pool are on no list: none of them counts as active.
  md.mapcountMax = Math.max(md.mapcountMax, mapcount(state.memmap, pfn))
  md.node[state.zones[pageZoneIndex(state.memmap, pfn)]!.nid]!++
}

/** The pages of one mapping. @kernel gather_pte_stats() */
function gather(state: KernelState, mm: Mm, vma: Vma): NumaMaps {
  const md: NumaMaps = {
    pages: 0,
    anon: 0,
    active: 0,
    writeback: 0,
    mapcountMax: 0,
    dirty: 0,
    swapcache: 0,
    node: state.nodes.map(() => 0),
  }
  if (vma.hugeOrder !== undefined) {
    forEachHugetlb(state, mm, { vma, start: vma.start, end: vma.end }, (_slot, entry) =>
      gatherHuge(state, md, vma, entry),
    )
    return md
  }
  forEachHugePmd(state, mm, vma.start, vma.end, (_slot, entry) => {
    const pfn = pmdPfn(entry)
    if (pfn !== state.thp.hugeZeroPfn) gatherPages(state, md, pfn, (entry & PTE_DIRTY) !== 0, HPAGE_PAGES)
  })
  forEachPte(state, mm, vma.start, vma.end, (_slot, pte) => {
    const pfn = ptePfn(pte)
    if (!isPresent(pte) || pfn === state.zeroPfn) return
    gatherPages(state, md, pfn, (pte & PTE_DIRTY) !== 0, 1)
  })
  return md
}

function nameOf(vma: Vma): string {
  if (vma.name === '[heap]') return ' heap'
  if (vma.name === '[stack]') return ' stack'
  if (vma.ino === 0 || vma.name.startsWith('[')) return ''
  // Blanks are written as octal. @kernel seq_path()
  return ` file=${vma.name.replaceAll(' ', '\\040')}${vma.hugeOrder === undefined ? '' : ' huge'}`
}

function countsOf(md: NumaMaps, vma: Vma): string {
  const items: readonly (readonly [string, number, boolean])[] = [
    ['anon', md.anon, md.anon > 0],
    ['dirty', md.dirty, md.dirty > 0],
    ['mapped', md.pages, md.pages !== md.anon && md.pages !== md.dirty],
    ['mapmax', md.mapcountMax, md.mapcountMax > 1],
    ['swapcache', md.swapcache, md.swapcache > 0],
    ['active', md.active, md.active < md.pages && vma.hugeOrder === undefined],
    ['writeback', md.writeback, md.writeback > 0],
  ]
  const counts = items.map(([name, value, shows]) => (shows ? ` ${name}=${value}` : ''))
  const nodes = md.node.map((pages, nid) => (pages > 0 ? ` N${nid}=${pages}` : ''))
  return `${[...counts, ...nodes].join('')} kernelpagesize_kB=${(vmaUnit(vma) * PAGE_SIZE) / 1024}`
}

export function numaMapsText(state: KernelState, task: Task): string {
  const mm = mmOf(state, task)
  if (mm === undefined) return ''
  return mm.vmas
    .map((vma) => {
      const md = gather(state, mm, vma)
      const start = (vma.start * PAGE_SIZE).toString(16).padStart(8, '0')
      return `${start} ${mpolText(vma.policy ?? task.mempolicy)}${nameOf(vma)}${md.pages === 0 ? '' : countsOf(md, vma)}\n`
    })
    .join('')
}
