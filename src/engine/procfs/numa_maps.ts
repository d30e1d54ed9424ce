/**
 * /proc/<pid>/numa_maps: every mapping with its policy and where its pages lie.
 * @kernel  fs/proc/task_mmu.c show_numa_map()
 * @spec    09 §9.8
 */
import { PAGE_SIZE } from '../../util/units'
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
import { mpolText } from '../mm/mempolicy'
import type { Mm, Vma } from '../mm/mm_types'
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

/** The pages of one mapping. @kernel gather_stats() */
function gather(state: KernelState, mm: Mm, vma: Vma): NumaMaps {
  const m = state.memmap
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
  forEachPte(state, mm, vma.start, vma.end, (_slot, pte) => {
    const pfn = ptePfn(pte)
    if (!isPresent(pte) || pfn === state.zeroPfn) return
    const flags = pageFlags(m, pfn)
    if ((flags & PG_RESERVED) !== 0) return
    md.pages++
    if ((pte & PTE_DIRTY) !== 0 || (flags & PG_DIRTY) !== 0) md.dirty++
    if ((flags & PG_SWAPCACHE) !== 0) md.swapcache++
    if ((flags & (PG_ACTIVE | PG_UNEVICTABLE)) !== 0) md.active++
    if ((flags & PG_WRITEBACK) !== 0) md.writeback++
    if ((flags & PG_ANON) !== 0) md.anon++
    md.mapcountMax = Math.max(md.mapcountMax, mapcount(m, pfn))
    md.node[state.zones[pageZoneIndex(m, pfn)]!.nid]!++
  })
  return md
}

function nameOf(vma: Vma): string {
  if (vma.name === '[heap]') return ' heap'
  if (vma.name === '[stack]') return ' stack'
  return vma.ino !== 0 && !vma.name.startsWith('[') ? ` file=${vma.name}` : ''
}

function countsOf(md: NumaMaps): string {
  const items: readonly (readonly [string, number, boolean])[] = [
    ['anon', md.anon, md.anon > 0],
    ['dirty', md.dirty, md.dirty > 0],
    ['mapped', md.pages, md.pages !== md.anon && md.pages !== md.dirty],
    ['mapmax', md.mapcountMax, md.mapcountMax > 1],
    ['swapcache', md.swapcache, md.swapcache > 0],
    ['active', md.active, md.active < md.pages],
    ['writeback', md.writeback, md.writeback > 0],
  ]
  const counts = items.map(([name, value, shows]) => (shows ? ` ${name}=${value}` : ''))
  const nodes = md.node.map((pages, nid) => (pages > 0 ? ` N${nid}=${pages}` : ''))
  return `${[...counts, ...nodes].join('')} kernelpagesize_kB=${PAGE_SIZE / 1024}`
}

export function numaMapsText(state: KernelState, task: Task): string {
  const mm = mmOf(state, task)
  if (mm === undefined) return ''
  return mm.vmas
    .map((vma) => {
      const md = gather(state, mm, vma)
      const start = (vma.start * PAGE_SIZE).toString(16).padStart(8, '0')
      return `${start} ${mpolText(vma.policy ?? task.mempolicy)}${nameOf(vma)}${md.pages === 0 ? '' : countsOf(md)}\n`
    })
    .join('')
}
