/** The five lists to scale, and the pages that moved between them lately. Pure. */
import type { AnonFile, ListsView, MovesView } from '../../../protocol/reclaim'
import { NS_PER_S, type Ns } from '../../../util/units'

/** Simulated time that "lately" means. */
export const LATELY_NS = NS_PER_S

export interface MovesSample {
  readonly atNs: Ns
  readonly moves: MovesView
}

const KEYS: readonly (keyof MovesView)[] = [
  'scanned',
  'stolen',
  'activated',
  'accessed',
  'deactivated',
  'kept',
  'written',
  'refaulted',
  'refaultActivated',
  'restored',
]

/** Adds a sample and forgets what is older than is needed; going back in time begins anew. */
export function addSample(samples: readonly MovesSample[], next: MovesSample): readonly MovesSample[] {
  const last = samples.at(-1)
  if (last !== undefined && next.atNs < last.atNs) return [next]
  if (last?.atNs === next.atNs) return [...samples.slice(0, -1), next]
  const all = [...samples, next]
  // One sample from before the stretch stays: the difference is to it.
  const first = all.findLastIndex(({ atNs }) => atNs <= next.atNs - LATELY_NS)
  return all.slice(Math.max(0, first))
}

export interface Lately {
  readonly overNs: Ns
  readonly moves: MovesView
}

/** What moved between the first and the last sample. */
export function latelyOf(samples: readonly MovesSample[]): Lately | undefined {
  const [first, last] = [samples[0], samples.at(-1)]
  if (first === undefined || last === undefined) return undefined
  const less = (a: AnonFile, b: AnonFile): AnonFile => [a[0] - b[0], a[1] - b[1]]
  const moves = Object.fromEntries(KEYS.map((key) => [key, less(last.moves[key], first.moves[key])]))
  return { overNs: last.atNs - first.atNs, moves: moves as unknown as MovesView }
}

export interface ListBar {
  readonly name: string
  readonly pages: number
  readonly x: number
  readonly width: number
}

export interface ListRow {
  readonly type: 'anon' | 'file'
  readonly active: ListBar
  readonly inactive: ListBar
}

/** Room between the two bars of a row for what moves there, and that the name of a list needs at least, px. */
export const BETWEEN = 76
const NAME = 104

/** The two types below each other, at one scale: active left, inactive right, as pages age. */
export function listRows({ lists }: ListsView, width: number): { rows: readonly ListRow[]; pagesPerPx: number } {
  const [inactiveAnon, activeAnon, inactiveFile, activeFile] = lists.map(({ tree }) => tree) as [
    number,
    number,
    number,
    number,
  ]
  const most = Math.max(1, inactiveAnon + activeAnon, inactiveFile + activeFile)
  const pagesPerPx = most / Math.max(1, width - BETWEEN - NAME)
  const row = (type: ListRow['type'], active: number, inactive: number): ListRow => {
    const wide = active / pagesPerPx
    return {
      type,
      active: { name: `active_${type}`, pages: active, x: 0, width: wide },
      inactive: {
        name: `inactive_${type}`,
        pages: inactive,
        x: Math.max(wide, NAME) + BETWEEN,
        width: inactive / pagesPerPx,
      },
    }
  }
  return { rows: [row('anon', activeAnon, inactiveAnon), row('file', activeFile, inactiveFile)], pagesPerPx }
}

/** The moves as rows of a table. */
export const MOVE_ROWS: readonly { readonly key: keyof MovesView; readonly title: string; readonly from: string }[] = [
  { key: 'scanned', title: 'scanned', from: 'tail of inactive' },
  { key: 'stolen', title: 'stolen', from: 'inactive → free' },
  { key: 'kept', title: 'kept', from: 'tail → head of inactive: second chance' },
  { key: 'activated', title: 'activated by reclaim', from: 'inactive → active: found used' },
  { key: 'accessed', title: 'activated by access', from: 'inactive → active: read or written again' },
  { key: 'deactivated', title: 'deactivated', from: 'tail of active → head of inactive' },
  { key: 'written', title: 'written', from: 'inactive → swap or file, freed when the write ends' },
  { key: 'refaulted', title: 'refaulted', from: 'evicted before, and wanted again' },
  { key: 'refaultActivated', title: 'refault, to active', from: 'evicted too early' },
]
