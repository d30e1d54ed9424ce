import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nodesMachine, runTask } from '../../../test/numa-state'
import type { KernelState } from '../state'
import { GFP_BIT_HIGHMEM, GFP_BIT_MOVABLE, GFP_BIT_NOWARN, GFP_BIT_THISNODE } from './gfp'
import { PG_KERNEL, pageZoneIndex, setFlags } from './memmap'
import {
  MPOL_BIND,
  MPOL_DEFAULT,
  MPOL_F_RELATIVE_NODES,
  MPOL_F_STATIC_NODES,
  MPOL_INTERLEAVE,
  MPOL_LOCAL,
  MPOL_PREFERRED,
  MPOL_PREFERRED_MANY,
  MPOL_WEIGHTED_INTERLEAVE,
  NO_INTERLEAVE_INDEX,
  interleaveIndex,
  mempolicyInOomDomain,
  mpolEqual,
  mpolNew,
  mpolText,
  nodesOfPolicy,
  policyNode,
} from './mempolicy'
import type { Mempolicy, Vma } from './mm_types'
import { allocPages, allocPagesMpol, vmaAllocPages } from './page_alloc'
import { NUMA_FOREIGN, NUMA_HIT, NUMA_INTERLEAVE, NUMA_LOCAL, NUMA_MISS, NUMA_OTHER, readStat } from './vmstat'

/** A user page that neither wakes kswapd nor reclaims. */
const USER = GFP_BIT_HIGHMEM | GFP_BIT_MOVABLE | GFP_BIT_NOWARN

const policyOf = (state: KernelState, mode: number, nodes: readonly number[]): Mempolicy => {
  const policy = mpolNew(state, mode, nodes)
  if (policy === undefined || policy === 'EINVAL') throw new Error(`no policy: ${policy}`)
  return policy
}

const nidOf = (state: KernelState, pfn: number): number => state.zones[pageZoneIndex(state.memmap, pfn)]!.nid

function keep(state: KernelState, pfn: number): number {
  if (pfn === 0) return -1
  setFlags(state.memmap, pfn, PG_KERNEL)
  return nidOf(state, pfn)
}

/** [hit, miss, foreign, interleave_hit, local, other] of a node. */
function numastat(state: KernelState, nid: number): number[] {
  const items = [NUMA_HIT, NUMA_MISS, NUMA_FOREIGN, NUMA_INTERLEAVE, NUMA_LOCAL, NUMA_OTHER]
  return items.map((item) =>
    state.zones.filter((z) => z.nid === nid).reduce((sum, z) => sum + readStat(z.numaStat, item), 0),
  )
}

const vma = (start: number, pages: number, more: Partial<Vma> = {}): Vma => ({
  start,
  end: start + pages,
  flags: 3,
  ino: 0,
  pgoff: start,
  name: '',
  anonVma: 0,
  incompressible: false,
  ...more,
})

describe('which node (spec 08 E1)', () => {
  test('interleave over nodes 0 and 2: pages 0, 1, 2, 3 go to 0, 2, 0, 2', () => {
    const state = nodesMachine(3)
    const policy = policyOf(state, MPOL_INTERLEAVE, [0, 2])
    expect([0, 1, 2, 3].map((ilx) => policyNode(state, policy, ilx))).toEqual([0, 2, 0, 2])
  })

  test('weights 3 and 1: indices 0 to 7 go to 0, 0, 0, 1, 0, 0, 0, 1, by place and in turn', () => {
    const state = nodesMachine(2)
    state.interleaveWeights = [3, 1]
    const policy = policyOf(state, MPOL_WEIGHTED_INTERLEAVE, [0, 1])
    runTask(state, 0, policy)
    const expected = [0, 0, 0, 1, 0, 0, 0, 1]
    expect(expected.map((_, ilx) => policyNode(state, policy, ilx))).toEqual(expected)
    expect(expected.map(() => policyNode(state, policy, NO_INTERLEAVE_INDEX))).toEqual(expected)
  })

  test('pages without a place go round, starting at the first node', () => {
    const state = nodesMachine(4)
    const policy = policyOf(state, MPOL_INTERLEAVE, [1, 3])
    runTask(state, 0, policy)
    expect([1, 2, 3].map(() => policyNode(state, policy, NO_INTERLEAVE_INDEX))).toEqual([1, 3, 1])
  })

  test.each([
    ['anonymous memory counts from address 0', vma(0x200, 16), 0x203, 0, 0x203],
    ['huge pages count in units of 2 MiB', vma(0x200, 2048), 0x200 + 512, 9, 2],
    ['a file counts from its own start', vma(0x1000, 16, { ino: 5, pgoff: 40 }), 0x1002, 0, 42],
  ])('%s', (_, mapping, vpn, order, index) => {
    expect(interleaveIndex(mapping, vpn, order)).toBe(index)
  })

  test('a huge page at 7fc7b6600000 lies on node 1, one at 7f3c33000000 on node 0 (captured)', () => {
    const state = nodesMachine(2)
    const policy = policyOf(state, MPOL_INTERLEAVE, [0, 1])
    const nodeAt = (address: number): number =>
      policyNode(state, policy, interleaveIndex(vma(address / 4096, 16384), address / 4096, 9))
    expect([nodeAt(0x7fc7b6600000), nodeAt(0x7f3c33000000)]).toEqual([1, 0])
  })
})

describe('what a system call accepts', () => {
  test.each([
    ['default with a mask', MPOL_DEFAULT, [0], 'EINVAL'],
    ['default', MPOL_DEFAULT, [], undefined],
    ['bind without a mask', MPOL_BIND, [], 'EINVAL'],
    ['interleave without a mask', MPOL_INTERLEAVE, [], 'EINVAL'],
    ['local with a mask', MPOL_LOCAL, [0], 'EINVAL'],
    ['a node that does not exist', MPOL_BIND, [9], 'EINVAL'],
    ['static and relative', MPOL_BIND | MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES, [0], 'EINVAL'],
    ['no such mode', 7, [0], 'EINVAL'],
  ])('%s', (_, mode, nodes, expected) => {
    expect(mpolNew(nodesMachine(2), mode, nodes)).toBe(expected)
  })

  test('weighted interleaving came with 6.9', () => {
    const state = nodesMachine(2)
    Object.assign(state, { config: { ...state.config, series: '6.1' } })
    expect(mpolNew(state, MPOL_WEIGHTED_INTERLEAVE, [0])).toBe('EINVAL')
  })

  test.each([
    [MPOL_PREFERRED, [], 'local'],
    [MPOL_PREFERRED, [1, 0], 'prefer:0'],
    [MPOL_BIND, [0, 1], 'bind:0-1'],
    [MPOL_INTERLEAVE, [0, 2], 'interleave:0,2'],
    [MPOL_PREFERRED_MANY, [0, 1], 'prefer (many):0-1'],
    [MPOL_WEIGHTED_INTERLEAVE, [0, 1, 3], 'weighted interleave:0-1,3'],
    [MPOL_BIND | MPOL_F_STATIC_NODES, [2, 9], 'bind=static:2'],
    [MPOL_BIND | MPOL_F_RELATIVE_NODES, [5], 'bind=relative:1'],
  ])('mode %i of %j reads %s', (mode, nodes, text) => {
    expect(mpolText(policyOf(nodesMachine(4), mode, nodes))).toBe(text)
  })

  test('policies are equal by what they say', () => {
    const state = nodesMachine(3)
    const bind = (nodes: number[]): Mempolicy => policyOf(state, MPOL_BIND, nodes)
    expect(mpolEqual(bind([0, 1]), bind([1, 0]))).toBe(true)
    expect(mpolEqual(bind([0, 1]), bind([0, 2]))).toBe(false)
    expect(mpolEqual(bind([0]), undefined)).toBe(false)
  })
})

describe('numastat (spec 08 E2)', () => {
  test('BIND to another node: every page is a hit there and other_node, nothing misses', () => {
    const state = nodesMachine(2)
    runTask(state, 1, policyOf(state, MPOL_BIND, [0]))
    for (let i = 0; i < 10; i++) expect(keep(state, allocPages(state, USER, 0))).toBe(0)
    expect(numastat(state, 0)).toEqual([10, 0, 0, 0, 0, 10])
    expect(numastat(state, 1)).toEqual([0, 0, 0, 0, 0, 0])
  })

  test('a full local node: the page is a miss where it lies and foreign where it was wanted', () => {
    const state = nodesMachine(2)
    runTask(state, 1)
    let nid = 1
    while (nid === 1) nid = keep(state, allocPages(state, USER, 0))
    expect(nid).toBe(0)
    expect(numastat(state, 0)).toEqual([0, 1, 0, 0, 0, 1])
    expect(numastat(state, 1)[2]).toBe(1)
  })

  test('interleave_hit counts calls, not pages, and only where the turn was met', () => {
    const state = nodesMachine(2)
    const policy = policyOf(state, MPOL_INTERLEAVE, [0, 1])
    runTask(state, 0, policy)
    const mapping = vma(0, 4096)
    for (let huge = 0; huge < 4; huge++) keep(state, vmaAllocPages(state, USER, 9, mapping, huge * 512))
    expect(numastat(state, 0)).toEqual([2, 0, 0, 2, 2, 0])
    expect(numastat(state, 1)).toEqual([2, 0, 0, 2, 0, 2])
  })

  test('weighted interleaving is no interleave_hit', () => {
    const state = nodesMachine(2)
    const policy = policyOf(state, MPOL_WEIGHTED_INTERLEAVE, [0, 1])
    runTask(state, 0, policy)
    for (let i = 0; i < 4; i++) keep(state, allocPages(state, USER, 0))
    expect(numastat(state, 0)[3]! + numastat(state, 1)[3]!).toBe(0)
  })

  const policies = fc.record({
    mode: fc.constantFrom(1, 2, 3, 4, 5, 6),
    nodes: fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 }),
    cpu: fc.integer({ min: 0, max: 3 }),
    pages: fc.integer({ min: 1, max: 6000 }),
  })

  test('any policies: hit + miss = local + other = calls on every node, misses and foreigns are as many (spec 09 C11)', () => {
    fc.assert(
      fc.property(fc.array(policies, { minLength: 1, maxLength: 6 }), (steps) => {
        const state = nodesMachine(4)
        let calls = 0
        for (const { mode, nodes, cpu, pages } of steps) {
          const policy = policyOf(state, mode, mode === MPOL_LOCAL ? [] : nodes)
          runTask(state, cpu, policy)
          for (let i = 0; i < pages; i++) {
            const nid = keep(state, allocPagesMpol(state, USER, 0, policy, i))
            if (nid < 0) break
            if (mode === MPOL_BIND) expect(nodes).toContain(nid)
            calls++
          }
        }
        const all = [0, 1, 2, 3].map((nid) => numastat(state, nid))
        for (const [hit, miss, , , local, other] of all) expect(hit! + miss!).toBe(local! + other!)
        const total = (item: number): number => all.reduce((sum, row) => sum + row[item]!, 0)
        expect(total(0) + total(1)).toBe(calls)
        expect(total(1)).toBe(total(2))
      }),
      { numRuns: 20, seed: 8 },
    )
  })
})

describe('where a policy may go', () => {
  /** Nodes in the order in which they fill up. */
  function order(state: KernelState): number[] {
    const seen: number[] = []
    for (;;) {
      const nid = keep(state, allocPages(state, USER, 0))
      if (nid < 0) return seen
      if (!seen.includes(nid)) seen.push(nid)
    }
  }

  test.each([
    [0, [0, 1, 2, 3]],
    [1, [1, 2, 0, 3]],
    [2, [2, 3, 1, 0]],
    [3, [3, 2, 1, 0]],
  ])('PREFERRED %i spills in the order %j (captured)', (nid, expected) => {
    const state = nodesMachine(4)
    runTask(state, 0, policyOf(state, MPOL_PREFERRED, [nid]))
    expect(order(state)).toEqual(expected)
  })

  test('BIND takes the nearest allowed node first and never another', () => {
    const state = nodesMachine(4)
    runTask(state, 0, policyOf(state, MPOL_BIND, [1, 3]))
    expect(order(state)).toEqual([1, 3])
  })

  test('PREFERRED_MANY fills its nodes first, then the others', () => {
    const state = nodesMachine(4)
    runTask(state, 0, policyOf(state, MPOL_PREFERRED_MANY, [2, 3]))
    expect(order(state)).toEqual([2, 3, 0, 1])
  })

  test('a node that is asked for by number, or THISNODE, does not follow the policy', () => {
    const state = nodesMachine(2)
    runTask(state, 0, policyOf(state, MPOL_BIND, [1]))
    expect(keep(state, allocPages(state, USER, 0, 0))).toBe(0)
    expect(keep(state, allocPages(state, USER | GFP_BIT_THISNODE, 0))).toBe(0)
  })

  test('a huge page that does not fit at home is not taken elsewhere without effort', () => {
    const state = nodesMachine(2)
    const policy = policyOf(state, MPOL_PREFERRED, [1])
    runTask(state, 0, policy)
    let huge = 0
    while (keep(state, vmaAllocPages(state, USER, 9, vma(0, 1 << 20), huge * 512)) === 1) huge++
    expect(huge).toBeGreaterThan(20)
    expect(vmaAllocPages(state, USER, 9, vma(0, 1 << 20), huge * 512)).toBe(0)
  })

  test('a killed task helps a confined request unless it is bound elsewhere', () => {
    const state = nodesMachine(4)
    const bound = runTask(state, 0, policyOf(state, MPOL_BIND, [2, 3]))
    expect(mempolicyInOomDomain(bound, [0, 1])).toBe(false)
    expect(mempolicyInOomDomain(bound, [1, 2])).toBe(true)
    expect(mempolicyInOomDomain(runTask(state, 0), [0])).toBe(true)
  })
})

test('nr_hugepages_mempolicy asks the nodes of the writer’s policy', () => {
  const state = nodesMachine(4)
  const nodes = (mempolicy?: Mempolicy): readonly number[] | undefined =>
    nodesOfPolicy(state, runTask(state, 2, mempolicy))
  expect(nodes()).toBeUndefined()
  expect(nodes(policyOf(state, MPOL_BIND, [1, 3]))).toEqual([1, 3])
  expect(nodes(policyOf(state, MPOL_INTERLEAVE, [0, 2]))).toEqual([0, 2])
  expect(nodes(policyOf(state, MPOL_PREFERRED, [3, 1]))).toEqual([1])
})
