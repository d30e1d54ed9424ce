/** strace -c: what each system call took, as a table. */

interface Count {
  calls: number
  errors: number
  ns: number
}

/** Columns of -S. */
const KEYS = ['time', 'total', 'calls', 'count', 'errors', 'name', 'nothing'] as const
export type SortKey = (typeof KEYS)[number]
export const isSortKey = (word: string): word is SortKey => KEYS.some((key) => key === word)

/** Calls by name. */
export class SyscallCounts {
  readonly #counts = new Map<string, Count>()

  add(name: string, ns: number, isError: boolean): void {
    let count = this.#counts.get(name)
    if (count === undefined) this.#counts.set(name, (count = { calls: 0, errors: 0, ns: 0 }))
    count.calls++
    count.ns += ns
    if (isError) count.errors++
  }

  /**
   * Times are those that pass from the call's beginning to its end.
   * @kernel  strace src/count.c call_summary_pers()
   */
  table(sort: SortKey): string {
    const rows = [...this.#counts].map(([name, count]) => ({ name, ...count }))
    const total = rows.reduce(
      (sum, { calls, errors, ns }) => ({ calls: sum.calls + calls, errors: sum.errors + errors, ns: sum.ns + ns }),
      { calls: 0, errors: 0, ns: 0 },
    )
    rows.sort((a, b) => {
      if (sort === 'name') return a.name < b.name ? -1 : 1
      if (sort === 'calls' || sort === 'count') return b.calls - a.calls
      if (sort === 'errors') return b.errors - a.errors
      return sort === 'nothing' ? 0 : b.ns - a.ns
    })
    const rule = '------ ----------- ----------- --------- --------- ----------------\n'
    const lines = rows.map((row) => line(row.name, row, total.ns))
    const head = '% time     seconds  usecs/call     calls    errors syscall\n'
    return `${head}${rule}${lines.join('')}${rule}${line('total', total, total.ns)}`
  }
}

function line(name: string, { calls, errors, ns }: Count, totalNs: number): string {
  const share = totalNs === 0 ? 0 : (ns / totalNs) * 100
  const each = calls === 0 ? 0 : Math.floor(ns / calls / 1000)
  const cells = [
    share.toFixed(2).padStart(6),
    (ns / 1e9).toFixed(6).padStart(11),
    String(each).padStart(11),
    String(calls).padStart(9),
    (errors === 0 ? '' : String(errors)).padStart(9),
  ]
  return `${cells.join(' ')} ${name}\n`
}
