/**
 * /sys/kernel/debug/pagewalk/tlb: the sizes of the TLBs, and what each CPU has counted since boot. No file of Linux shows
 * them: a processor's own counters are read through perf, one event at a time.
 */
import { tlbCounts, tlbReach, type TlbCounts } from '../mm/tlb_contents'
import type { KernelState } from '../state'
import type { PseudoFile } from './types'

const ROWS: readonly (readonly [string, (counts: TlbCounts) => number])[] = [
  ['loads', (n) => n.loads],
  ['stores', (n) => n.stores],
  ['l2_hits', (n) => n.l2Hits],
  ['load_walks', (n) => n.walksLoad],
  ['store_walks', (n) => n.walksStore],
  ['fault_walks', (n) => n.walksFault],
  ['walk_reads', (n) => n.walkReads],
  ['walk_ns', (n) => n.walkNs],
  ['full_flushes', (n) => n.flushesFull],
  ['page_flushes', (n) => n.flushesPage],
  ['ipis_sent', (n) => n.ipisSent],
  ['ipis_received', (n) => n.ipisReceived],
  ['switches_kept', (n) => n.switchesKept],
  ['switches_flushed', (n) => n.switchesFlushed],
]

const section = (title: string, all: readonly TlbCounts[]): string =>
  `${title}\n${ROWS.map(([name, of]) => `  ${name} ${all.reduce((sum, counts) => sum + of(counts), 0)}\n`).join('')}`

function tlbText({ tlb }: KernelState): string {
  const counts = tlb.cpus.map(tlbCounts)
  const reach = tlbReach(tlb).map(({ page, entries }) => `  entries_${page} ${entries}\n`)
  return `data\n${reach.join('')}${counts.map((each, cpu) => section(`cpu ${cpu}`, [each])).join('')}${section('total', counts)}`
}

export const tlbFile: PseudoFile = { read: tlbText }
