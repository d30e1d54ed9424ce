/** sort: lines in order, by keys. */
import { resolvePath } from '../paths'
import type { Tool, ToolContext } from '../process'
import { allLines } from './lines'
import { getOptions, toText, warnRefusal } from './options'

export const sort: Tool = {
  name: 'sort',
  summary: 'sorts lines',
  usage: 'sort [-bfghnrsuV] [-k FIELD[.CHAR][OPTS][,FIELD[.CHAR][OPTS]]]... [-t SEPARATOR] [-o FILE] [FILE]...',
  run: runSort,
}

interface Key {
  readonly from: number
  readonly fromChar: number
  /** 0 = to the end of the line. */
  readonly to: number
  readonly toChar: number
  readonly flags: string
}

async function runSort(context: ToolContext): Promise<number> {
  const specs: string[] = []
  // -k may be given more than once, also at the end of a cluster: -nk2.
  const args: string[] = []
  for (let i = 0; i < context.args.length; i++) {
    const arg = context.args[i] ?? ''
    const found = /^-([bdfghinrsuVz]*)k(.*)$/.exec(arg)
    if (found === null) {
      args.push(arg)
      if (arg === '-t' || arg === '-o') args.push(context.args[++i] ?? '')
      continue
    }
    if (found[1] !== '') args.push(`-${found[1]}`)
    specs.push(found[2] === '' ? (context.args[++i] ?? '') : (found[2] ?? ''))
  }
  const { flags, values, operands } = await getOptions(
    context,
    'bdfghinrsuVzk:t:o:',
    { numeric: 'n', reverse: 'r', unique: 'u' },
    args,
  )
  const { lines, status } = await allLines(context, operands)
  const global = [...flags].filter((flag) => 'bdfghnrV'.includes(flag)).join('')
  const keys = specs.map((spec) => parseKey(spec, global))
  const separator = values.get('t')
  const comparators = keys.length > 0 ? keys : [{ from: 1, fromChar: 1, to: 0, toChar: 0, flags: global }]
  const byKeys = (a: string, b: string): number => {
    for (const key of comparators) {
      const order = compareBy(extract(a, key, separator), extract(b, key, separator), key.flags)
      if (order !== 0) return key.flags.includes('r') ? -order : order
    }
    return 0
  }
  const lastResort = (a: string, b: string): number => {
    if (flags.has('s') || flags.has('u')) return 0
    const order = a < b ? -1 : a > b ? 1 : 0
    return flags.has('r') ? -order : order
  }
  const sorted = lines
    .map((line, i) => ({ line, i }))
    .sort((a, b) => byKeys(a.line, b.line) || lastResort(a.line, b.line) || a.i - b.i)
  const kept = flags.has('u')
    ? sorted.filter((each, i) => i === 0 || byKeys(sorted[i - 1]?.line ?? '', each.line) !== 0)
    : sorted
  const text = toText(kept.map((each) => each.line))
  const file = values.get('o')
  if (file === undefined) await context.print(text)
  else {
    const written = context.sys.write(context.pid, resolvePath(context.cwd, file), text, {
      create: true,
      append: false,
    })
    if (!written.ok) return warnRefusal(context, file, written.error)
  }
  return status === 0 ? 0 : 2
}

function parseKey(spec: string, global: string): Key {
  const found = /^(\d+)(?:\.(\d+))?([a-zA-Z]*)(?:,(\d+)(?:\.(\d+))?([a-zA-Z]*))?$/.exec(spec)
  const own = (found?.[3] ?? '') + (found?.[6] ?? '')
  return {
    from: Number(found?.[1] ?? 1),
    fromChar: Number(found?.[2] ?? 1),
    to: Number(found?.[4] ?? 0),
    toChar: Number(found?.[5] ?? 0),
    flags: own === '' ? global : own,
  }
}

/** Without -t a field begins with the blanks before it. */
function extract(line: string, key: Key, separator: string | undefined): string {
  const fields = separator === undefined ? (line.match(/[ \t]*[^ \t]+|[ \t]+$/g) ?? []) : line.split(separator)
  const joint = separator ?? ''
  const last = key.to === 0 ? fields.length : key.to
  const part = fields.slice(key.from - 1, last).join(joint)
  const start = key.flags.includes('b') ? part.trimStart() : part
  const end =
    key.to > 0 && key.toChar > 0
      ? fields.slice(key.from - 1, last - 1).join(joint).length + joint.length + key.toChar
      : undefined
  return start.slice(key.fromChar - 1, end)
}

const UNITS = 'KMGTPEZY'

function compareBy(a: string, b: string, flags: string): number {
  const difference = (x: number, y: number): number => (x < y ? -1 : x > y ? 1 : 0)
  if (flags.includes('h')) return difference(humanSize(a), humanSize(b))
  if (flags.includes('n')) return difference(leadingNumber(a), leadingNumber(b))
  if (flags.includes('g')) return difference(parseFloat(a) || 0, parseFloat(b) || 0)
  if (flags.includes('V')) return compareVersions(a, b)
  const fold = (text: string): string => (flags.includes('f') ? text.toUpperCase() : text)
  const only = (text: string): string => (flags.includes('d') ? text.replace(/[^\w\s]/g, '') : text)
  const [x, y] = [only(fold(a)), only(fold(b))]
  return x < y ? -1 : x > y ? 1 : 0
}

const leadingNumber = (text: string): number => Number(/^\s*-?\d*\.?\d*/.exec(text)?.[0] ?? 0) || 0

function humanSize(text: string): number {
  const found = /^\s*(-?\d*\.?\d*)([KMGTPEZY])?/i.exec(text)
  const power = UNITS.indexOf((found?.[2] ?? '').toUpperCase() || '-') + 1
  return (Number(found?.[1] ?? 0) || 0) * 1024 ** power
}

function compareVersions(a: string, b: string): number {
  const parts = (text: string): string[] => text.match(/\d+|\D+/g) ?? []
  const [x, y] = [parts(a), parts(b)]
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    const [p = '', q = ''] = [x[i], y[i]]
    const order = /^\d/.test(p) && /^\d/.test(q) ? Number(p) - Number(q) : p < q ? -1 : p > q ? 1 : 0
    if (order !== 0) return order
  }
  return 0
}
