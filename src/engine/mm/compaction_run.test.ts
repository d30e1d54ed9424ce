import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crumbs, dma32, take } from '../../../test/crumbs'
import { TaskMachine, puppetChild } from '../../../test/task-machine'
import { checkInvariants } from '../check'
import type { KernelState } from '../state'
import { zoneScanners } from './compaction_scanners'
import { COMPACT_PRIO_ASYNC, COMPACT_PRIO_SYNC_LIGHT, allocPagesDirectCompact } from './compaction_direct'
import { COMPACTION_STATUS, COMPACT_SKIPPED } from './compaction_suitable'
import { GFP_BIT_COMP, GFP_BIT_NORETRY, GFP_BIT_NOWARN, GFP_BIT_RETRY_MAYFAIL, GFP_HIGHUSER_MOVABLE } from './gfp'
import { accountFreePages, delFromFreeList, freeBlockOrder, pageblockType } from './buddy'
import { PG_KERNEL, PG_LRU, hasFlag, mapcount, pageFlags, pageMemcg, setFlagsOfRange } from './memmap'
import { isMigratable, isolateForMigration, migratePage } from './migrate'
import { allocPages } from './page_alloc'
import { drainAllPages } from './pcp'
import * as vs from './vmstat'

const event = (state: KernelState, item: number): number => vs.vmEvent(state.vmstat, item)
const largeBlocks = (state: KernelState): number => 2 * dma32(state).nrFree[10]! + dma32(state).nrFree[9]!

describe('compact_memory', () => {
  test.each([{ mglru: false }, { mglru: true }])('crumbs become large blocks, and the machine stays sound: %j', (o) => {
    const { machine, state, pid, address, pages } = crumbs(o)
    const before = {
      large: largeBlocks(state),
      crumbs: dma32(state).nrFree[0]!,
      rss: machine.read(`/proc/${pid}/statm`),
    }
    expect(before.crumbs).toBeGreaterThan(3000)
    expect(machine.write('/proc/sys/vm/compact_memory', '1')).toBe('')
    drainAllPages(state)
    expect(largeBlocks(state)).toBeGreaterThan(before.large + 5)
    expect(dma32(state).nrFree[0]!).toBeLessThan(before.crumbs / 3)
    expect(event(state, vs.PGMIGRATE_SUCCESS)).toBeGreaterThan(1000)
    expect(checkInvariants(state)).toEqual([])
    // Nobody notices: the same pages are mapped, and touching them faults in only those that were given back.
    expect(machine.read(`/proc/${pid}/statm`)).toBe(before.rss)
    const again = machine.perform(pid, { op: 'touch', address, length: pages * 4096, mode: 'read' })
    expect(again.minflt).toBe(pages / 2)
  })

  test('a program that writes it goes on after each millisecond, and others run meanwhile', () => {
    const { machine, state, pid } = crumbs({ mib: 192, pages: 40_000 })
    const other = machine.spawn()
    const atNs = state.nowNs
    machine.begin(pid, { op: 'writeFile', path: '/proc/sys/vm/compact_memory', text: '1' })
    machine.advance(2e6)
    machine.perform(other, { op: 'compute', ns: 1000 })
    // The other one is done, the writer half-way.
    expect(Object.keys(state.compaction.manual)).toEqual([String(pid)])
    const done = machine.settle(pid)
    expect([done.errno, done.result]).toEqual(['', 1])
    expect(state.nowNs - atNs).toBeGreaterThan(1e6)
    expect(state.compaction.manual).toEqual({})
    expect(checkInvariants(state)).toEqual([])
  })

  test('anything but 1 is refused, and it cannot be read', () => {
    const machine = new TaskMachine()
    expect(machine.write('/proc/sys/vm/compact_memory', '2')).toBe('EINVAL')
    expect(machine.read('/proc/sys/vm/compact_memory')).toBe('EACCES')
  })

  test('locked pages stay where they are when compact_unevictable_allowed is 0', () => {
    const moved = (allowed: string): number => {
      const { machine, state, pid, address, pages } = crumbs({ keep: 4 })
      for (let i = 0; i < pages; i += 4)
        machine.perform(pid, { op: 'mlock', address: address + i * 4096, length: 4096 })
      machine.write('/proc/sys/vm/compact_unevictable_allowed', allowed)
      machine.write('/proc/sys/vm/compact_memory', '1')
      expect(checkInvariants(state)).toEqual([])
      return event(state, vs.PGMIGRATE_SUCCESS)
    }
    expect(moved('1')).toBeGreaterThan(3 * moved('0'))
  })

  test('the node file compacts one node', () => {
    const { machine, state } = crumbs()
    expect(machine.write('/sys/devices/system/node/node0/compact', '1')).toBe('')
    expect(event(state, vs.PGMIGRATE_SUCCESS)).toBeGreaterThan(1000)
  })
})

describe('migration', () => {
  test('flags, mappings and charge follow the page', () => {
    const { state } = crumbs()
    let from = 0
    for (let pfn = dma32(state).startPfn; from === 0; pfn++)
      if (isMigratable(state, pfn) && mapcount(state.memmap, pfn) > 0) from = pfn
    const to = allocPages(state, GFP_HIGHUSER_MOVABLE, 0)
    const before = { memcg: pageMemcg(state.memmap, from), mapcount: mapcount(state.memmap, from) }
    isolateForMigration(state, from)
    migratePage(state, from, to)
    expect({ memcg: pageMemcg(state.memmap, to), mapcount: mapcount(state.memmap, to) }).toEqual(before)
    expect(pageFlags(state.memmap, to) & PG_LRU).not.toBe(0)
    expect(mapcount(state.memmap, from)).toBe(0)
    expect(checkInvariants(state)).toEqual([])
  })

  test('page cache, tmpfs, forked and swapped pages: the machine is sound and every file reads as before', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.boolean(), (keep, mglru) => {
        const machine = new TaskMachine({ mib: 64, mglru, swapPages: 4000, files: { '/f': 2000 } })
        const pid = machine.spawn()
        const fd = machine.open(pid, '/data/f')
        machine.perform(pid, { op: 'read', fd, length: 2000 * 4096 })
        const shared = machine.perform(pid, { op: 'mmap', length: 2000 * 4096, prot: 1, flags: 1, fd }).result
        machine.perform(pid, { op: 'touch', address: shared, length: 1000 * 4096, mode: 'read' })
        const tmp = machine.open(pid, '/tmp/t', { write: true, create: true })
        machine.perform(pid, { op: 'write', fd: tmp, length: 700 * 4096 })
        const address = machine.map(pid, 9000)
        machine.perform(pid, { op: 'touch', address, length: 9000 * 4096, mode: 'write' })
        machine.perform(pid, { op: 'fork', child: puppetChild })
        for (let i = 0; i < 9000; i += 1 + keep)
          machine.perform(pid, { op: 'madvise', address: address + i * 4096, length: 4096, advice: 'dontneed' })
        machine.write('/proc/sys/vm/compact_memory', '1')
        expect(checkInvariants(machine.state)).toEqual([])
        machine.perform(pid, { op: 'touch', address, length: 9000 * 4096, mode: 'write' })
        expect(checkInvariants(machine.state)).toEqual([])
      }),
      { numRuns: 5, seed: 1 },
    )
  }, 60_000)
})

/**
 * At its first free frame.
 * @returns pages beside it in those pageblocks where it comes before a batch of them is full
 */
function kernelPageInEachPageblock(state: KernelState): number[] {
  const zone = dma32(state)
  const beside: number[] = []
  for (let start = zone.startPfn; start < zone.startPfn + zone.spanned; start += 512) {
    let at = start
    while (at < start + 512 && freeBlockOrder(state, at) !== 0) at++
    if (at === start + 512) continue
    delFromFreeList(state, zone, at, 0)
    accountFreePages(zone, pageblockType(state, at), -1)
    setFlagsOfRange(state.memmap, at, 1, PG_KERNEL)
    for (let pfn = start; at < start + 32 && pfn < start + 512; pfn++)
      if (hasFlag(state.memmap, pfn, PG_LRU)) beside.push(pfn)
  }
  return beside
}

describe('direct compaction', () => {
  const huge = GFP_HIGHUSER_MOVABLE | GFP_BIT_COMP

  test('a huge page that the lists do not hold is made: one stall, one success', () => {
    const { state } = crumbs()
    take(state, 5)
    const pfn = allocPages(state, huge | GFP_BIT_NORETRY, 9)
    expect(pfn % 512).toBe(0)
    expect(pfn).toBeGreaterThan(0)
    expect([vs.COMPACT_STALL, vs.COMPACT_SUCCESS, vs.COMPACT_FAIL].map((e) => event(state, e))).toEqual([1, 1, 0])
  })

  test('the block is the request’s own when its last page is freed: it never was free, and pgalloc does not count it', () => {
    const { state } = crumbs()
    take(state, 5)
    const before = event(state, vs.PGALLOC_DMA32)
    expect(allocPages(state, huge | GFP_BIT_NORETRY, 9)).toBeGreaterThan(0)
    expect(event(state, vs.PGALLOC_DMA32)).toBe(before)
    expect(event(state, vs.PGMIGRATE_SUCCESS)).toBeGreaterThan(200)
  })

  test.each(['6.1', '6.12'] as const)(
    'a pageblock that is nearly free is emptied rather than the first one (%s)',
    (series) => {
      const { machine, state, pid, address } = crumbs({ mib: 96, pages: 15_000, series })
      for (let i = 6000; i < 7500; i++)
        if (i % 64 !== 0)
          machine.perform(pid, { op: 'madvise', address: address + i * 4096, length: 4096, advice: 'dontneed' })
      drainAllPages(state)
      take(state, 9)
      expect(allocPages(state, huge | GFP_BIT_NORETRY, 9)).toBeGreaterThan(0)
      // 6.1 passes over what its search finds.
      if (series === '6.12') expect(event(state, vs.PGMIGRATE_SUCCESS)).toBeLessThan(200)
      else expect(event(state, vs.PGMIGRATE_SUCCESS)).toBeGreaterThan(200)
    },
  )

  test('an asynchronous run leaves a block alone in which a page cannot move, others take the pages around it', () => {
    const leaves = (priority: number): boolean => {
      const { state } = crumbs({ mib: 96, pages: 15_000 })
      take(state, 5)
      const pages = kernelPageInEachPageblock(state)
      const retry = { priority, retries: 0, result: COMPACT_SKIPPED }
      const request = { gfp: huge, order: 9, allocFlags: 0, zonelist: [1] }
      allocPagesDirectCompact(state, request, state.nodes[0]!, retry, { isFirst: true, progress: 0 })
      expect(event(state, vs.PGMIGRATE_SUCCESS)).toBeGreaterThan(0)
      return pages.every((pfn) => hasFlag(state.memmap, pfn, PG_LRU))
    }
    expect([leaves(COMPACT_PRIO_ASYNC), leaves(COMPACT_PRIO_SYNC_LIGHT)]).toEqual([true, false])
  })

  test('stalls are successes and failures together', () => {
    const { state } = crumbs()
    take(state, 5)
    let got = 0
    for (let i = 0; i < 30; i++) if (allocPages(state, huge | GFP_BIT_NOWARN, 9) !== 0) got++
    expect(got).toBeGreaterThan(0)
    expect(got).toBeLessThan(30)
    expect(event(state, vs.COMPACT_STALL)).toBe(event(state, vs.COMPACT_SUCCESS) + event(state, vs.COMPACT_FAIL))
  })

  test('without free memory it is skipped and does not count as a stall', () => {
    const { state } = crumbs()
    take(state, 0)
    expect(allocPages(state, huge | GFP_BIT_NORETRY | GFP_BIT_NOWARN, 9)).toBe(0)
    expect(event(state, vs.COMPACT_STALL)).toBe(0)
  })
})

test('shortage, as extfrag_threshold sees it, is left to reclaim: a request ends when that frees nothing more', () => {
  const { machine, state } = crumbs()
  take(state, 5)
  machine.write('/proc/sys/vm/extfrag_threshold', '1000')
  expect(allocPages(state, GFP_HIGHUSER_MOVABLE | GFP_BIT_COMP | GFP_BIT_RETRY_MAYFAIL | GFP_BIT_NOWARN, 9)).toBe(0)
  expect([vs.COMPACT_STALL, vs.PGMIGRATE_SUCCESS].map((e) => event(state, e))).toEqual([0, 0])
  expect(event(state, vs.ALLOCSTALL_MOVABLE)).toBeGreaterThan(0)
})

describe('where the scanners are', () => {
  test('at the ends of a zone that nobody has compacted', () => {
    const { state } = crumbs()
    const zone = dma32(state)
    const end = zone.startPfn + zone.spanned
    expect(zoneScanners(state, 1)).toEqual({
      zone: 1,
      by: '',
      order: -1,
      migratePfn: zone.startPfn,
      migrateAsyncPfn: zone.startPfn,
      freePfn: end - (end % 512 || 512),
      last: undefined,
    })
  })

  test('they walk towards each other while a program compacts, and the end is remembered', () => {
    const { machine, state, pid } = crumbs({ mib: 160, pages: 30_000 })
    const seen: [number, number][] = []
    machine.begin(pid, { op: 'writeFile', path: '/proc/sys/vm/compact_memory', text: '1' })
    for (let i = 0; i < 40; i++) {
      machine.advance(500_000)
      const { by, migratePfn, freePfn } = zoneScanners(state, 1)
      if (by === 'manual') seen.push([migratePfn, freePfn])
    }
    machine.settle(pid)
    expect(seen.length).toBeGreaterThan(3)
    for (const [i, [migrate, free]] of seen.entries()) {
      const [before, above] = seen[i - 1] ?? [0, Infinity]
      expect([migrate >= before, free <= above]).toEqual([true, true])
    }
    const { by, last } = zoneScanners(state, 1)
    expect([by, last?.by, last?.order, COMPACTION_STATUS[last!.result]]).toEqual(['', 'manual', -1, 'complete'])
    expect(last!.freePfn >> 9).toBeLessThanOrEqual(last!.migratePfn >> 9)
  })

  test('a direct run is over before anybody can look: it is the last one', () => {
    const { state } = crumbs()
    take(state, 5)
    allocPages(state, GFP_HIGHUSER_MOVABLE | GFP_BIT_COMP | GFP_BIT_NORETRY, 9)
    const { by, last } = zoneScanners(state, 1)
    expect([by, last?.by, last?.order, COMPACTION_STATUS[last!.result]]).toEqual(['', 'direct', 9, 'success'])
  })
})
