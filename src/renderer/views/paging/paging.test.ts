import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AddressField, VmaView } from '../../../protocol/paging'
import { cellAt, cellsPath, entryUnder } from './cells'
import { emptyText } from './empty'
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
