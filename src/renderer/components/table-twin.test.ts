import { expect, test } from 'vitest'
import { cursorRow, twinCsv, twinTable } from './table-twin'

const input = {
  times: Float64Array.of(0, 10, 20, 30),
  columns: [
    { title: 'free', unit: 'pages', values: Float64Array.of(9, 8, NaN, NaN), format: String },
    { title: 'a, b', unit: '', values: Float64Array.of(0.5, NaN, 3, NaN), format: String },
  ],
}

test('a row for each bucket that holds something; what is unknown is a dash', () => {
  const table = twinTable(input, 100, (ns) => `${ns}`)
  expect(table.rows.map((row) => [row.time, ...row.cells])).toEqual([
    ['0', '9', '0.5'],
    ['10', '8', '–'],
    ['20', '–', '3'],
  ])
})

test('a long window keeps every n-th row', () =>
  expect(twinTable(input, 2, String).rows.map((row) => row.atNs)).toEqual([0, 20]))

test('the cursor is in the last row before it', () => {
  const table = twinTable(input, 100, String)
  expect([cursorRow(table, -1), cursorRow(table, 10), cursorRow(table, 19), cursorRow(table, 99)]).toEqual([
    -1, 1, 1, 2,
  ])
})

test('CSV has plain figures, empty cells for the unknown and quoted heads', () => {
  expect(twinCsv(input).split('\r\n')).toEqual(['time_ns,free (pages),"a, b"', '0,9,0.5', '10,8,', '20,,3', '30,,', ''])
})
