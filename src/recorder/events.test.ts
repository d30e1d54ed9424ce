import { expect, test } from 'vitest'
import { TRACEPOINT_NAMES, type Tracepoint } from '../engine/trace'
import { createEventRing, cutEvents, queryEvents, recordEvent, type EventRing } from './events'

const put = (ring: EventRing, name: Tracepoint, atNs: number, args: number[] = [], arrivalNs = atNs): void =>
  recordEvent(ring, {
    tracepoint: TRACEPOINT_NAMES.indexOf(name),
    atNs,
    arrivalNs,
    pid: 7,
    comm: 'x',
    cpu: 1,
    args,
    text: name === 'sched_process_exec' ? 'mm' : '',
  })

const times = (ring: EventRing, names: string[] = [], limit = 99, fromNs = 0, toNs = Infinity): number[] =>
  queryEvents(ring, { fromNs, toNs, names, limit }).map((e) => e.atNs)

test('an event has the kernel’s name and fields', () => {
  const ring = createEventRing(8)
  put(ring, 'mm_vmscan_direct_reclaim_end', 5, [32, 1000])
  put(ring, 'sched_process_exec', 6, [9])
  expect(queryEvents(ring, { fromNs: 0, toNs: 10, names: [], limit: 10 })).toEqual([
    {
      atNs: 5,
      name: 'mm_vmscan_direct_reclaim_end',
      pid: 7,
      comm: 'x',
      cpu: 1,
      fields: { nr_reclaimed: 32, delay_ns: 1000 },
      text: '',
    },
    { atNs: 6, name: 'sched_process_exec', pid: 7, comm: 'x', cpu: 1, fields: { pid: 9 }, text: 'mm' },
  ])
})

test('the ring keeps the newest; queries go by time, name and number', () => {
  const ring = createEventRing(10)
  for (let i = 0; i < 25; i++) put(ring, i % 2 ? 'mm_vmscan_kswapd_wake' : 'mm_vmscan_kswapd_sleep', i)
  expect(times(ring)).toEqual([15, 16, 17, 18, 19, 20, 21, 22, 23, 24])
  expect(times(ring, ['mm_vmscan_kswapd_wake'])).toEqual([15, 17, 19, 21, 23])
  expect(times(ring, [], 3)).toEqual([22, 23, 24])
  expect(times(ring, [], 99, 18, 20)).toEqual([18, 19, 20])
})

test('page-by-page events are not recorded unless asked for', () => {
  const ring = createEventRing(8)
  put(ring, 'mm_page_alloc', 1)
  ring.muted[TRACEPOINT_NAMES.indexOf('mm_page_alloc')] = 0
  put(ring, 'mm_page_alloc', 2)
  expect(times(ring)).toEqual([2])
})

test('events of CPUs that ran ahead are told in the order of their time, and cut by when they were told', () => {
  const ring = createEventRing(8)
  put(ring, 'mm_vmscan_kswapd_wake', 300, [], 100)
  put(ring, 'mm_vmscan_kswapd_wake', 150, [], 120)
  put(ring, 'mm_vmscan_kswapd_wake', 200, [], 200)
  expect(times(ring)).toEqual([150, 200, 300])
  cutEvents(ring, 130)
  expect(times(ring)).toEqual([150, 300])
})
