/** What the translation caches mean for a walk, in words, and their counts as figures. Pure. */
import type { LevelRead, Standing, TlbCounts, TlbView, TranslationView } from '../../../protocol/paging'
import { formatBytes, formatCount, formatDuration, joinFigure } from '../../format'
import { LEVEL_TOKENS } from './fields'

const nsText = (ns: number): string => joinFigure(formatDuration(ns))

/** What stands in a table's column: where its entry was cached, and what the hardware does with it. */
export interface LevelFacts {
  /** 'PDE: hit'; '' the entry has no cache of its own. */
  readonly cache: string
  readonly isHit: boolean
  /** 'skipped', 'starts here', 'read' */
  readonly walk: string
  readonly isStart: boolean
  readonly isRead: boolean
}

export function levelFacts(translation: TranslationView, level: number): LevelFacts | undefined {
  const at = translation.levels.find((each) => each.level === level)
  if (!at) return undefined
  const isStart = at.isRead && level === translation.startLevel
  return { ...cacheFact(translation, at), walk: walkFact(translation, at, isStart), isStart, isRead: at.isRead }
}

function cacheFact({ looks }: TranslationView, at: LevelRead): Pick<LevelFacts, 'cache' | 'isHit'> {
  if (at.cache !== '') return { cache: `${at.cache} ${at.isCached ? 'hit' : 'miss'}`, isHit: at.isCached }
  if (looks.length === 0) return { cache: 'never cached: P is 0', isHit: false }
  const hit = looks.find(({ isHit }) => isHit)
  return { cache: hit ? `${hit.name} hit` : 'TLB miss', isHit: hit !== undefined }
}

function walkFact({ found, ns }: TranslationView, at: LevelRead, isStart: boolean): string {
  if (!at.isRead) return at.ns === 0 && found === 'L2' && at.cache === '' ? 'not read' : 'skipped'
  const cost = at.ns > 0 ? `, ${nsText(ns)}` : ''
  return `${isStart ? 'starts here' : 'read'}${cost}`
}

/** The colour of the level where the hardware starts. */
export const startToken = (level: string): string => LEVEL_TOKENS[level] ?? '--b-edge'

/** 'CPU 0: PDE hit, 1 load, 10 ns'. */
export function summaryText(translation: TranslationView): string {
  const { cpu, found, looks, levels, reads, ns } = translation
  const hit = looks.find(({ isHit }) => isHit)
  if (hit) return `CPU ${cpu}: ${hit.name} hit, no load${ns > 0 ? `, ${nsText(ns)}` : ''}`
  const cached = levels.findLast(({ isCached }) => isCached)
  const from = cached ? `${cached.cache} hit` : 'nothing cached'
  const cost = found === 'fault' ? 'then the fault' : nsText(ns)
  return `CPU ${cpu}: ${looks.length > 0 ? 'TLB miss, ' : ''}${from}, ${reads} ${reads === 1 ? 'load' : 'loads'}, ${cost}`
}

const STANDINGS: Readonly<Record<Standing, string>> = {
  'in use': 'runs here: its translations are in use',
  lazy: 'is still loaded here while the CPU idles or runs a kernel thread (lazy): no interrupt is sent for a flush',
  kept: 'is not loaded here; its translations are kept under its number',
  stale: 'has missed a flush here: the next switch to it starts empty',
  unknown: 'has nothing here: a switch to it starts empty',
}

/** How the CPU stands to the process, as a sentence. */
export function standingText(comm: string, { standing, asid, pcid }: TlbView): string {
  const number = asid >= 0 && standing !== 'unknown' ? ` (ASID ${asid}${pcid ? `, PCID ${asid + 1}` : ''})` : ''
  return `${comm} ${STANDINGS[standing]}${number}.`
}

/** Shares of accesses to data by who translated them; a fault's two walks are both walks. */
export interface Shares {
  readonly accesses: number
  readonly l1: number
  readonly l2: number
  readonly walk: number
  readonly fault: number
}

/** @returns counts between two moments; the first is left out since boot */
export function between(now: TlbCounts, before: TlbCounts | undefined): TlbCounts {
  if (!before) return now
  return Object.fromEntries(
    Object.entries(now).map(([name, count]) => [name, Math.max(0, count - before[name as keyof TlbCounts])]),
  ) as unknown as TlbCounts
}

/** 0 to 1 each, undefined where nothing was accessed. */
export function sharesOf(counts: TlbCounts): Shares | undefined {
  const accesses = counts.loads + counts.stores
  if (accesses === 0) return undefined
  // An access that faults walks twice, the second time with success: it is one miss.
  const walks = Math.max(0, counts.walksLoad + counts.walksStore - counts.walksFault)
  const fault = Math.min(counts.walksFault, walks)
  const l1 = Math.max(0, accesses - counts.l2Hits - walks)
  return {
    accesses,
    l1: l1 / accesses,
    l2: counts.l2Hits / accesses,
    walk: (walks - fault) / accesses,
    fault: fault / accesses,
  }
}

/** '98.4 %'; never 100 where something is missing, nor 0 where something is there. */
export function percent(share: number): string {
  const shown = share * 100
  if (share > 0 && shown < 0.01) return '< 0.01 %'
  if (share < 1 && shown > 99.99) return '> 99.99 %'
  return `${shown.toFixed(shown >= 99.95 || shown < 9.995 ? 2 : 1)} %`
}

/** A row of figures: of the last second, and since boot. */
export interface CountRow {
  readonly title: string
  readonly recent: string
  readonly total: string
  /** What it means, for the pointer. */
  readonly hint: string
}

const ROWS: readonly (readonly [string, string, (counts: TlbCounts) => string])[] = [
  ['loads and stores', 'accesses to data that this CPU made for programs', (n) => formatCount(n.loads + n.stores)],
  ['L1 hit', 'served by the first level: costs nothing', (n) => shareText(n, 'l1')],
  ['L2 hit', 'missed the first level, served by the second', (n) => shareText(n, 'l2')],
  ['walk', 'missed both: the tables were walked', (n) => shareText(n, 'walk')],
  ['page fault', 'the walk found no page', (n) => shareText(n, 'fault')],
  ['time in walks', 'walks that ended with a page; those of faults are part of the faults', (n) => nsText(n.walkNs)],
  ['entries read a walk', 'table entries read, by walks that ended with a page', readsText],
  ['full flushes', 'everything of one address space was forgotten', (n) => formatCount(n.flushesFull)],
  ['pages flushed', 'pages forgotten one by one (INVLPG)', (n) => formatCount(n.flushesPage)],
  ['IPIs sent', 'CPUs that this one interrupted to make them flush', (n) => formatCount(n.ipisSent)],
  ['IPIs received', 'times that another CPU made this one flush', (n) => formatCount(n.ipisReceived)],
  [
    'switches kept / flushed',
    'switches to another address space that found their translations, and those that began with a flush',
    (n) => `${formatCount(n.switchesKept)} / ${formatCount(n.switchesFlushed)}`,
  ],
]

function shareText(counts: TlbCounts, part: Exclude<keyof Shares, 'accesses'>): string {
  const shares = sharesOf(counts)
  return shares ? percent(shares[part]) : '–'
}
function readsText({ walkReads, walksLoad, walksStore, walksFault }: TlbCounts): string {
  const walks = walksLoad + walksStore - walksFault
  return walks > 0 ? (walkReads / walks).toFixed(2) : '–'
}

export const countRows = (recent: TlbCounts, total: TlbCounts): readonly CountRow[] =>
  ROWS.map(([title, hint, textOf]) => ({ title, hint, recent: textOf(recent), total: textOf(total) }))

/** A structure's name with its page sizes: 'L1 DTLB 4K'; 'L2 TLB 4K 2M'. */
export const structureName = ({ name, pages }: { name: string; pages: readonly string[] }): string =>
  `${name} ${pages.join(' ')}`

/** '64, 4-way'; a structure with one set is fully associative. */
export const waysText = ({ entries, ways, sets }: { entries: number; ways: number; sets: number }): string =>
  sets === 1 ? `${formatCount(entries)}, full` : `${formatCount(entries)}, ${ways}-way`

export const bytesText = (bytes: number): string => joinFigure(formatBytes(bytes))
