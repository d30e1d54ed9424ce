/**
 * Whose an object is, as far as the machine itself remembers where it keeps it: the reverse of what tasks and files hold.
 * For views; no mechanism asks.
 * @model  the kernel knows it only with slab_debug=U, which notes the caller instead
 */
import { PAGE_SIZE, type Bytes } from '../../util/units'
import type { KernelState } from '../state'

export interface ObjectOwner {
  readonly address: Bytes
  /** 'task 171 (hog)', 'inode 12'. */
  readonly owner: string
}

/** 'task 171 (hog), task 172 (hog)' */
const usersOf = (state: KernelState, mm: number): string =>
  state.taskList
    .filter((pid) => state.tasks[pid]!.mm === mm)
    .map((pid) => `task ${pid} (${state.tasks[pid]!.comm})`)
    .join(', ')

/**
 * Owners of the objects in a range of physical addresses, in the order of the addresses.
 * @param from  bytes, inclusive; `to` exclusive
 * @model  see above
 */
export function slabOwners(state: KernelState, from: Bytes, to: Bytes): ObjectOwner[] {
  const found: ObjectOwner[] = []
  const add = (addresses: Iterable<number>, owner: () => string): void => {
    for (const address of addresses) if (address >= from && address < to) found.push({ address, owner: owner() })
  }
  for (const pid of state.taskList) {
    const held = state.processObjects[pid]
    if (held === undefined) continue
    const owner = (): string => `task ${pid} (${state.tasks[pid]!.comm})`
    for (const list of [held.task, held.user]) add(list, owner)
    for (const fd of state.tasks[pid]!.fds) if (fd !== undefined && 'object' in fd) add([fd.object ?? 0], owner)
  }
  for (const mm of state.mms) {
    const owner = (): string => `address space of ${usersOf(state, mm.id)}`
    add([mm.object], owner)
    add(mm.mapleNodes, owner)
    for (const vma of mm.vmas) {
      const mapping = (): string => `mapping at 0x${(vma.start * PAGE_SIZE).toString(16)} of ${usersOf(state, mm.id)}`
      add(vma.objects ?? [], mapping)
      for (const link of vma.anonChain ?? []) add([link.object], mapping)
    }
  }
  for (const { object } of state.anonVmas.rows) add([object], () => 'anonymous memory of a family of mappings')
  for (const inode of state.inodes) {
    if (inode === undefined) continue
    add([inode.slab], () => `inode ${inode.ino} (${inode.fs})`)
    add(inode.treeNodes, () => `page tree of inode ${inode.ino} (${inode.fs})`)
  }
  const d = state.dcache
  for (let row = 1; row < d.rows; row++)
    add([d.address[row]!, d.name[row]!], () =>
      d.ino[row] === 0 ? 'name that does not exist' : `name of inode ${d.ino[row]}`,
    )
  for (const table of [state.byHand.objects, state.byHand.kmalloc])
    for (const row of table.held) add([row.address], () => `by hand, number ${row.id}`)
  return found.sort((a, b) => a.address - b.address)
}
