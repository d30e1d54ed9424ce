/**
 * A program's own pages: what any C program uses around a fork without naming it. After fork its stack, data and, in the
 * child, its text have to be faulted again; the lab program counts those faults with the others, so ours makes them too.
 * @spec 11 §3: one page of the stack after fork, one of the data at the next measurement; three in a child
 */
import type { Op } from '../../engine/task'
import type { Step } from '../steps'
import type { MmData } from './options'

/** Addresses of a page of each, as /proc/self/maps says: the top of the stack, the first page of the others. */
interface OwnPages {
  stack: number
  data: number
  text: number
  vdso: number
}

export function parseOwnPages(maps: string): OwnPages {
  const own: OwnPages = { stack: 0, data: 0, text: 0, vdso: 0 }
  for (const [, from, to, rights, name] of maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+ *(.*)$/gm)) {
    const start = Number.parseInt(from!, 16)
    if (name === '[stack]') own.stack = Number.parseInt(to!, 16) - 4096
    else if (name === '[vdso]') own.vdso = start
    else if (rights === 'r-xp') own.text ||= start
    else if (rights!.startsWith('rw')) own.data ||= start
  }
  return own
}

/** Asks once where the program's own pages lie. */
export const findOwnPages: readonly Step<MmData>[] = [
  () => ({ op: 'readFile', path: '/proc/self/maps' }),
  (d, view) => {
    d['own'] = { ...parseOwnPages(view.text) }
    return undefined
  },
]

const access =
  (part: keyof OwnPages, mode: 'read' | 'write'): Step<MmData> =>
  (d): Op => ({ op: 'touch', address: (d['own'] as OwnPages)[part], length: 1, mode })

/** fork() returns: its frame is written. */
export const writeStack = access('stack', 'write')
/** getrusage() stores where the phase began. */
export const writeData = access('data', 'write')
/** clock_gettime() runs in the vdso. */
export const runVdso = access('vdso', 'read')
/** The loop that touches: its window of the text. */
export const runText = access('text', 'read')
