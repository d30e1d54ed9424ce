/** What a frame is and why it is there, in sentences with the kernel's rule and the numbers put in. Pure. */
import {
  FRAME_ANON,
  FRAME_FILE,
  FRAME_FREE,
  FRAME_HOLE,
  FRAME_HUGE,
  FRAME_KERNEL,
  FRAME_PCP,
  FRAME_PGTABLE,
  FRAME_RESERVED,
  FRAME_SLAB,
  type PageInfo,
} from '../../../protocol/page-map'
import { PAGE_SIZE } from '../../../util/units'
import { formatCount } from '../../format'

export const hex = (value: number): string => `0x${value.toString(16)}`

const who = ({ pid, comm }: { readonly pid: number; readonly comm: string }): string =>
  pid === 0 ? 'a process that is gone' : `${comm} (pid ${pid})`

const TABLE_LEVELS = ['', 'PTE', 'PMD', 'PUD', 'PGD', 'P5D']

/** One sentence: what holds the frame. */
export function whatText(info: PageInfo): string {
  switch (info.owner) {
    case FRAME_ANON:
      return anonText(info)
    case FRAME_FILE:
      return fileText(info)
    case FRAME_SLAB:
      return slabText(info)
    case FRAME_PGTABLE:
      return tableText(info)
    case FRAME_KERNEL:
      return info.stackOf ? `Kernel stack of ${who(info.stackOf)}.` : kernelText(info)
    case FRAME_HUGE:
      return `Huge page of the pool, head pfn ${hex(info.head)}.`
    case FRAME_PCP:
      return `Free, on the per-CPU list of CPU ${info.pcpCpu ?? 0}${info.order > 0 ? `, in a block of order ${info.order}` : ''}.`
    case FRAME_FREE:
      return freeText(info)
    case FRAME_RESERVED:
      return 'Reserved at boot: the allocator never had it.'
    case FRAME_HOLE:
      return 'No memory: nothing answers at this address.'
    default:
      return ''
  }
}

const group = ({ memcg }: PageInfo): string => (memcg === '' ? ', charged to no group' : `, charged to ${memcg}`)
const list = ({ lru }: PageInfo): string =>
  lru === undefined ? '' : lru.isOffList ? ', on its way to an LRU list' : `, ${lru.name}`

function anonText(info: PageInfo): string {
  const [first] = info.mappings
  if (!first) return `Anonymous page that no process maps; the swap cache has it${list(info)}${group(info)}.`
  const where = `virtual ${hex(first.address)}${first.vma ? ` ${first.vma}` : ''}`
  const more = info.mapcount > 1 ? ` and ${info.mapcount - 1} more` : ''
  return `Anonymous page of ${who(first)}${more}, ${where}${list(info)}${group(info)}.`
}

function fileText(info: PageInfo): string {
  const { file } = info
  if (!file) return 'Page of a file.'
  const name = file.path === '' ? `inode ${file.ino}, which has no name` : file.path
  const kind = file.isShmem ? 'Shared memory or tmpfs' : 'Page cache'
  const [first] = info.mappings
  const mapped = first ? `, mapped by ${who(first)}${info.mapcount > 1 ? ` and ${info.mapcount - 1} more` : ''}` : ''
  return `${kind}: ${name}, page ${formatCount(file.index)}${mapped}${list(info)}${group(info)}.`
}

function slabText({ slab, order, head }: PageInfo): string {
  if (!slab) return `Block of kmalloc that is too large for a cache, order ${order}, head pfn ${hex(head)}.`
  const size = `${slab.inuse} of ${slab.objects} objects of ${slab.objectSize} bytes in use`
  return `Slab of ${slab.cache}: ${size}, order ${order}, head pfn ${hex(head)}.`
}

function tableText({ table }: PageInfo): string {
  if (!table) return 'Page table.'
  return `Page table, level ${TABLE_LEVELS[table.level] ?? table.level}, of ${who(table)}, for virtual ${hex(table.address)} on.`
}

const kernelText = ({ order, head }: PageInfo): string =>
  order > 0 ? `Kernel memory: part of a block of order ${order}, head pfn ${hex(head)}.` : 'Kernel memory, one frame.'

function freeText({ free, pfn }: PageInfo): string {
  if (!free) return 'Free.'
  const inside = free.head === pfn ? 'head of it' : `head pfn ${hex(free.head)}`
  return `Free block of order ${free.order} (${formatCount(2 ** free.order)} frames), ${inside}, on the ${free.type} list.`
}

/** Why it is where it is: the rule that keeps it there. */
export function whyText(info: PageInfo): string {
  switch (info.owner) {
    case FRAME_FREE:
      return whyFree(info)
    case FRAME_PCP:
      return 'Freed on that CPU, or taken ahead for it: the next allocation of this CPU gets it without the zone lock. It is not in nr_free_pages, and it cannot merge.'
    case FRAME_ANON:
    case FRAME_FILE:
      return whyMovable(info)
    case FRAME_SLAB:
      return `Its objects have addresses that others hold, so it cannot move: it was taken from ${article(info.migratetype)} pageblock.`
    case FRAME_PGTABLE:
      return 'The hardware walks it by physical address, so it cannot move; it goes when its last entry goes.'
    case FRAME_HUGE:
      return 'Taken by vm.nr_hugepages in one piece of order 9; it comes back only when the pool shrinks.'
    case FRAME_KERNEL:
      return info.stackOf
        ? 'Four frames a thread, mapped by vmalloc; they are freed when the task ends.'
        : 'Allocated without __GFP_MOVABLE: compaction cannot move it.'
    case FRAME_RESERVED:
      return 'The kernel image, the memory map (64 bytes a frame) and other memory of memblock stay outside the zones’ managed pages.'
    default:
      return 'The firmware’s memory map has no usable RAM here, or the frame belongs to another zone.'
  }
}

const article = (migratetype: string): string => `${/^[AEIOU]/.test(migratetype) ? 'an' : 'a'} ${migratetype}`

function whyFree({ free }: PageInfo): string {
  if (!free) return ''
  const buddy = `Its buddy is pfn ${hex(free.buddy)} (${hex(free.head)} XOR ${hex(2 ** free.order)})`
  switch (free.buddyState) {
    case 'largest':
      return 'Order 10 is the largest: blocks of it do not merge.'
    case 'no memory':
      return `${buddy}, where there is no memory, so the two cannot merge.`
    case 'other zone':
      return `${buddy}, which is in another zone, so the two cannot merge.`
    case 'split':
    case 'in use':
      return free.order === 0
        ? `${buddy}, which is in use, so the two cannot merge.`
        : `${buddy}, of whose ${formatCount(2 ** free.order)} frames ${formatCount(free.buddyFree)} are free: not all, so the two cannot merge.`
    case 'unmerged':
      return `${buddy}, which is free too: its pageblock is of another migratetype, or was when they were freed.`
  }
}

function whyMovable(info: PageInfo): string {
  const isAtHome = info.migratetype === 'Movable'
  const place = isAtHome
    ? 'Allocated with __GFP_MOVABLE into a Movable pageblock: compaction may move it, reclaim may take it.'
    : `Allocated with __GFP_MOVABLE, but its pageblock is ${info.migratetype}: the Movable lists were empty, or the pageblock changed hands since.`
  const swap = info.swapSlot === undefined ? '' : ` Slot ${formatCount(info.swapSlot)} of swap holds a copy.`
  return place + swap
}

/** '0x13656f000' */
export const physicalText = (pfn: number): string => hex(pfn * PAGE_SIZE)
