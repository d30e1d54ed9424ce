/** Events as perf names them: tracepoints of the machine, and the software counters of tasks. @kernel tools/perf/util/parse-events.c */
import type { DataTlbCounts } from '../../engine/mm/tlb_task'
import { TRACEPOINT_NAMES, TRACEPOINTS, type Tracepoint } from '../../engine/trace'
import type { Usage } from '../sys'

/** 'kmem:mm_page_alloc' of each tracepoint. */
export const tracepointTitle = (name: Tracepoint): string => `${TRACEPOINTS[name].system}:${name}`

/** What one software event counts in a task's usage. */
export const SOFTWARE: Readonly<Record<string, (usage: Usage) => number>> = {
  'context-switches': (u) => u.contextSwitches,
  'major-faults': (u) => u.majorFaults,
  'minor-faults': (u) => u.minorFaults,
  'page-faults': (u) => u.minorFaults + u.majorFaults,
  'task-clock': (u) => u.userNs + u.systemNs,
}

/** Processors name and count different things by the same event. */
export type Vendor = 'Intel' | 'AMD'

/**
 * What one event of the data TLB counts; undefined where the processor has no counter for it. Intel counts instructions and
 * walks; AMD's Zen counts misses of the first level and walks, of loads and stores together.
 * @kernel  arch/x86/events/intel/core.c skl_hw_cache_event_ids, arch/x86/events/amd/core.c amd_hw_cache_event_ids_f17h
 */
type CacheCount = (tlb: DataTlbCounts, vendor: Vendor) => number | undefined
const walks = (tlb: DataTlbCounts): number => tlb.loadWalks + tlb.storeWalks
export const HARDWARE_CACHE: Readonly<Record<string, CacheCount>> = {
  'dTLB-load-misses': (tlb, vendor) => (vendor === 'AMD' ? walks(tlb) : tlb.loadWalks),
  'dTLB-loads': (tlb, vendor) => (vendor === 'AMD' ? tlb.l2Hits + walks(tlb) : tlb.loads),
  'dTLB-store-misses': (tlb, vendor) => (vendor === 'AMD' ? undefined : tlb.storeWalks),
  'dTLB-stores': (tlb, vendor) => (vendor === 'AMD' ? undefined : tlb.stores),
}

/** Second names. */
const ALIASES: Readonly<Record<string, string>> = { cs: 'context-switches', faults: 'page-faults' }

export type PerfEvent =
  | { readonly kind: 'tracepoint'; readonly title: string; readonly name: Tracepoint }
  | { readonly kind: 'software'; readonly title: string; readonly count: (usage: Usage) => number }
  /** `missOf`: the event whose count this one is a share of, '' none. */
  | { readonly kind: 'cache'; readonly title: string; readonly count: CacheCount; readonly missOf: string }

/** What perf prints about a list of events that it does not understand. */
export interface EventError {
  readonly error: string
}

const globToRegExp = (glob: string): RegExp =>
  new RegExp(
    `^${glob
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  )

/** 'kmem:*,compaction:mm_compaction_begin,page-faults' → events, in the order of the list. */
export function parseEvents(list: string): PerfEvent[] | EventError {
  const events: PerfEvent[] = []
  let column = 0
  for (const word of list.split(',')) {
    const found = parseEvent(word)
    if (found.length === 0) return { error: syntaxError(list, column, word) }
    events.push(...found)
    column += word.length + 1
  }
  return events
}

function parseEvent(word: string): PerfEvent[] {
  // 'page-faults:u' counts in user mode only: all faults of programs are.
  const software = word.replace(/:[ukhGHp]*$/, '')
  const title = ALIASES[software] ?? software
  if (Object.hasOwn(SOFTWARE, title)) return [{ kind: 'software', title: word, count: SOFTWARE[title]! }]
  if (Object.hasOwn(HARDWARE_CACHE, title)) {
    const missOf = title === 'dTLB-load-misses' ? 'dTLB-loads' : ''
    return [{ kind: 'cache', title: word, count: HARDWARE_CACHE[title]!, missOf }]
  }
  if (!word.includes(':')) return []
  const pattern = globToRegExp(word)
  return TRACEPOINT_NAMES.filter((name) => pattern.test(tracepointTitle(name))).map((name) => ({
    kind: 'tracepoint',
    title: tracepointTitle(name),
    name,
  }))
}

function syntaxError(list: string, column: number, word: string): string {
  const [system = '', name] = word.split(':')
  const arrow = `event syntax error: '${list}'\n${' '.repeat(21 + column)}\\___ `
  if (name === undefined) return `${arrow}Bad event name\n\nUnable to find event on a PMU of '${word}'\n`
  return (
    `${arrow}unknown tracepoint\n\n` +
    `Error:\tFile /sys/kernel/tracing//events/${system}/${name} not found.\n` +
    'Hint:\tPerhaps this kernel misses some CONFIG_ setting to enable this feature?.\n\n'
  )
}
