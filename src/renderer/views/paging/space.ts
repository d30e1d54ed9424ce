/**
 * A process's address space as drawings to scale. Between its mappings lie terabytes of nothing, so neighbours are drawn
 * together as stretches, each to a scale of its own that it names. Pure.
 */
import type { VmaProfile, VmaView } from '../../../protocol/paging'
import { PAGE_SIZE, type Bytes } from '../../../util/units'

/** Mappings whose gaps are small enough to be drawn. */
export interface Stretch {
  readonly start: number
  readonly end: number
  readonly vmas: readonly number[]
}

/** A gap larger than this is left out. */
const GAP_MAX: Bytes = 4 * 1024 * 1024

/** Neighbours by gaps; numbers are indices of `vmas`. */
export function stretchesOf(vmas: readonly VmaView[]): readonly Stretch[] {
  const stretches: { start: number; end: number; vmas: number[] }[] = []
  for (const [i, vma] of vmas.entries()) {
    const last = stretches.at(-1)
    if (last && vma.start - last.end <= GAP_MAX) {
      last.end = vma.end
      last.vmas.push(i)
    } else stretches.push({ start: vma.start, end: vma.end, vmas: [i] })
  }
  return stretches
}

export interface Box {
  /** px */
  readonly x: number
  readonly width: number
  readonly vma: number
}

export interface StretchBox {
  readonly x: number
  readonly width: number
  readonly stretch: Stretch
  readonly bytesPerPx: number
  readonly boxes: readonly Box[]
}

/** Room between two stretches, px. */
export const STRETCH_GAP = 28
/** A mapping that would be thinner is drawn so, px. */
const BOX_MIN = 3
const STRETCH_MIN = 56

/** Stretches share the width by the number of doublings of their size: small ones stay readable beside large ones. */
export function layoutSpace(vmas: readonly VmaView[], width: number): readonly StretchBox[] {
  const stretches = stretchesOf(vmas)
  const weights = stretches.map(({ start, end }) => doublings((end - start) / PAGE_SIZE) + 1)
  const sum = weights.reduce((total, weight) => total + weight, 0)
  const room = Math.max(0, width - (stretches.length - 1) * STRETCH_GAP - stretches.length * STRETCH_MIN)
  let x = 0
  return stretches.map((stretch, i) => {
    const own = STRETCH_MIN + Math.floor((room * weights[i]!) / sum)
    const box = { x, width: own, stretch, ...boxesOf(vmas, stretch, { x, width: own }) }
    x += own + STRETCH_GAP
    return box
  })
}

function doublings(n: number): number {
  let count = 0
  for (let rest = n; rest > 1; rest /= 2) count++
  return count
}

function boxesOf(
  vmas: readonly VmaView[],
  { start, end, vmas: members }: Stretch,
  { x, width }: { readonly x: number; readonly width: number },
): { readonly bytesPerPx: number; readonly boxes: readonly Box[] } {
  const bytesPerPx = (end - start) / width
  const boxes = members.map((vma) => {
    const { start: from, end: to } = vmas[vma]!
    const left = x + (from - start) / bytesPerPx
    const wide = Math.max(BOX_MIN, (to - from) / bytesPerPx)
    return { x: Math.min(left, x + width - wide), width: wide, vma }
  })
  return { bytesPerPx, boxes }
}

/** Where an address is drawn. @returns undefined where nothing is */
export function placeOf(layout: readonly StretchBox[], address: number): number | undefined {
  const box = layout.find(({ stretch }) => address >= stretch.start && address < stretch.end)
  return box && box.x + (address - box.stretch.start) / box.bytesPerPx
}

/** The page drawn at `x` inside a mapping's box: its first byte. */
export function pageUnder(vma: VmaView, box: Box, x: number): number {
  const pages = (vma.end - vma.start) / PAGE_SIZE
  const at = Math.floor(((x - box.x) / box.width) * pages)
  return vma.start + Math.max(0, Math.min(pages - 1, at)) * PAGE_SIZE
}

export type Part = 'resident' | 'huge' | 'zero' | 'swapped'
export const PARTS: readonly Part[] = ['resident', 'huge', 'zero', 'swapped']

/**
 * One part of a mapping as a path inside its box: in each stretch as high as the share of pages that it holds, on top of
 * the parts before it. What is there at all is one pixel high at least.
 */
export function partPath(profile: VmaProfile, part: Part, box: Box, height: number): string {
  const nr = profile.resident.length
  const step = box.width / nr
  let path = ''
  for (let i = 0; i < nr; i++) {
    const pages = profile[part][i]!
    if (pages === 0) continue
    let below = 0
    for (const each of PARTS) {
      if (each === part) break
      below += profile[each][i]!
    }
    const tall = Math.max(1, (pages / profile.stretchPages) * height)
    const bottom = height - (below / profile.stretchPages) * height
    path += `M${(box.x + i * step).toFixed(2)} ${(bottom - tall).toFixed(2)}h${step.toFixed(2)}v${tall.toFixed(2)}h-${step.toFixed(2)}z`
  }
  return path
}

/** Token of what a mapping's resident pages are. */
export const ownerOf = (vma: VmaView): string => (vma.kind === 'file' || vma.kind === 'shared' ? 'file' : 'anon')

/** '[heap]', a path, or what /proc/<pid>/maps has no name for. */
export const nameOf = (vma: VmaView): string => vma.name || 'anonymous'
export const shortName = (vma: VmaView): string => nameOf(vma).slice(nameOf(vma).lastIndexOf('/') + 1)

/** The mapping that an address lies in. */
export const vmaAt = (vmas: readonly VmaView[], address: number): VmaView | undefined =>
  vmas.find(({ start, end }) => address >= start && address < end)

/** Where a look at a process begins: the first page of the mapping that has most in memory. */
export function firstAddress(vmas: readonly VmaView[]): string {
  const there = ({ kind, residentPages, swappedPages }: VmaView): number =>
    (residentPages + swappedPages) * (kind === 'file' ? 0.5 : 1)
  const most = vmas.reduce<VmaView | undefined>(
    (best, vma) => (!best || there(vma) > there(best) ? vma : best),
    undefined,
  )
  return most ? `0x${most.start.toString(16)}` : ''
}
