import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AddressField, VmaView } from '../../../protocol/paging'
import { cellAt, cellsPath, entryUnder } from './cells'
import { costRows } from './cost-rows'
import { emptyText } from './empty'
import { changes, costParts, doneText, guessText, parseTouches } from './fault'
import { bitsOf, canonical, withField } from './fields'
import { firstAddress, layoutSpace, pageUnder, partPath, placeOf, stretchesOf, STRETCH_GAP } from './space'

const PMD: AddressField = { name: 'PMD', level: 2, high: 29, low: 21, value: 418 }

describe('bit fields', () => {
  test('bits stand with the most significant one first', () => {
    expect(bitsOf(PMD).join('')).toBe('110100010')
    expect(bitsOf({ ...PMD, name: 'sign', high: 63, low: 48, value: 0xffff })).toHaveLength(16)
  })
  test('turning a field changes no other bit, and wraps within the field', () => {
    expect(withField('0x7f1234567abc', PMD, 419)).toBe('0x7f1234767abc')
    expect(withField('0x7f1234567abc', PMD, 512 + 418)).toBe('0x7f1234567abc')
    expect(withField('0x0', PMD, -1)).toBe('0x3fe00000')
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.integer({ min: 0, max: 511 }), (address, value) => {
        const turned = BigInt(withField(`0x${address.toString(16)}`, PMD, value))
        expect((turned >> 21n) & 511n).toBe(BigInt(value))
        expect(turned & ~(511n << 21n)).toBe(address & ~(511n << 21n))
      }),
    )
  })
  test('an address is made canonical by copying bit 47, or bit 56 with five levels', () => {
    expect(canonical('0x800000000000', 4)).toBe('0xffff800000000000')
    expect(canonical('0x900000000000', 5)).toBe('0x900000000000')
    expect(canonical('0x0100000000000000', 5)).toBe('0xff00000000000000')
    expect(canonical('0xabcd000000001000', 4)).toBe('0x1000')
  })
})

describe('a table as cells', () => {
  test('the cell under a point is the one drawn there', () => {
    for (const index of [0, 31, 32, 418, 511]) {
      const { x, y } = cellAt(index)
      expect(entryUnder(x + 2, y + 2)).toBe(index)
    }
    expect(entryUnder(-1, 0)).toBe(-1)
    expect(entryUnder(0, 80)).toBe(-1)
  })
  test('a path has one square an entry of the kind', () => {
    const cells = new Uint8Array(512)
    cells[0] = 2
    cells[33] = 2
    expect(cellsPath(cells, 2)).toBe('M0 0h4v4h-4zM5 5h4v4h-4z')
  })
})

const vma = (start: number, pages: number, more: Partial<VmaView> = {}): VmaView => ({
  start,
  end: start + pages * 4096,
  perms: 'rw-p',
  name: '',
  kind: 'anonymous',
  isLocked: false,
  residentPages: 0,
  zeroPages: 0,
  swappedPages: 0,
  hugePages: 0,
  ...more,
})
const VMAS = [
  vma(0x400000, 400, { kind: 'file', residentPages: 90 }),
  vma(0x600000, 200, { residentPages: 3 }),
  vma(0x7fff00000000, 16384, { residentPages: 9 }),
  vma(0x7fffffffe000, 1, { kind: 'stack', residentPages: 1 }),
]

describe('the address space to scale', () => {
  test('mappings with small gaps share a stretch; terabytes of nothing are left out', () => {
    expect(stretchesOf(VMAS).map(({ vmas }) => vmas)).toEqual([[0, 1], [2], [3]])
  })
  test('stretches lie side by side within the width, and a mapping keeps its scale', () => {
    const layout = layoutSpace(VMAS, 1000)
    for (const [i, box] of layout.slice(1).entries())
      expect(box.x).toBeGreaterThanOrEqual(layout[i]!.x + layout[i]!.width + STRETCH_GAP)
    const end = layout.at(-1)!
    expect(end.x + end.width).toBeLessThanOrEqual(1000)
    const [first, second] = layout[0]!.boxes
    expect(first!.width / second!.width).toBeCloseTo(2, 5)
  })
  test('a point of a box leads to the page that is drawn there, and back', () => {
    const layout = layoutSpace(VMAS, 1000)
    const box = layout[1]!.boxes[0]!
    const page = pageUnder(VMAS[2]!, box, box.x + box.width / 2)
    expect(page).toBe(0x7fff00000000 + 8192 * 4096)
    expect(placeOf(layout, page)).toBeCloseTo(box.x + box.width / 2, 5)
    expect(placeOf(layout, 0x500000000000)).toBeUndefined()
  })
  test('ink is as high as the share of pages that are there; parts stand on each other', () => {
    const profile = {
      stretchPages: 4,
      resident: new Uint32Array([2, 0]),
      huge: new Uint32Array([0, 0]),
      zero: new Uint32Array([1, 0]),
      swapped: new Uint32Array([0, 4]),
    }
    const box = { x: 0, width: 20, vma: 0 }
    expect(partPath(profile, 'resident', box, 40)).toBe('M0.00 20.00h10.00v20.00h-10.00z')
    expect(partPath(profile, 'zero', box, 40)).toBe('M0.00 10.00h10.00v10.00h-10.00z')
    expect(partPath(profile, 'swapped', box, 40)).toBe('M10.00 0.00h10.00v40.00h-10.00z')
  })
  test('a look begins where most is in memory; of a file only half counts', () => {
    expect(firstAddress(VMAS)).toBe('0x400000')
    expect(firstAddress([VMAS[0]!, vma(0x800000, 64, { residentPages: 46 })])).toBe('0x800000')
    expect(firstAddress([])).toBe('')
  })
})

test('where there is nothing to walk, it is said why and what to do', () => {
  const refusal = { code: 'paging/process', where: '', message: '', fix: '' }
  expect(emptyText({ pid: 0, task: undefined, refusal: undefined })).toContain('start one')
  expect(emptyText({ pid: 412, task: undefined, refusal })).toContain('has exited')
  expect(emptyText({ pid: 412, task: undefined, refusal: undefined })).toBe('')
})

describe('accesses by hand', () => {
  const TEXT = `1 pid=312 address=0x7fff00000000 access=write outcome=minor pfn=700 tables=+2 anon=+1 file=0 shmem=0 swap=0 cost_ns=764 predicted=minor
  CPU: 2 tables are missing on the way: page fault
  do_anonymous_page: private memory: a zeroed frame
2 pid=312 address=0x10 access=read outcome=signal signo=11 code=1 error=4 pfn=0 tables=0 anon=0 file=0 shmem=0 swap=0 cost_ns=0 predicted=SIGSEGV
  force_sig_fault: SIGSEGV with SEGV_MAPERR at 0x10
`
  test('the file is read row by row, each with its decisions', () => {
    const [first, second] = parseTouches(TEXT)
    expect(first).toMatchObject({ id: 1, pid: 312, outcome: 'minor', tables: 2, costNs: 764 })
    expect(first!.decisions).toEqual([
      { by: 'CPU', text: '2 tables are missing on the way: page fault' },
      { by: 'do_anonymous_page', text: 'private memory: a zeroed frame' },
    ])
    expect(second!.decisions).toHaveLength(1)
    expect(doneText(second!, undefined)[0]).toBe('SIGSEGV, SEGV_MAPERR')
    expect(changes(first!)).toEqual(['RssAnon +1', 'page tables +2'])
    expect(changes(second!)).toEqual([])
    expect(parseTouches('')).toEqual([])
    expect(costParts(764, 700).map(({ ns }) => ns)).toEqual([700, 64])
    expect(costParts(700, 700)).toHaveLength(1)
  })
  test('a guess is told right or not, never more', () => {
    expect(guessText('minor', 'minor')).toBe('Right: minor fault.')
    expect(guessText('major', 'SIGSEGV')).toBe('Not this time: SIGSEGV.')
  })
  test('the row of the fill is marked among the costs; without a fault it is a hit or a walk', () => {
    const costs = {
      access: 1,
      pageWalk: 10,
      zeroPageFault: 400,
      minorFault: 500,
      anonFault: 700,
      cowFault: 1000,
      thpFault: 120000,
    }
    expect(
      costRows(costs, 'reuse')
        .filter(({ isThis }) => isThis)
        .map(({ ns }) => ns),
    ).toEqual([500])
    expect(
      costRows(costs, '')
        .filter(({ isThis }) => isThis)
        .map(({ ns }) => ns),
    ).toEqual([1, 10])
    expect(costRows(costs, 'huge-page').at(-1)).toMatchObject({ ns: 120000, share: 1, isThis: true })
    expect(costRows(costs, 'file-read').some(({ isThis }) => isThis)).toBe(false)
    expect(
      costRows(costs, '')
        .map(({ share }) => share)
        .at(-1),
    ).toBe(1)
  })
})
