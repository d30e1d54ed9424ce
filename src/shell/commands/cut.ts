/** cut, paste, rev, tac, nl and wc: columns and lines. */
import { resolvePath } from '../paths'
import type { Tool } from '../process'
import { isData } from './data'
import { allLines, eachBlock } from './lines'
import { fail, getOptions, linesOf, readOperand, toText } from './options'

/** `1,3-5,7-` as a test on positions from 1. */
function positions(list: string): (position: number) => boolean {
  const ranges = list.split(',').map((part) => {
    const found = /^(\d*)(-?)(\d*)$/.exec(part)
    const from = Number(found?.[1] || 1)
    return { from, to: found?.[2] === '' ? from : Number(found?.[3] || Infinity) }
  })
  return (position) => ranges.some(({ from, to }) => position >= from && position <= to)
}

export const cut: Tool = {
  name: 'cut',
  summary: 'prints parts of lines',
  usage: 'cut {-c LIST | -b LIST | -f LIST [-d DELIMITER] [-s]} [FILE]...',
  async run(context) {
    const { flags, values, operands } = await getOptions(context, 'b:c:f:d:sn')
    const list = values.get('f') ?? values.get('c') ?? values.get('b')
    if (list === undefined) return fail(context, 'you must specify a list of bytes, characters, or fields')
    const selected = positions(list)
    const delimiter = values.get('d') ?? '\t'
    const shape = (line: string): string | undefined => {
      if (!values.has('f')) return [...line].filter((_, i) => selected(i + 1)).join('')
      if (!line.includes(delimiter)) return flags.has('s') ? undefined : line
      return line
        .split(delimiter)
        .filter((_, i) => selected(i + 1))
        .join(delimiter)
    }
    let status = 0
    for (const path of operands.length === 0 ? ['-'] : operands)
      status =
        (await eachBlock(context, path, async (lines) => {
          await context.print(toText(lines.map(shape).filter((line) => line !== undefined)))
          return true
        })) || status
    return status
  },
}

export const paste: Tool = {
  name: 'paste',
  summary: 'joins lines of files side by side',
  usage: 'paste [-s] [-d DELIMITERS] [FILE]...',
  async run(context) {
    const { flags, values, operands } = await getOptions(context, 'sd:')
    const delimiters = [...(values.get('d') ?? '\t')]
    const columns: string[][] = []
    for (const path of operands.length === 0 ? ['-'] : operands) {
      const text = await readOperand(context, path)
      if (text === undefined) return 1
      columns.push(linesOf(text))
    }
    const join = (cells: readonly string[]): string =>
      cells.reduce(
        (line, cell, i) => line + (i === 0 ? '' : (delimiters[(i - 1) % delimiters.length] ?? '')) + cell,
        '',
      )
    if (flags.has('s')) await context.print(toText(columns.map(join)))
    else {
      const height = Math.max(...columns.map((column) => column.length))
      await context.print(
        toText(Array.from({ length: height }, (_, row) => join(columns.map((column) => column[row] ?? '')))),
      )
    }
    return 0
  },
}

export const rev: Tool = {
  name: 'rev',
  summary: 'reverses each line',
  usage: 'rev [FILE]...',
  async run(context) {
    const { lines, status } = await allLines(context, (await getOptions(context, '')).operands)
    await context.print(toText(lines.map((line) => [...line].reverse().join(''))))
    return status
  },
}

export const tac: Tool = {
  name: 'tac',
  summary: 'prints lines last first',
  usage: 'tac [FILE]...',
  async run(context) {
    const { lines, status } = await allLines(context, (await getOptions(context, '')).operands)
    await context.print(toText(lines.reverse()))
    return status
  },
}

export const nl: Tool = {
  name: 'nl',
  summary: 'numbers lines',
  usage: 'nl [-b a] [FILE]...',
  async run(context) {
    const { values, operands } = await getOptions(context, 'b:')
    const { lines, status } = await allLines(context, operands)
    let number = 0
    const shape = (line: string): string =>
      line === '' && values.get('b') !== 'a' ? '       ' : `${String(++number).padStart(6)}\t${line}`
    await context.print(toText(lines.map(shape)))
    return status
  },
}

export const wc: Tool = {
  name: 'wc',
  summary: 'counts lines, words and bytes',
  usage: 'wc [-lwcm] [FILE]...',
  async run(context) {
    const { flags, operands } = await getOptions(context, 'lwcm', { lines: 'l', words: 'w', bytes: 'c' })
    const kinds = ['l', 'w', 'c', 'm'].filter((kind) => (flags.size === 0 ? kind !== 'm' : flags.has(kind)))
    const rows: { counts: number[]; name: string }[] = []
    let status = 0
    for (const path of operands.length === 0 ? ['-'] : operands) {
      // As the real one: how long a file is need not be read.
      if (kinds.join('') === 'c' && isData(context, path)) {
        const stat = context.sys.stat(context.pid, resolvePath(context.cwd, path))
        rows.push({ counts: [stat.ok ? stat.value.sizeBytes : 0], name: path })
        continue
      }
      const text = await readOperand(context, path)
      if (text === undefined) {
        status = 1
        continue
      }
      const counts = {
        l: text.split('\n').length - 1,
        w: text.match(/\S+/g)?.length ?? 0,
        c: utf8Length(text),
        m: [...text].length,
      }
      rows.push({
        counts: kinds.map((kind) => counts[kind as keyof typeof counts]),
        name: operands.length === 0 ? '' : path,
      })
    }
    if (rows.length > 1)
      rows.push({
        counts: kinds.map((_, i) => rows.reduce((sum, row) => sum + (row.counts[i] ?? 0), 0)),
        name: 'total',
      })
    const isSingle = rows.length === 1 && kinds.length === 1
    const width = isSingle
      ? 1
      : operands.length === 0
        ? 7
        : Math.max(...rows.flatMap((row) => row.counts.map((n) => String(n).length)))
    await context.print(
      toText(
        rows.map(
          (row) =>
            `${row.counts.map((n) => String(n).padStart(width)).join(' ')}${row.name === '' ? '' : ` ${row.name}`}`,
        ),
      ),
    )
    return status
  },
}

function utf8Length(text: string): number {
  let length = 0
  for (const c of text) {
    const code = c.codePointAt(0) ?? 0
    length += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  }
  return length
}
