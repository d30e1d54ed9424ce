/** Runs of reclaim and their passes as table rows and sentences. Pure. */
import type { AnonFile, PassView, RunView } from '../../../protocol/reclaim'
import type { ReclaimReply } from '../../../protocol/reclaim'
import type { Column } from '../../components/table'
import { formatCount, formatDuration, formatMoment, joinFigure } from '../../format'
import { NS_PER_S } from '../../../util/units'

export type Run = ReclaimReply['runs'][number]

const n = formatCount
const sum = (pair: AnonFile): number => pair[0] + pair[1]

/** Of all passes. */
export const total = (run: RunView, of: (pass: PassView) => AnonFile): AnonFile =>
  run.passes.reduce<AnonFile>((all, pass) => [all[0] + of(pass)[0], all[1] + of(pass)[1]], [0, 0])

/** Who pays: the three kinds of reclaim as everywhere else. */
export const trackOf = ({ kind }: RunView): 'kswapd' | 'direct' | 'memcg' =>
  kind === 'kswapd' ? 'kswapd' : kind === 'memcg' ? 'memcg' : 'direct'

export const whoText = ({ comm, pid }: RunView): string => (pid === 0 ? 'a write to a file' : `${comm} ${pid}`)

/** '12 to 9': how hard it had to try. */
export function priorityText(run: RunView): string {
  const all = run.passes.map(({ priority }) => priority)
  const [first, last] = [Math.max(...all), Math.min(...all)]
  return first === last ? String(first) : `${first}\u2013${last}`
}

const KINDS: Readonly<Record<RunView['kind'], string>> = {
  kswapd: 'background',
  direct: 'a task pays',
  memcg: 'a group pays',
  node: 'zone_reclaim_mode',
}

export const kindText = (run: RunView): string => (run.asked === '' ? KINDS[run.kind] : run.asked)

/** Why the run began, in a sentence with its numbers. */
export function whyText(run: Run): string {
  const wanted = `${n(run.wanted)} pages wanted`
  if (run.kind === 'kswapd') return `kswapd of node ${run.nid} works until a zone is above high, for order ${run.order}`
  if (run.kind === 'node') return `zone_reclaim_mode frees cache of node ${run.nid} before the next node is asked`
  if (run.asked === 'MADV_PAGEOUT')
    return `${whoText(run)} gave ${n(run.wanted)} of its own pages away with madvise(MADV_PAGEOUT)`
  if (run.asked === 'lru_gen')
    return `a line written to /sys/kernel/debug/lru_gen evicts old generations: at most ${n(run.wanted)} pages`
  if (run.kind === 'direct')
    return `an allocation of order ${run.order} found no zone above min; node ${run.nid} had ${n(run.freeBefore)} pages free, ${wanted}`
  const group = run.targetPath || 'a group that is gone'
  if (run.asked === 'memory.reclaim') return `a write to memory.reclaim of ${group}: ${wanted}`
  if (run.usage > run.max)
    return `memory.max of ${group} was set below its usage: ${n(run.usage)} of ${n(run.max)} pages, ${wanted}`
  if (run.usage > run.high) return `${group} is above memory.high: ${n(run.usage)} of ${n(run.high)} pages, ${wanted}`
  return `a charge would lift ${group} over memory.max: ${n(run.usage)} of ${n(run.max)} pages, ${wanted}`
}

/** What came of it. */
export function resultText(run: Run): string {
  const took = run.endNs < 0 ? 'still at it' : `took ${joinFigure(formatDuration(run.endNs - run.startNs))}`
  const free = run.freeAfter < 0 ? '' : `, free pages ${n(run.freeBefore)} → ${n(run.freeAfter)}`
  return `${took}: ${n(run.nrReclaimed)} pages freed${free}`
}

const pair = (of: (pass: PassView) => AnonFile, id: string, title: string): Column<Run>[] => [
  {
    id: `${id}A`,
    title: `${title} anon`,
    isNumber: true,
    text: (run) => n(total(run, of)[0]),
    sortBy: (run) => total(run, of)[0],
  },
  {
    id: `${id}F`,
    title: 'file',
    isNumber: true,
    text: (run) => n(total(run, of)[1]),
    sortBy: (run) => total(run, of)[1],
  },
]
const both = (of: (pass: PassView) => AnonFile, id: string, title: string): Column<Run> => ({
  id,
  title,
  isNumber: true,
  text: (run) => n(sum(total(run, of))),
  sortBy: (run) => sum(total(run, of)),
})

export const RUN_COLUMNS: readonly Column<Run>[] = [
  {
    id: 'at',
    title: 'began, s',
    isNumber: true,
    text: (run) => formatMoment(run.startNs, NS_PER_S),
    sortBy: (run) => run.startNs,
  },
  { id: 'who', title: 'who', text: whoText, sortBy: whoText },
  { id: 'kind', title: 'kind', text: kindText, sortBy: kindText },
  { id: 'priority', title: 'priority', text: priorityText, sortBy: (run) => run.priority },
  ...pair(({ scanned }) => scanned, 's', 'scanned'),
  ...pair(({ stolen }) => stolen, 't', 'stolen'),
  both(({ activated }) => activated, 'activated', 'activated'),
  both(({ kept }) => kept, 'kept', 'kept'),
  both(({ written }) => written, 'written', 'written'),
  {
    id: 'took',
    title: 'took',
    isNumber: true,
    text: (run) => (run.endNs < 0 ? 'now' : joinFigure(formatDuration(run.endNs - run.startNs))),
    sortBy: (run) => run.endNs - run.startNs,
  },
]

// FLAG_* of the engine's reclaim_record.ts.
const FLAG_CACHE_TRIM = 4
const FLAG_FILE_TINY = 8
const FLAG_MAY_SWAP = 16

/** How a pass shared its pressure. */
export function shareText(pass: PassView, isMglru: boolean): string {
  if (isMglru) return pass.aged > 0 ? 'a new generation' : 'oldest generation'
  if (pass.groups === 0) return '–'
  if (pass.balance === 'FRACT') return `anon ${n(pass.anonShare)} : file ${n(pass.fileShare)}`
  if (pass.balance === 'FILE' && (pass.flags & FLAG_MAY_SWAP) === 0) return 'FILE: may not swap'
  if (pass.balance === 'FILE') return (pass.flags & FLAG_CACHE_TRIM) === 0 ? 'FILE: no swap' : 'FILE: cache_trim_mode'
  if (pass.balance === 'ANON') return (pass.flags & FLAG_FILE_TINY) === 0 ? 'ANON' : 'ANON: file_is_tiny'
  return 'EQUAL: last resort'
}

/** What else happened in a pass, only what is not zero. */
export function passNotes(pass: PassView): string {
  const notes: readonly (readonly [number, string])[] = [
    [sum(pass.deactivated), 'deactivated'],
    [pass.rotated, 'executable pages spared'],
    [pass.sorted, 'sorted into other generations'],
    [pass.writeback, 'under writeback'],
    [pass.dirty, 'dirty'],
    [pass.slab, 'pages of slab freed'],
    [pass.belowMin, 'groups spared by memory.min'],
    [pass.belowLow, 'groups spared by memory.low'],
  ]
  return notes.flatMap(([count, words]) => (count > 0 ? [`${n(count)} ${words}`] : [])).join(', ')
}

/** Percent of the pages looked at that were freed; undefined when none was. */
export function efficiency(scanned: number, stolen: number): number | undefined {
  return scanned === 0 ? undefined : (stolen / scanned) * 100
}
