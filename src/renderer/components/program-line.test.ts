import { expect, test } from 'vitest'
import { splitLine } from './program-line'

test.each([
  ['mm hog mb=200', ['mm', 'hog', 'mb=200']],
  ['python3 -c "x = [0] * 3"', ['python3', '-c', 'x = [0] * 3']],
  [`a 'b c'd  `, ['a', 'b cd']],
])('%s is split into its words', (line, words) => expect(splitLine(line)).toEqual({ ok: true, value: words }))

test.each([
  ['', 'program/empty'],
  ['mm "hog', 'program/quote'],
  ['mm hog | cat', 'program/shell'],
])('%s is refused', (line, code) => expect(splitLine(line)).toMatchObject({ ok: false, error: { code } }))
