import { expect, test } from 'vitest'
import { crumbs, take } from '../../../test/crumbs'
import { withContext, type Sink } from '../context'
import { TRACEPOINT_NAMES, type Tracepoint } from '../trace'
import { tracepointText } from '../trace_print'
import { COMPACT_PRIO_SYNC_LIGHT, allocPagesDirectCompact } from './compaction_direct'
import { COMPACT_SKIPPED } from './compaction_suitable'
import { GFP_HIGHUSER_MOVABLE } from './gfp'

/** Lines of compaction:* while `act` runs. */
function linesOf(act: () => void): string[] {
  const lines: string[] = []
  const trace: NonNullable<Sink['trace']> = (index, _atNs, _pid, _cpu, args, text) => {
    const name: Tracepoint = TRACEPOINT_NAMES[index]!
    if (!name.startsWith('mm_compaction')) return
    lines.push(`${name}: ${tracepointText(name, { args: [...args], text, series: '6.12' })}`)
  }
  withContext({ trace, stopRequested: false }, {}, act)
  return lines
}

test('a run that makes no block defers the zone, the next request waits, and the trace says so as the kernel does', () => {
  const { machine, state, pid, address, pages } = crumbs()
  for (let i = 0; i < pages; i += 2) machine.perform(pid, { op: 'mlock', address: address + i * 4096, length: 4096 })
  machine.write('/proc/sys/vm/compact_unevictable_allowed', '0')
  take(state, 1)
  const request = { gfp: GFP_HIGHUSER_MOVABLE, order: 10, allocFlags: 0, zonelist: [1] }
  const retry = { priority: COMPACT_PRIO_SYNC_LIGHT, retries: 0, result: COMPACT_SKIPPED }
  const place = { isFirst: false, progress: 0 }
  const lines = linesOf(() => {
    for (let i = 0; i < 2; i++) allocPagesDirectCompact(state, request, state.nodes[0]!, retry, place)
  })
  expect(lines.filter((line) => !/isolate|finished|migratepages/.test(line))).toMatchInlineSnapshot(`
    [
      "mm_compaction_try_to_compact_pages: order=10 gfp_mask=GFP_HIGHUSER_MOVABLE priority=1",
      "mm_compaction_suitable: node=0 zone=DMA32    order=10 ret=continue",
      "mm_compaction_begin: zone_start=0x1000 migrate_pfn=0x1000 free_pfn=0x3e00 zone_end=0x4000, mode=sync",
      "mm_compaction_end: zone_start=0x1000 migrate_pfn=0x3000 free_pfn=0x3000 zone_end=0x4000, mode=sync status=partial_skipped",
      "mm_compaction_defer_compaction: node=0 zone=DMA32    order=10 order_failed=0 consider=0 limit=2",
      "mm_compaction_try_to_compact_pages: order=10 gfp_mask=GFP_HIGHUSER_MOVABLE priority=1",
      "mm_compaction_deferred: node=0 zone=DMA32    order=10 order_failed=0 consider=1 limit=2",
    ]
  `)
  expect(lines).toContain('mm_compaction_isolate_migratepages: range=(0x1000 ~ 0x1200) nr_scanned=512 nr_taken=0')
})
