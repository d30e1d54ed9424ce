/** Readings for the diagnosis out of recorded series: which names to ask for, and differences over the window. Pure. */
import type { ReclaimReply } from '../../../protocol/reclaim'
import type { SeriesWindow } from '../../../protocol/messages'
import { NS_PER_S } from '../../../util/units'
import type { Readings } from './diagnosis'

const STALLS = ['allocstall_dma', 'allocstall_dma32', 'allocstall_normal', 'allocstall_movable', 'allocstall_device']

export const seriesNames = (nid: number): string[] => [
  `kswapd:${nid}:cpu`,
  ...STALLS.map((name) => `vmstat:${name}`),
  ...[
    'pgscan_kswapd',
    'pgscan_direct',
    'pgsteal_kswapd',
    'pgsteal_direct',
    'pgscan_anon',
    'pgscan_file',
    'pgsteal_anon',
    'pgsteal_file',
    'workingset_refault_anon',
    'workingset_refault_file',
    'pswpin',
    'pswpout',
    'nr_active_anon',
    'nr_inactive_anon',
    'nr_active_file',
    'nr_inactive_file',
  ].map((name) => `vmstat:${name}`),
  'swap:total',
  'swap:free',
  'psi:some:avg10',
  'psi:full:avg10',
]

/** First known value: a counter only grows, so that the smallest of its bucket is the earliest. */
const firstOf = (series: SeriesWindow['series'][number] | undefined): number =>
  series?.min.find((value) => value === value) ?? 0
const lastOf = (series: SeriesWindow['series'][number] | undefined): number =>
  series?.last.findLast((value) => value === value) ?? 0

export function readingsOf(window: SeriesWindow, reply: ReclaimReply): Readings {
  const series = (name: string): SeriesWindow['series'][number] | undefined =>
    window.series.find((other) => other.name === name)
  const grown = (name: string): number => Math.max(0, lastOf(series(name)) - firstOf(series(name)))
  const vm = (name: string): number => grown(`vmstat:${name}`)
  const level = (name: string): number => lastOf(series(name))
  const spanNs = Math.max(1, window.toNs - window.fromNs)
  const sum = (of: (zone: ReclaimReply['zones'][number]) => number): number =>
    reply.zones.reduce((total, zone) => total + of(zone), 0)
  return {
    seconds: spanNs / NS_PER_S,
    kswapdPercent: (grown(`kswapd:${reply.nid}:cpu`) / spanNs) * 100,
    failures: reply.kswapd.failures,
    scanKswapd: vm('pgscan_kswapd'),
    scanDirect: vm('pgscan_direct'),
    stealKswapd: vm('pgsteal_kswapd'),
    stealDirect: vm('pgsteal_direct'),
    scanAnon: vm('pgscan_anon'),
    scanFile: vm('pgscan_file'),
    stealAnon: vm('pgsteal_anon'),
    stealFile: vm('pgsteal_file'),
    refaultAnon: vm('workingset_refault_anon'),
    refaultFile: vm('workingset_refault_file'),
    allocstall: STALLS.reduce((total, name) => total + vm(name), 0),
    pswpin: vm('pswpin'),
    pswpout: vm('pswpout'),
    free: sum(({ free }) => free),
    min: sum(({ min }) => min),
    low: sum(({ low }) => low),
    high: sum(({ high }) => high),
    anon: level('vmstat:nr_active_anon') + level('vmstat:nr_inactive_anon'),
    file: level('vmstat:nr_active_file') + level('vmstat:nr_inactive_file'),
    swapTotal: level('swap:total'),
    swapFree: level('swap:free'),
    psiSome: level('psi:some:avg10'),
    psiFull: level('psi:full:avg10'),
  }
}
