/**
 * What must hold for the objects of address spaces, seen from outside.
 * @kernel  mm/mmap.c validate_mm(), mm/rmap.c
 */
import type { KernelState } from '../state'
import type { Mm, Vma } from './mm_types'
import { isObjectInUse } from './slub'
import { findCache } from './slab_state'
import { hasGapBelow, mapleNodes } from './vm_area'

/** @model one sentence for each broken rule */
export function checkVmAreas(state: KernelState): string[] {
  const found: string[] = []
  const holders = new Map<number, string>()
  const hold = (address: number, name: string): void => {
    if (address === 0) return
    if (!isObjectInUse(state, address)) found.push(`${name}: its object at ${address} is free`)
    if (holders.has(address)) found.push(`${name} and ${holders.get(address)!} share an object`)
    holders.set(address, name)
  }
  const links = new Map<number, number>()
  const active = new Map<number, number>()
  for (const mm of state.mms) {
    hold(mm.object, `mm ${mm.id}`)
    for (const node of mm.mapleNodes) hold(node, `tree of mm ${mm.id}`)
    checkTree(state, mm, found)
    for (const vma of mm.vmas) checkVma(mm, vma, { hold, links, active, found })
  }
  checkAnonVmas(state, links, active, found)
  for (const address of state.anonVmas.rows.map(({ object }) => object)) hold(address, 'an anon_vma')
  checkFiles(state, hold, found)
  return found
}

interface Collected {
  readonly hold: (address: number, name: string) => void
  readonly links: Map<number, number>
  readonly active: Map<number, number>
  readonly found: string[]
}

function checkVma(mm: Mm, vma: Vma, { hold, links, active, found }: Collected): void {
  const name = `mapping at page ${vma.start} of mm ${mm.id}`
  for (const address of vma.objects ?? []) hold(address, name)
  for (const link of vma.anonChain ?? []) {
    hold(link.object, `chain of the ${name}`)
    links.set(link.anonVma, (links.get(link.anonVma) ?? 0) + 1)
  }
  if (vma.anonVma === 0) return
  active.set(vma.anonVma, (active.get(vma.anonVma) ?? 0) + 1)
  if (!(vma.anonChain ?? []).some((link) => link.anonVma === vma.anonVma))
    found.push(`${name}: its chain does not lead to its anon_vma`)
}

function checkTree(state: KernelState, mm: Mm, found: string[]): void {
  let gaps = 0
  for (let i = 0; i <= mm.vmas.length; i++) gaps += hasGapBelow(mm, i)
  if (gaps !== mm.gaps) found.push(`mm ${mm.id}: ${mm.gaps} holes counted, ${gaps} there`)
  const wanted =
    mm.vmas.length === 0 || findCache(state.slabs, 'maple_node') < 0 ? 0 : mapleNodes(mm.vmas.length + gaps)
  if (mm.mapleNodes.length > wanted) found.push(`mm ${mm.id}: ${mm.mapleNodes.length} maple nodes, needs ${wanted}`)
}

function checkAnonVmas(
  state: KernelState,
  links: Map<number, number>,
  active: Map<number, number>,
  found: string[],
): void {
  const { rows } = state.anonVmas
  rows.forEach((row, i) => {
    if (row.object === 0) {
      if (links.has(i)) found.push(`anon_vma ${i} is gone, and mappings lead to it`)
      return
    }
    const descendants = rows.filter((r, j) => r.object !== 0 && r.root === i && j !== i).length
    const expected = (links.has(i) ? 1 : 0) + descendants
    if (row.links !== (links.get(i) ?? 0)) found.push(`anon_vma ${i}: ${row.links} links, ${links.get(i) ?? 0} there`)
    if (row.activeVmas !== (active.get(i) ?? 0))
      found.push(`anon_vma ${i}: ${row.activeVmas} mappings, ${active.get(i) ?? 0} there`)
    if (row.refcount !== expected) found.push(`anon_vma ${i}: refcount ${row.refcount}, ${expected} hold it`)
  })
}

function checkFiles(state: KernelState, hold: Collected['hold'], found: string[]): void {
  const users: Record<number, number> = {}
  for (const pid of state.taskList)
    for (const fd of state.tasks[pid]!.fds)
      if (fd !== undefined && 'object' in fd && (fd.object ?? 0) !== 0) users[fd.object!] = (users[fd.object!] ?? 0) + 1
  for (const key of Object.keys(state.openFiles)) {
    const address = Number(key)
    hold(address, `open file ${key}`)
    if (users[address] !== state.openFiles[address])
      found.push(`file at ${key}: ${state.openFiles[address]} descriptors counted, ${users[address] ?? 0} there`)
  }
}
