/** uniq, comm, join and diff: comparing lines. */
import type { Tool, ToolContext } from '../process'
import { allLines } from './lines'
import { fail, getOptions, linesOf, readOperand, toText } from './options'

export const uniq: Tool = {
  name: 'uniq',
  summary: 'drops repeated lines',
  usage: 'uniq [-cdui] [FILE]',
  async run(context) {
    const { flags, operands } = await getOptions(context, 'cduif:')
    const { lines, status } = await allLines(context, operands.slice(0, 1))
    const groups: { line: string; count: number }[] = []
    const fold = (line: string): string => (flags.has('i') ? line.toLowerCase() : line)
    for (const line of lines) {
      const last = groups.at(-1)
      if (last !== undefined && fold(last.line) === fold(line)) last.count++
      else groups.push({ line, count: 1 })
    }
    const kept = groups.filter(({ count }) => (flags.has('d') ? count > 1 : flags.has('u') ? count === 1 : true))
    await context.print(
      toText(kept.map(({ line, count }) => (flags.has('c') ? `${String(count).padStart(7)} ${line}` : line))),
    )
    return status
  },
}

async function twoFiles(context: ToolContext, operands: readonly string[]): Promise<[string[], string[]] | undefined> {
  const [a, b] = operands
  if (a === undefined || b === undefined) return fail(context, 'missing operand')
  const [left, right] = [await readOperand(context, a), await readOperand(context, b)]
  return left === undefined || right === undefined ? undefined : [linesOf(left), linesOf(right)]
}

export const comm: Tool = {
  name: 'comm',
  summary: 'compares two sorted files',
  usage: 'comm [-123] FILE1 FILE2',
  async run(context) {
    const { flags, operands } = await getOptions(context, '123')
    const files = await twoFiles(context, operands)
    if (files === undefined) return 1
    const [left, right] = files
    const out: string[] = []
    const put = (column: '1' | '2' | '3', line: string): void => {
      if (flags.has(column)) return
      const before = ['1', '2'].filter((each) => each < column && !flags.has(each)).length
      out.push('\t'.repeat(before) + line)
    }
    let [i, j] = [0, 0]
    while (i < left.length || j < right.length) {
      const [a, b] = [left[i], right[j]]
      if (a === b && a !== undefined) {
        put('3', a)
        i++
        j++
      } else if (b === undefined || (a !== undefined && a < b)) {
        put('1', a ?? '')
        i++
      } else {
        put('2', b)
        j++
      }
    }
    await context.print(toText(out))
    return 0
  },
}

export const join: Tool = {
  name: 'join',
  summary: 'joins lines of two files on a field',
  usage: 'join [-t CHAR] [-1 FIELD] [-2 FIELD] FILE1 FILE2',
  async run(context) {
    const { values, operands } = await getOptions(context, 't:1:2:j:')
    const files = await twoFiles(context, operands)
    if (files === undefined) return 1
    const separator = values.get('t')
    const cells = (line: string): string[] =>
      separator === undefined ? line.trim().split(/\s+/) : line.split(separator)
    const keyOf = (side: '1' | '2'): number => Number(values.get(side) ?? values.get('j') ?? 1) - 1
    const rest = (row: readonly string[], key: number): string[] => row.filter((_, i) => i !== key)
    const right = files[1].map(cells)
    const out: string[] = []
    for (const line of files[0]) {
      const row = cells(line)
      const key = row[keyOf('1')] ?? ''
      for (const other of right)
        if (other[keyOf('2')] === key)
          out.push([key, ...rest(row, keyOf('1')), ...rest(other, keyOf('2'))].join(separator ?? ' '))
    }
    await context.print(toText(out))
    return 0
  },
}

export const diff: Tool = {
  name: 'diff',
  summary: 'shows how two files differ',
  usage: 'diff [-qu] FILE1 FILE2',
  async run(context) {
    const { flags, operands } = await getOptions(context, 'qubwN')
    const files = await twoFiles(context, operands)
    if (files === undefined) return 2
    const [left, right] = files
    const hunks = changes(left, right)
    if (hunks.length === 0) return 0
    if (flags.has('q')) await context.print(`Files ${operands[0]} and ${operands[1]} differ\n`)
    else if (flags.has('u')) await context.print(unified(left, right, hunks, operands))
    else await context.print(hunks.map((hunk) => normal(left, right, hunk)).join(''))
    return 1
  },
}

/** Lines [a, b) of the left became lines [c, d) of the right. */
interface Hunk {
  readonly a: number
  readonly b: number
  readonly c: number
  readonly d: number
}

/** Differences by the longest common subsequence; equal ends are cut off first. */
function changes(left: readonly string[], right: readonly string[]): Hunk[] {
  let start = 0
  while (start < left.length && start < right.length && left[start] === right[start]) start++
  let [endL, endR] = [left.length, right.length]
  while (endL > start && endR > start && left[endL - 1] === right[endR - 1]) {
    endL--
    endR--
  }
  const [n, m] = [endL - start, endR - start]
  if (n * m > 4_000_000) return [{ a: start, b: endL, c: start, d: endR }]
  const width = m + 1
  const table = new Uint32Array((n + 1) * width)
  for (let i = n - 1; i >= 0; i--)
    for (let j = m - 1; j >= 0; j--) {
      const same = left[start + i] === right[start + j]
      table[i * width + j] = same
        ? (table[(i + 1) * width + j + 1] ?? 0) + 1
        : Math.max(table[(i + 1) * width + j] ?? 0, table[i * width + j + 1] ?? 0)
    }
  const hunks: Hunk[] = []
  let [i, j] = [0, 0]
  while (i < n || j < m) {
    if (i < n && j < m && left[start + i] === right[start + j]) {
      i++
      j++
      continue
    }
    const [a, c] = [start + i, start + j]
    while ((i < n || j < m) && !(i < n && j < m && left[start + i] === right[start + j])) {
      if (j >= m || (i < n && (table[(i + 1) * width + j] ?? 0) >= (table[i * width + j + 1] ?? 0))) i++
      else j++
    }
    hunks.push({ a, b: start + i, c, d: start + j })
  }
  return hunks
}

function normal(left: readonly string[], right: readonly string[], { a, b, c, d }: Hunk): string {
  const range = (from: number, to: number): string =>
    to - from > 1 ? `${from + 1},${to}` : `${to > from ? from + 1 : from}`
  const kind = a === b ? 'a' : c === d ? 'd' : 'c'
  const removed = left.slice(a, b).map((line) => `< ${line}\n`)
  const added = right.slice(c, d).map((line) => `> ${line}\n`)
  return `${range(a, b)}${kind}${range(c, d)}\n${removed.join('')}${kind === 'c' ? '---\n' : ''}${added.join('')}`
}

function unified(
  left: readonly string[],
  right: readonly string[],
  hunks: readonly Hunk[],
  names: readonly string[],
): string {
  let text = `--- ${names[0]}\n+++ ${names[1]}\n`
  const groups: Hunk[][] = []
  for (const hunk of hunks) {
    const last = groups.at(-1)
    if (last !== undefined && hunk.a - (last.at(-1)?.b ?? 0) <= 6) last.push(hunk)
    else groups.push([hunk])
  }
  for (const group of groups) {
    const [first, last] = [group[0], group.at(-1)]
    if (first === undefined || last === undefined) continue
    const [from, fromR] = [Math.max(0, first.a - 3), Math.max(0, first.c - 3)]
    const [to, toR] = [Math.min(left.length, last.b + 3), Math.min(right.length, last.d + 3)]
    text += `@@ -${from + 1},${to - from} +${fromR + 1},${toR - fromR} @@\n`
    let at = from
    for (const { a, b, c, d } of group) {
      text += left
        .slice(at, a)
        .map((line) => ` ${line}\n`)
        .join('')
      text += left
        .slice(a, b)
        .map((line) => `-${line}\n`)
        .join('')
      text += right
        .slice(c, d)
        .map((line) => `+${line}\n`)
        .join('')
      at = b
    }
    text += left
      .slice(at, to)
      .map((line) => ` ${line}\n`)
      .join('')
  }
  return text
}
