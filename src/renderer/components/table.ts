/** Columns of a table as data, and sorting that never jumps: equal rows keep their order. Pure. */
export interface Column<Row> {
  readonly id: string
  readonly title: string
  readonly isNumber?: boolean
  /** What stands in the cell when the view gives no slot for it. */
  readonly text?: (row: Row) => string
  readonly sortBy?: (row: Row) => number | string
}

/** `order` is a column id, '-id' for descending, '' for the rows' own order. */
export function sortRows<Row>(rows: readonly Row[], columns: readonly Column<Row>[], order: string): readonly Row[] {
  const isDown = order.startsWith('-')
  const by = columns.find((column) => column.id === (isDown ? order.slice(1) : order))?.sortBy
  if (!by) return rows
  const sign = isDown ? -1 : 1
  return [...rows].sort((a, b) => {
    const x = by(a)
    const y = by(b)
    return x < y ? -sign : x > y ? sign : 0
  })
}
