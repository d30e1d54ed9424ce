/** Curves of the made-up machine, as functions of time: free against watermarks, rates, PSI, spans and events. */
import type { ReclaimSpan, RecordedEvent, SeriesInfo, SeriesWindow } from '../../protocol/messages'

const S = 1e9

/** A repeatable value in [0, 1) for an integer. */
const noise = (n: number): number => {
  let h = Math.imul(n ^ 0x9e3779b9, 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32
}

function free(ns: number): number {
  const s = ns / S
  if (s < 26) return 42000 - s * 600
  if (s < 36.3) return Math.max(900, 26400 - (s - 26) * 2500)
  const inBurst = s > 40.5 && s < 43.6
  const low = inBurst ? 640 : 790
  const swing = inBurst ? 60 : 200
  const phase = (s * (inBurst ? 40 : 9)) % 1
  return Math.round(low + swing * (1 - phase) + 30 * noise(Math.floor(s * 200)))
}
const isBusy = (s: number): boolean => s > 36.5
const kswapdRate = (s: number): number => (!isBusy(s) ? 0 : s > 41 && s < 43.6 ? 34_700 : s > 38 ? 14_000 : 4_000)
const directRate = (s: number): number => (s > 40.6 && s < 43.7 ? 30_000 * Math.sin(((s - 40.6) / 3.1) * Math.PI) : 0)
const psi = (s: number): number => (s < 39 ? 0 : s < 43 ? ((s - 39) / 4) * 46 : 46 * Math.exp(-(s - 43) / 3))

/** Integral of a rate by steps of 50 ms: a counter that only grows. */
const counters = new Map<string, Float64Array>()
function counter(name: string, rate: (s: number) => number, ns: number): number {
  let sums = counters.get(name)
  if (!sums) {
    sums = new Float64Array(20 * 400)
    for (let i = 1; i < sums.length; i++) sums[i] = sums[i - 1]! + rate(i / 20) / 20
    counters.set(name, sums)
  }
  const at = Math.min(sums.length - 2, Math.max(0, (ns / S) * 20))
  const i = Math.floor(at)
  return Math.round(sums[i]! + (sums[i + 1]! - sums[i]!) * (at - i))
}

const VALUES: Record<string, readonly [SeriesInfo['unit'], SeriesInfo['shape'], (ns: number) => number]> = {
  'zone:0:DMA:free': ['pages', 'level', () => 3584],
  'zone:0:DMA:min': ['pages', 'level', () => 22],
  'zone:0:DMA:low': ['pages', 'level', () => 27],
  'zone:0:DMA:high': ['pages', 'level', () => 32],
  'zone:0:DMA32:free': ['pages', 'level', free],
  'zone:0:DMA32:min': ['pages', 'level', () => 659],
  'zone:0:DMA32:low': ['pages', 'level', () => 823],
  'zone:0:DMA32:high': ['pages', 'level', () => 987],
  'vmstat:pgscan_kswapd': ['count', 'counter', (ns) => counter('k', kswapdRate, ns)],
  'vmstat:pgsteal_kswapd': ['count', 'counter', (ns) => counter('ks', (s) => kswapdRate(s) * 0.36, ns)],
  'vmstat:pgscan_direct': ['count', 'counter', (ns) => counter('d', directRate, ns)],
  'vmstat:pgsteal_direct': ['count', 'counter', (ns) => counter('ds', (s) => directRate(s) * 0.41, ns)],
  'vmstat:pswpout': ['count', 'counter', (ns) => counter('o', (s) => kswapdRate(s) * 0.2, ns)],
  'psi:some:avg10': ['percent', 'level', (ns) => psi(ns / S)],
  'psi:full:avg10': ['percent', 'level', (ns) => psi(ns / S) * 0.37],
  'cgroup:/lab:current': ['bytes', 'level', (ns) => Math.min(104857600, (ns / S) * 3e6)],
}

export const fakeSeriesList = (): SeriesInfo[] =>
  Object.entries(VALUES).map(([name, [unit, shape]]) => ({ name, unit, shape }))
export const fakeFree = free
export const fakePsi = (ns: number): number => psi(ns / S)

export function fakeSeries(
  names: readonly string[],
  range: { fromNs: number; toNs: number; buckets: number; endNs: number },
): SeriesWindow {
  const { fromNs, buckets } = range
  const toNs = Math.min(range.toNs, range.endNs)
  const count = toNs <= fromNs ? 0 : Math.ceil(buckets * ((toNs - fromNs) / (range.toNs - fromNs)))
  const step = (range.toNs - fromNs) / buckets
  const times = Float64Array.from({ length: count }, (_, i) => fromNs + i * step)
  const series = names
    .filter((name) => VALUES[name])
    .map((name) => {
      const value = VALUES[name]![2]
      const ends = times.map((t) => value(t))
      const mids = times.map((t) => value(t + step / 2))
      return {
        name,
        min: ends.map((v, i) => Math.min(v, mids[i]!)),
        max: ends.map((v, i) => Math.max(v, mids[i]!)),
        last: mids,
      }
    })
  return { fromNs, toNs: range.toNs, times, series }
}

export function fakeSpans(fromNs: number, toNs: number): ReclaimSpan[] {
  const spans: ReclaimSpan[] = []
  const add = (track: ReclaimSpan['track'], from: number, length: number, pid: number, comm: string): void => {
    if (from * S < toNs && (from + length) * S > fromNs) {
      spans.push({
        track,
        fromNs: from * S,
        toNs: (from + length) * S,
        pid,
        comm,
        nid: 0,
        reclaimed: Math.round(length * 3000),
      })
    }
  }
  for (let i = 0; i < 140; i++) {
    const at = 36.5 + i * 0.09
    if (at > 40.3 && at < 43.6) continue
    add('kswapd', at, at > 38 ? 0.05 : 0.015, 42, 'kswapd0')
  }
  add('kswapd', 40.32, 3.28, 42, 'kswapd0')
  for (let i = 0; i < 130; i++) {
    const at = 40.6 + 3 * noise(i)
    add(
      'direct',
      at,
      0.004 + 0.03 * noise(i + 500),
      [181, 163, 164][i % 7] ?? 181,
      ['hog', 'web', 'db'][i % 7] ?? 'hog',
    )
  }
  for (const [at, length] of [
    [39.2, 0.55],
    [41.75, 0.3],
    [43.1, 0.09],
    [43.25, 0.09],
    [43.4, 0.09],
  ] as const)
    add('memcg', at, length, 165, 'cache')
  for (const at of [39.4, 42.1, 43.2]) add('throttle', at, 0.2, 165, 'cache')
  return spans.sort((a, b) => a.fromNs - b.fromNs)
}

const HAPPENED: readonly [number, string, number, string, Record<string, number>, string][] = [
  [36.9, 'sched_process_fork', 1, 'init', { parent: 1, child: 181 }, ''],
  [38.15, 'sched_process_exec', 181, 'hog', { pid: 181 }, '/bin/hog'],
  [39.2, 'memcg_event', 165, 'cache', { memcg: 3, event: 1, count: 1 }, ''],
  [40.332, 'mm_vmscan_kswapd_wake', 42, 'kswapd0', { nid: 0, order: 0 }, ''],
  [42.31, 'mm_vmscan_direct_reclaim_begin', 181, 'hog', { order: 0, gfp_flags: 1051082 }, ''],
  [43.55, 'mark_victim', 181, 'hog', { pid: 181, total_vm_kb: 410916, anon_rss_kb: 169344 }, 'hog'],
]

export function fakeEvents(fromNs: number, toNs: number): RecordedEvent[] {
  const named = HAPPENED.map(([at, name, pid, comm, fields, text]) => ({
    atNs: at * S,
    name,
    pid,
    comm,
    cpu: 0,
    fields,
    text,
  }))
  const wakes = Array.from({ length: 120 }, (_, i) => ({
    atNs: Math.round((38 + noise(i + 9000) * 7.9) * S),
    name: i % 3 ? 'mm_vmscan_lru_shrink_inactive' : 'mm_vmscan_direct_reclaim_begin',
    pid: 42,
    comm: 'kswapd0',
    cpu: 1,
    fields: { nr_scanned: 32, nr_reclaimed: 12 },
    text: 'nid=0 nr_scanned=32 nr_reclaimed=12 priority=12',
  }))
  return [...named, ...wakes].filter((e) => e.atNs >= fromNs && e.atNs < toNs).sort((a, b) => a.atNs - b.atNs)
}
