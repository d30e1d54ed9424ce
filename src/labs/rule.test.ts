import { expect, test } from 'vitest'
import { numberAt } from './numbers'
import { parseRule } from './rule'

const holds = (text: string, values: Record<string, number> = {}): boolean => {
  const rule = parseRule(text, 'here')
  if (!rule.ok) throw new Error(rule.error.message)
  return rule.value.holds((name) => values[name])
}

test.each([
  ['1 + 2 * 3 == 7', true],
  ['(1 + 2) * 3 == 9', true],
  ['7 // 2 == 3 and 7 / 2 == 3.5 and 7 % 4 == 3', true],
  ['424 xor 8 == 416', true],
  ['min(3, 2) == 2 or 1 == 2', true],
  ['10 - 3 - 2 == 5', true],
  ['1 < 2 and 2 < 1', false],
])('%s is %s', (text, expected) => expect(holds(text)).toBe(expected))

test('a name that is also a function is a name unless a bracket follows', () =>
  expect(holds('min == max(min, 1)', { min: 4 })).toBe(true))

test('no rule holds over a number that is not there, its negation neither', () => {
  expect(holds('free > 1', {})).toBe(false)
  expect(holds('free != 1', {})).toBe(false)
})

test('names are told, those of before included', () => {
  const rule = parseRule('o9 > was.o9 + 1', 'here')
  expect(rule.ok && rule.value.names).toEqual(['o9', 'was.o9'])
})

test.each([
  ['1 +', 'the rule ends too early: 1 +'],
  ['a b', '"b" stands where an operator belongs: a b'],
  ['a = b', '"= b" is no part of a rule: a = b'],
  ['(a == b', '")" is missing before "the end": (a == b'],
  ['and', '"and" stands where a number belongs: and'],
])('%s is refused by name', (text, message) => {
  const rule = parseRule(text, 'lab.json: steps[0].rule')
  expect(rule.ok || rule.error).toMatchObject({ where: 'lab.json: steps[0].rule', message })
})

const ZONEINFO = `Node 0, zone      DMA
  pages free     3584
        min      63
        protection: (0, 2946, 3970, 5907, 5907)
Node 0, zone    DMA32
  pages free     756255
        min      12491
        protection: (0, 0, 1024, 2961, 2961)
`
test.each([
  [{ under: 'zone DMA32', key: 'pages free' }, 756255],
  [{ under: 'zone    DMA', key: 'min' }, 63],
  [{ under: 'zone DMA32', key: 'protection', nth: 3 }, 2961],
  [{ under: 'zone Normal', key: 'min' }, undefined],
  [{ under: 'zone DMA32', key: 'spanned' }, undefined],
])('in zoneinfo %j is %s', (source, value) => expect(numberAt(ZONEINFO, source)).toBe(value))

test('page frame numbers are read as the kernel prints them, digits in names are none', () => {
  const row =
    '    id pfn   order migratetype node zone\n     1 0x2d80     6 Unmovable      0 DMA32   2.006540 0xcc0(GFP_KERNEL)\n'
  expect([0, 1, 2, 3, 4].map((nth) => numberAt(row, { key: '1', nth }))).toEqual([0x2d80, 6, 0, 2.00654, 0xcc0])
})

test('a column of a row, and the only number of a file', () => {
  const text = 'Node 0, zone      DMA      0      1      5 \nNode 0, zone    DMA32      7      8      9 \n'
  expect(numberAt(text, { under: 'zone DMA32', nth: 2 })).toBe(9)
  expect(numberAt('600\n', {})).toBe(600)
})
