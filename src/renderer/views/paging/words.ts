/** What a walk came to, in words. Pure. */
import type { AddressField, WalkEntry, WalkStep, WalkView } from '../../../protocol/paging'
import { formatBytes, formatCount, joinFigure } from '../../format'
import { hex, shortHex } from './fields'

/** 'bits 47:39'; 'bits 63:48'. */
export const bitsText = ({ high, low }: AddressField): string => `bits ${high}:${low}`

/** Below a field: its name, its value, and what it selects. */
export function fieldText(field: AddressField): readonly [string, string, string] {
  const { name, level, value, low } = field
  if (name === 'sign') return ['sign', hex(value), `= bit ${low - 1}`]
  if (level === 0) return ['offset', hex(value), 'byte in the page']
  return [`${name} index`, `${value}`, `${joinFigure(formatBytes(2 ** low))} an entry`]
}

const bitRange = (levels: number): string => `bits 63 to ${11 + 9 * levels}`

/** Why there is no walk; '' when there is one. */
export function noWalkText({ end, address, levels }: WalkView): string {
  if (end === 'non-canonical')
    return `${address} is not canonical: ${bitRange(levels)} must all be equal. The processor raises a general protection fault before any walk, and the kernel sends SIGSEGV with SI_KERNEL.`
  if (end === 'kernel')
    return `${shortHex(address)} is in the kernel’s half. A program that touches it gets SIGSEGV: the walk is the kernel’s own and U is 0 on it.`
  return ''
}

/** What stands at the end of the walk, as a heading and a sentence. */
export function endText(walk: WalkView): readonly [string, string] {
  const last = walk.steps.at(-1)
  const { entry } = last ?? {}
  switch (walk.end) {
    case 'page':
      return [pageHeading(walk), '']
    case 'swap':
      return [
        'page fault: in swap',
        `The entry names slot ${formatCount(entry?.swap?.offset ?? 0)} of ${entry?.swap?.path ?? 'swap'}: any access faults, and the handler reads the page back.`,
      ]
    case 'protnone':
      return [
        'page fault: no access',
        'The frame is there, but P is 0: the mapping was made PROT_NONE, or a NUMA hint waits.',
      ]
    case 'none':
      return [
        `page fault: ${last?.name ?? 'top'} entry is none`,
        walk.vma === ''
          ? 'No mapping covers the address: an access is SIGSEGV, SEGV_MAPERR.'
          : `The mapping (${walk.vma}) is a promise: the first access makes the kernel keep it.`,
      ]
    case 'non-canonical':
    case 'kernel':
      return ['no walk', noWalkText(walk)]
  }
}

function pageHeading({ page }: WalkView): string {
  const size = joinFigure(formatBytes((page?.pages ?? 1) * 4096))
  return page?.kind === 'zero page' ? 'the zero page, shared by all' : `${page?.kind ?? 'page'}, ${size}`
}

/** '63 of 512 used'. */
export const usedText = ({ used }: WalkStep): string => `${used} of 512 used`

/** An entry's content for the list: its 64 bits without what only fills them up. */
export const rawText = ({ kind, raw }: WalkEntry): string => (kind === 'none' ? '0' : raw.slice(2))

/** What a cell is, for those who do not see the picture. */
export const entryLabel = (name: string, { index, kind, pfn, swap }: WalkEntry): string => {
  const what = {
    none: 'none',
    table: `table in frame ${hex(pfn)}`,
    page: `frame ${hex(pfn)}`,
    swap: `swap slot ${swap?.offset ?? 0}`,
    protnone: `frame ${hex(pfn)}, no access`,
  }[kind]
  return `${name} entry ${index}: ${what}`
}

/** Loads that the processor makes when nothing is cached. */
export const loadsText = ({ steps, levels }: WalkView): string =>
  steps.length === 0
    ? ''
    : `${levels} levels · ${steps.length} ${steps.length === 1 ? 'load' : 'loads'} when nothing is cached`
