import { beforeEach, describe, expect, test } from 'vitest'
import { TaskMachine } from '../../../test/task-machine'
import { lruState, newSpace } from '../../../test/lru-state'
import { ensurePteSlot, findPteSlot, makePte, makeSwapPte, pteAt, ptePfn, setPte, PTE_DIRTY } from './pgtable'
import { rawPte } from './raw_pte'
import { mmOf } from './rss'
import { spaceView } from './space_view'
import { cutAddress, parseAddress } from './virtual_address'
import { walkView } from './walk_view'

const PAGE = 4096
const valueOf = (address: bigint, levels = 4): Record<string, number> =>
  Object.fromEntries(cutAddress(address, levels).fields.map((field) => [field.name, field.value]))

describe('an address is cut into bit fields (04 §4.1)', () => {
  test('0x7F12_3456_7ABC is PGD 254, PUD 72, PMD 418, PTE 359, offset 0xabc (04 E1)', () => {
    expect(parseAddress('0x7F12_3456_7ABC')).toBe(0x7f1234567abcn)
    expect(valueOf(0x7f1234567abcn)).toEqual({ sign: 0, PGD: 254, PUD: 72, PMD: 418, PTE: 359, offset: 0xabc })
  })

  test('with five levels the PGD has bits 56 to 48 and the P4D what the PGD had', () => {
    expect(valueOf(0x01fe7f1234567abcn, 5)).toMatchObject({ sign: 0, PGD: 0x1fe, P4D: 254, PUD: 72 })
  })

  test.each([
    [0x00007fffffffffffn, 4, 'user'],
    [0x0000800000000000n, 4, 'hole'],
    [0xffff7fffffffffffn, 4, 'hole'],
    [0xffff800000000000n, 4, 'kernel'],
    [0x0000800000000000n, 5, 'user'],
    [0x00ffffffffffffffn, 5, 'user'],
    [0x0100000000000000n, 5, 'hole'],
    [0xff00000000000000n, 5, 'kernel'],
  ] as const)('%d with %d levels lies in the %s', (address, levels, half) => {
    expect(cutAddress(address, levels).half).toBe(half)
  })

  test.each(['', 'zz', '0x', '-1', '0x10000000000000000', '18446744073709551616', '1.5'])(
    '"%s" is no address',
    (text) => {
      expect(parseAddress(text)).toBeUndefined()
    },
  )
  test('decimal numbers and hexadecimal ones without 0x are told apart by a letter', () => {
    expect(parseAddress('4096')).toBe(4096n)
    expect(parseAddress('7ffe1000')).toBe(0x7ffe1000n)
    expect(parseAddress('18446744073709551615')).toBe((1n << 64n) - 1n)
  })
})

describe('a walk', () => {
  let m: TaskMachine
  let pid: number
  const walk = (address: number): ReturnType<typeof walkView> =>
    walkView(m.state, mmOf(m.state, m.task(pid))!, BigInt(address))
  beforeEach(() => {
    m = new TaskMachine()
    pid = m.spawn()
  })

  test('goes from the PGD through entries that hold the next table to the frame and the byte in it', () => {
    const a = m.map(pid, 4)
    m.perform(pid, { op: 'touch', address: a, length: PAGE, mode: 'write' })
    const view = walk(a + 0x123)
    expect(view.steps.map((step) => step.name)).toEqual(['PGD', 'PUD', 'PMD', 'PTE'])
    for (const [i, step] of view.steps.slice(1).entries()) {
      expect(view.steps[i]!.entry).toMatchObject({ kind: 'table', pfn: step.tablePfn })
      expect(view.steps[i]!.entry.flags).toEqual(['P', 'W', 'U', 'A', 'D'])
      expect(BigInt(view.steps[i]!.entry.raw)).toBe((BigInt(step.tablePfn) << 12n) | 0x67n)
    }
    const mm = mmOf(m.state, m.task(pid))!
    const pte = pteAt(m.state.pgtables, findPteSlot(m.state, mm, a / PAGE))
    expect(view.end).toBe('page')
    expect(view.page).toMatchObject({
      pfn: ptePfn(pte),
      pages: 1,
      kind: 'anonymous',
      canWrite: true,
      canExecute: false,
    })
    expect(view.page!.physical).toBe(ptePfn(pte) * PAGE + 0x123)
    const leaf = view.steps[3]!
    expect(leaf.entry.flags).toEqual(['P', 'W', 'U', 'A', 'D', 'soft-dirty', 'NX'])
    expect(leaf.entry.physical).toBe(leaf.tablePfn * PAGE + leaf.entry.index * 8)
    expect(leaf.neighbours.map((entry) => entry.index)).toContain(leaf.entry.index)
    expect(walk(a + PAGE)).toMatchObject({ end: 'none', vma: 'anonymous' })
  })

  test('a page that was only read is the zero page, which no one may write', () => {
    const a = m.map(pid, 1)
    m.perform(pid, { op: 'touch', address: a, length: PAGE, mode: 'read' })
    const view = walk(a)
    expect(view.page).toMatchObject({ kind: 'zero page', canWrite: false })
    expect(view.steps[3]!.entry.flags).toEqual(['P', 'U', 'A', 'special', 'NX'])
  })

  test('ends at once in the kernel half and where no address is', () => {
    const mm = mmOf(m.state, m.task(pid))!
    expect(walkView(m.state, mm, 0xffff888000000000n)).toMatchObject({ end: 'kernel', steps: [] })
    expect(walkView(m.state, mm, 1n << 47n)).toMatchObject({ end: 'non-canonical', steps: [] })
  })

  test('stops at the first table that is missing', () => {
    expect(walk(0x1000_0000_0000)).toMatchObject({ end: 'none', vma: '' })
    expect(walk(0x1000_0000_0000).steps).toHaveLength(1)
  })

  test('the address space counts what of each mapping is there', () => {
    const a = m.map(pid, 8)
    m.perform(pid, { op: 'touch', address: a, length: 3 * PAGE, mode: 'write' })
    m.perform(pid, { op: 'touch', address: a + 3 * PAGE, length: PAGE, mode: 'read' })
    const { vmas, tableBytes } = spaceView(m.state, mmOf(m.state, m.task(pid))!, 1)
    expect(vmas.find((vma) => vma.start === a)).toMatchObject({
      perms: 'rw-p',
      kind: 'anonymous',
      residentPages: 3,
      zeroPages: 1,
      swappedPages: 0,
    })
    expect(tableBytes).toBe(mmOf(m.state, m.task(pid))!.pgtablesBytes)
  })
})

describe('entries as the processor reads them', () => {
  test('a swap entry has its area in the five highest bits and its offset inverted below', () => {
    const state = lruState({ swapSlots: 64 })
    state.swapAreas[0]!.map[5] = 1
    const { raw, flags } = rawPte(state, undefined, makeSwapPte(state.swapAreas[0]!.base + 5))
    expect(raw >> 59n).toBe(0n)
    // __swp_offset(): ~val << 5 >> 14
    expect((((~raw & ((1n << 64n) - 1n)) << 5n) & ((1n << 64n) - 1n)) >> 14n).toBe(5n)
    expect(raw & 1n).toBe(0n)
    expect(flags).toEqual(['exclusive'])
  })

  test('dirty and write-protected is a bit of its own from 6.6 on', () => {
    const entry = makePte(7, PTE_DIRTY)
    expect(rawPte(lruState({ series: '6.12' }), undefined, entry).flags).toEqual([
      'P',
      'U',
      'soft-dirty',
      'saved-dirty',
    ])
    expect(rawPte(lruState({ series: '6.1' }), undefined, entry).flags).toEqual(['P', 'U', 'D', 'soft-dirty'])
  })

  test('a walk to a swapped page names the device and the slot', () => {
    const state = lruState({ swapSlots: 64 })
    const { mm } = newSpace(state)
    const vpn = mm.vmas[0]!.start
    setPte(state.pgtables, ensurePteSlot(state, mm, vpn), makeSwapPte(state.swapAreas[0]!.base + 9))
    const view = walkView(state, mm, BigInt(vpn * PAGE))
    expect(view.end).toBe('swap')
    expect(view.steps[3]!.entry.swap).toEqual({ type: 0, offset: 9, path: '/dev/vdb' })
  })
})
