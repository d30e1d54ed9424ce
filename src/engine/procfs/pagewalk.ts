/**
 * /sys/kernel/debug/pagewalk: memory asked for and given back by hand, and what no file of Linux shows. The directory is
 * ours, and its name says so; what happens below it is the kernel's own.
 */
import { handWrite, type HandKind, type HandOps, type HeldMemory } from '../mm/by_hand'
import { KMALLOC_BY_HAND, OBJECTS_BY_HAND } from '../mm/by_hand_slab'
import { VMALLOC_BY_HAND } from '../mm/by_hand_vmalloc'
import { findCache } from '../mm/slab_state'
import { PAGE_SIZE } from '../../util/units'
import type { KernelState } from '../state'
import { moduleControl } from './modules'
import { pagemapFile, pagemapPids } from './pagewalk_pagemap'
import { pagesFile } from './pagewalk_pages'
import { tlbFile } from './pagewalk_tlb'
import { touchFile } from './pagewalk_touch'
import { slabsText } from './slab_text'
import { vmAddress } from './vmallocinfo'
import type { PseudoDir, PseudoFile } from './types'

const hex = (n: number): string => `0x${n.toString(16).padStart(12, '0')}`

/** Address, and the frame behind it or the number of single frames. */
function placeOf(state: KernelState, row: HeldMemory): string {
  if (row.vmStart !== undefined) return `${vmAddress(state, 'vmalloc', row.vmStart)} pages=${row.sizeBytes / PAGE_SIZE}`
  return `${hex(row.address)} pfn=${Math.floor(row.address / PAGE_SIZE)}`
}

/** What is held, one row each, and what happened last. */
function handText(state: KernelState, kind: HandKind): string {
  const { held, last } = state.byHand[kind]
  const rows = held.map(
    (row) =>
      `${row.id} ${placeOf(state, row)} ${row.request} bytes=${row.sizeBytes}${row.path === '' ? '' : ` path=${row.path}`}\n`,
  )
  return `${rows.join('')}${last === '' ? '' : `# last: ${last}\n`}`
}

const handFile = (kind: HandKind, ops: HandOps): PseudoFile => ({
  read: (state) => handText(state, kind),
  write: (state, text) => handWrite(state, kind, ops, text),
})

/** One row a file: whoever adds a kind of memory by hand adds a row. */
const FILES: Readonly<Record<string, PseudoFile>> = {
  kmalloc: handFile('kmalloc', KMALLOC_BY_HAND),
  modules: moduleControl,
  objects: handFile('objects', OBJECTS_BY_HAND),
  pages: pagesFile,
  tlb: tlbFile,
  touch: touchFile,
  vmalloc: handFile('vmalloc', VMALLOC_BY_HAND),
}

/** slabs/<cache>: where every slab of the cache is. */
function slabsFile(state: KernelState, name: string): PseudoFile | undefined {
  const cache = findCache(state.slabs, name)
  return cache < 0 ? undefined : { read: (s) => slabsText(s, cache) }
}

export const pagewalkDir: PseudoDir = {
  list: (state, path) => {
    if (path === '') return [...Object.keys(FILES), 'pagemap', 'slabs']
    if (path === 'pagemap') return pagemapPids(state)
    return path === 'slabs' ? state.slabs.caches.map(({ name }) => name) : undefined
  },
  file: (state, path) => {
    if (path.startsWith('pagemap/')) return pagemapFile(state, path.slice(8))
    if (path.startsWith('slabs/')) return slabsFile(state, path.slice(6))
    return Object.hasOwn(FILES, path) ? FILES[path] : undefined
  },
}
