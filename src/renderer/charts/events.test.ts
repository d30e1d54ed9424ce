import { expect, test } from 'vitest'
import type { RecordedEvent } from '../../protocol/messages'
import { MARKED_EVENTS, eventFields, eventMarks, stallEvents, tickPath } from './events'

const S = 1e9
const view = { fromNs: 0, toNs: 10 * S }
const event = (seconds: number, name: string, text = '', comm = 'hog'): RecordedEvent => ({
  atNs: seconds * S,
  name,
  pid: 7,
  comm,
  cpu: 0,
  fields: {},
  text,
})

test('an OOM kill is a cross with its victim’s name', () => {
  expect(eventMarks([event(5, 'mark_victim', 'hog')], view, 1000)).toMatchObject([
    { shape: 'oom', label: 'oom_kill hog', x: 500 },
  ])
})

test('a crowd of stalls is one mark with a count', () => {
  const stalls = [1, 1.01, 1.02, 1.03].map((at) => event(at, 'mm_vmscan_direct_reclaim_begin'))
  expect(eventMarks(stalls, view, 1000)).toMatchObject([{ label: 'allocstall', count: 4 }])
})

test('the kill keeps its place when a wake would cover it', () => {
  const marks = eventMarks([event(5, 'mm_vmscan_kswapd_wake'), event(5.02, 'mark_victim', 'hog')], view, 1000)
  expect(marks.map((mark) => mark.shape)).toEqual(['oom'])
})

test('a tracepoint without a rule is a tick, one for each pixel column', () => {
  const events = [
    event(1, 'mm_vmscan_lru_isolate'),
    event(1.0001, 'mm_vmscan_lru_isolate'),
    event(2, 'mm_vmscan_lru_isolate'),
  ]
  expect(eventMarks(events, view, 1000)).toEqual([])
  expect(tickPath(events, view, { width: 1000, height: 7 })).toBe('M100.5 0v7M200.5 0v7')
})

test('a group’s event has the name that it has in memory.events', () => {
  const high = { ...event(5, 'memcg_event'), fields: { memcg: 3, event: 1, count: 1 } }
  expect(eventMarks([high], view, 1000)[0]!.label).toBe('memory.high')
  expect(eventFields(high)).toBe('memcg=3 event=1 count=1')
})

test('stalls come from the spans: every one is counted, and none takes the room of a rare event', () => {
  const spans = Array.from({ length: 3000 }, (_, i) => ({
    track: 'direct' as const,
    fromNs: 5 * S + i * 1000,
    toNs: 5 * S + i * 1000 + 500,
    pid: 7,
    comm: 'stress',
    nid: 0,
    reclaimed: 32,
  }))
  expect(eventMarks(stallEvents(spans), view, 1000)).toMatchObject([{ label: 'allocstall', count: 3000 }])
  expect(MARKED_EVENTS.flat()).not.toContain('mm_vmscan_direct_reclaim_begin')
  expect(MARKED_EVENTS[0]).toContain('mark_victim')
})
