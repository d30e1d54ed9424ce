/** The fields of a struct page as rows: what the kernel calls them, and their values. Pure. */
import { FRAME_FREE, FRAME_PGTABLE, FRAME_SLAB, type PageInfo } from '../../../protocol/page-map'
import { PAGEBLOCK_PAGES } from '../../../util/units'
import { formatCount } from '../../format'
import { hex, physicalText } from './why-frame'

export interface FramePair {
  readonly name: string
  readonly text: string
  /** Kernel text: drawn as it is. */
  readonly isKernel?: boolean
  /** Too long for half of the panel. */
  readonly isWide?: boolean
  /** A frame to go to. */
  readonly pfn?: number
  /** A process to go to. */
  readonly pid?: number
  /** The process's virtual address, where there is one. */
  readonly address?: number
  readonly pidText?: string
}

function mappingText({ file, slab, owner, mappings, swapSlot }: PageInfo): string {
  if (file) return file.path || `inode ${file.ino}`
  if (slab) return slab.cache
  if (owner === FRAME_PGTABLE || owner === FRAME_SLAB) return '–'
  if (swapSlot !== undefined) return `swap cache, slot ${formatCount(swapSlot)}`
  return mappings.length > 0 ? 'anon_vma' : '–'
}

function indexText({ file, mappings, table }: PageInfo): string {
  if (file) return hex(file.index)
  if (table) return hex(table.address)
  return mappings[0] ? hex(mappings[0].address / 4096) : '–'
}

/** Rows in the order of struct page, then of what follows from it. */
export function framePairs(info: PageInfo): FramePair[] {
  const { free, lru, pfn } = info
  const order = info.order > 0 || free ? `${info.order}${info.head === pfn ? '' : ', head'}` : '0'
  return [
    { name: 'physical', text: physicalText(pfn), isKernel: true },
    { name: 'zone', text: info.zone === '' ? 'none' : `${info.zone}, node ${info.nid}` },
    {
      name: 'pageblock',
      text: `${hex(Math.floor(pfn / PAGEBLOCK_PAGES))}, ${info.migratetype}${info.blockSkipped ? ', skipped by compaction' : ''}`,
    },
    { name: 'flags', text: info.flags.join(' ') || '0', isKernel: true, isWide: info.flags.length > 4 },
    { name: '_refcount', text: String(info.refcount), isKernel: true },
    {
      name: '_mapcount',
      text:
        info.owner === FRAME_FREE
          ? '–'
          : `${info.mapcount - 1}${info.mapcount > 0 ? `, mapped ${times(info.mapcount)}` : ''}`,
    },
    { name: 'mapping', text: mappingText(info), isKernel: true },
    { name: 'index', text: indexText(info), isKernel: true },
    ...(lru
      ? [{ name: 'lru', text: lru.isOffList ? 'in a per-CPU batch' : lru.name, isWide: lru.name.length > 24 }]
      : []),
    ...neighbour('next', lru?.next),
    ...neighbour('previous', lru?.prev),
    { name: 'memcg', text: info.memcg || 'none', isKernel: true },
    { name: 'order', text: order, ...(info.head === pfn ? {} : { pfn: info.head }) },
    ...(free
      ? [
          { name: 'free list', text: free.type },
          { name: 'buddy', text: free.buddyState, pfn: free.buddy },
        ]
      : []),
    ...neighbour('next free', free?.next),
    ...info.mappings.map((m, at) => ({
      name: at === 0 ? 'mapped at' : '',
      text: hex(m.address),
      pid: m.pid,
      address: m.address,
      pidText: `${m.comm} ${m.pid}`,
    })),
    ...(info.stackOf ? [processRow('stack of', info.stackOf)] : []),
    ...(info.table ? [{ ...processRow('table of', info.table), address: info.table.address }] : []),
  ]
}

const times = (n: number): string => (n === 1 ? 'once' : `${formatCount(n)} times`)
const neighbour = (name: string, pfn: number | undefined): FramePair[] =>
  pfn === undefined || pfn === 0 ? [] : [{ name, text: '', pfn }]
const processRow = (name: string, { pid, comm }: { pid: number; comm: string }): FramePair => ({
  name,
  text: '',
  pid,
  pidText: `${comm} ${pid}`,
})
