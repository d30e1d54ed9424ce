/** Events as marks with their kernel names; the rest as ticks. Pure. */
import type { ReclaimSpan, RecordedEvent } from '../../protocol/messages'
import type { Ns } from '../../util/units'
import type { TimeWindow } from './window'
import { timeToX } from './window'

export type MarkShape = 'circle' | 'stall' | 'compaction' | 'memcg' | 'oom' | 'wake'

interface MarkRule {
  readonly shape: MarkShape
  /** Which mark keeps its label when two would overlap: the higher. */
  readonly weight: number
  readonly label: (event: RecordedEvent) => string
}

/** Events of memory.events in the kernel's order, as the tracepoint numbers them. */
const MEMCG_EVENTS = ['low', 'high', 'max', 'oom', 'oom_kill', 'oom_group_kill']

/** Which tracepoints are worth a mark, and what it is called. Everything else is a tick. */
const RULES: Readonly<Record<string, MarkRule>> = {
  mark_victim: { shape: 'oom', weight: 9, label: (event) => `oom_kill ${event.text || event.comm}`.trim() },
  memcg_event: {
    shape: 'memcg',
    weight: 6,
    label: (event) => `memory.${MEMCG_EVENTS[event.fields['event'] ?? -1] ?? 'events'}`,
  },
  memcg_high_throttle: { shape: 'memcg', weight: 5, label: () => 'memory.high' },
  mm_vmscan_direct_reclaim_begin: { shape: 'stall', weight: 4, label: () => 'allocstall' },
  mm_vmscan_kswapd_wake: { shape: 'wake', weight: 3, label: () => 'kswapd wake' },
  mm_compaction_begin: { shape: 'compaction', weight: 3, label: () => 'compact_stall' },
  sched_process_exec: {
    shape: 'circle',
    weight: 2,
    label: (event) => event.text.split('/').at(-1) || event.comm || 'exec',
  },
  sched_process_fork: { shape: 'circle', weight: 1, label: () => 'fork' },
}

/** Stalls come as spans, complete: as events they are so frequent that they would push out everything else. */
const FROM_SPANS = ['mm_vmscan_direct_reclaim_begin', 'memcg_high_throttle']
const FREQUENT = ['memcg_event']

/** What to ask for, one request each, so that frequent ones leave room for rare ones. */
export const MARKED_EVENTS: readonly (readonly string[])[] = [
  Object.keys(RULES).filter((name) => !FROM_SPANS.includes(name) && !FREQUENT.includes(name)),
  FREQUENT,
]

/** Waits of tasks as the events that begin them. */
export const stallEvents = (spans: readonly ReclaimSpan[]): readonly RecordedEvent[] =>
  spans.flatMap((span) => {
    const name = span.track === 'direct' ? FROM_SPANS[0]! : span.track === 'throttle' ? FROM_SPANS[1]! : undefined
    return name === undefined
      ? []
      : [{ atNs: span.fromNs, name, pid: span.pid, comm: span.comm, cpu: 0, fields: {}, text: '' }]
  })

/** Fields of an event in one line, as a trace prints them. */
export function eventFields(event: RecordedEvent): string {
  const fields = Object.entries(event.fields).map(([name, value]) => `${name}=${value}`)
  return [...fields, ...(event.text ? [event.text] : [])].join(' ')
}

export interface EventMark {
  readonly key: string
  readonly atNs: Ns
  readonly x: number
  readonly shape: MarkShape
  readonly label: string
  /** How many of the same name this mark stands for. */
  readonly count: number
}

const CHAR_PX = 5.6
const MARK_PX = 18

/** Marks that fit: same names closer than their label are one mark with a count; heavier ones win the room. */
export function eventMarks(events: readonly RecordedEvent[], view: TimeWindow, width: number): readonly EventMark[] {
  const groups: { mark: EventMark; weight: number; endX: number }[] = []
  const latest = new Map<string, (typeof groups)[number]>()
  for (const event of events) {
    const rule = RULES[event.name]
    if (!rule) continue
    const label = rule.label(event)
    const x = timeToX(view, width, event.atNs)
    if (x < 0 || x > width) continue
    const size = MARK_PX + label.length * CHAR_PX
    const before = latest.get(label)
    if (before && x < before.endX + 120) {
      before.mark = { ...before.mark, count: before.mark.count + 1 }
      continue
    }
    const group = {
      mark: {
        key: `${event.name}@${event.atNs}/${event.pid}`,
        atNs: event.atNs,
        x,
        shape: rule.shape,
        label,
        count: 1,
      },
      weight: rule.weight,
      endX: x + size,
    }
    groups.push(group)
    latest.set(label, group)
  }
  const taken: { from: number; to: number }[] = []
  const kept = groups
    .sort((a, b) => b.weight - a.weight || a.mark.atNs - b.mark.atNs)
    .filter(({ mark, endX }) => {
      const room = { from: mark.x - 6, to: endX + (mark.count > 1 ? 24 : 0) }
      if (taken.some((other) => room.from < other.to && other.from < room.to)) return false
      taken.push(room)
      return true
    })
  return kept.map(({ mark }) => mark).sort((a, b) => a.atNs - b.atNs)
}

/** One tick for each pixel column that has an event, as an SVG path of `height` px. */
export function tickPath(
  events: readonly RecordedEvent[],
  view: TimeWindow,
  size: { width: number; height: number },
): string {
  const columns = new Set<number>()
  for (const event of events) {
    const x = Math.floor(timeToX(view, size.width, event.atNs))
    if (x >= 0 && x < size.width) columns.add(x)
  }
  return [...columns].map((x) => `M${x + 0.5} 0v${size.height}`).join('')
}
