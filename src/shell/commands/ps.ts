/** ps: the tasks of the machine. */
import { formatDate } from '../calendar'
import type { Tool, ToolContext } from '../process'
import { isTty } from '../stream'
import { readMeminfo } from './numbers'
import { fail } from './options'
import { clock, commandOf, readTasks, type TaskRow } from './tasks'

interface Facts {
  readonly nowNs: number
  readonly bootEpochMs: number
  readonly memTotalKib: number
}

interface Column {
  readonly title: string
  readonly width: number
  readonly left?: true
  readonly value: (row: TaskRow, facts: Facts) => string
}

const column = (title: string, width: number, value: Column['value']): Column => ({ title, width, value })
const leftColumn = (title: string, width: number, value: Column['value']): Column => ({
  title,
  width,
  left: true,
  value,
})

const cpuShare = (row: TaskRow, facts: Facts): number => {
  const lived = facts.nowNs / 1e7 - row.startTicks
  return lived <= 0 ? 0 : (100 * (row.utime + row.stime)) / lived
}

const started = (row: TaskRow, facts: Facts): string => formatDate('%H:%M', facts.bootEpochMs + row.startTicks * 10)

const COLUMNS: Readonly<Record<string, Column>> = {
  pid: column('PID', 7, (r) => String(r.pid)),
  ppid: column('PPID', 7, (r) => String(r.ppid)),
  user: leftColumn('USER', 8, () => 'root'),
  uid: leftColumn('UID', 8, () => 'root'),
  comm: leftColumn('COMMAND', 15, (r) => r.comm),
  ucmd: leftColumn('CMD', 15, (r) => r.comm),
  args: leftColumn('COMMAND', 27, commandOf),
  cmd: leftColumn('CMD', 27, commandOf),
  command: leftColumn('COMMAND', 27, commandOf),
  stat: leftColumn('STAT', 4, (r) => r.state),
  s: leftColumn('S', 1, (r) => r.state),
  state: leftColumn('S', 1, (r) => r.state),
  rss: column('RSS', 6, (r) => String(r.rssKib)),
  rsz: column('RSZ', 6, (r) => String(r.rssKib)),
  vsz: column('VSZ', 7, (r) => String(r.vszKib)),
  '%mem': column('%MEM', 4, (r, f) => ((100 * r.rssKib) / Math.max(1, f.memTotalKib)).toFixed(1)),
  '%cpu': column('%CPU', 4, (r, f) => cpuShare(r, f).toFixed(1)),
  pmem: column('%MEM', 4, (r, f) => ((100 * r.rssKib) / Math.max(1, f.memTotalKib)).toFixed(1)),
  pcpu: column('%CPU', 4, (r, f) => cpuShare(r, f).toFixed(1)),
  c: column('C', 2, (r, f) => String(Math.floor(cpuShare(r, f)))),
  min_flt: column('MINFL', 6, (r) => String(r.minflt)),
  maj_flt: column('MAJFL', 6, (r) => String(r.majflt)),
  time: column('TIME', 8, (r) => clock(r.utime + r.stime, true)),
  bsdtime: column('TIME', 6, (r) => clock(r.utime + r.stime, false)),
  start: leftColumn('START', 5, started),
  stime: column('STIME', 5, started),
  tty: leftColumn('TTY', 8, () => '?'),
  tname: leftColumn('TTY', 8, () => '?'),
  psr: column('PSR', 3, (r) => String(r.cpu)),
  pri: column('PRI', 3, (r) => String(r.priority)),
  ni: column('NI', 3, (r) => String(r.nice)),
}

const FORMATS = {
  plain: ['pid', 'tname', 'time', 'ucmd'],
  full: ['uid', 'pid', 'ppid', 'c', 'stime', 'tname', 'time', 'cmd'],
  user: ['user', 'pid', '%cpu', '%mem', 'vsz', 'rss', 'tname', 'stat', 'start', 'bsdtime', 'command'],
  bsd: ['pid', 'tname', 'stat', 'bsdtime', 'command'],
} as const

export const ps: Tool = {
  name: 'ps',
  summary: 'lists tasks',
  usage: 'ps [aux | -e | -ef] [-o COLUMN[=TITLE],...] [-p PID,...] [-C NAME] [--sort [-]COLUMN] [--no-headers]',
  run: runPs,
}

interface Request {
  columns: { key: string; title: string | undefined }[]
  all: boolean
  noHeader: boolean
  pids: number[]
  names: string[]
  sort: string | undefined
}

async function runPs(context: ToolContext): Promise<number> {
  const request = await parseRequest(context)
  const own = context.sys.read(context.pid, `/proc/${context.pid}/stat`)
  const shell = own.ok ? Number(own.value.slice(own.value.lastIndexOf(')') + 4).split(' ')[0]) : 0
  const meminfo = await readMeminfo(context)
  const facts: Facts = {
    nowNs: context.sys.now(),
    bootEpochMs: context.sys.bootEpochMs,
    memTotalKib: meminfo?.get('MemTotal') ?? 0,
  }
  let rows = readTasks(context).filter((row) => {
    if (request.pids.length > 0 || request.names.length > 0)
      return request.pids.includes(row.pid) || request.names.includes(row.comm)
    return request.all || row.pid === context.pid || row.pid === shell || row.ppid === shell
  })
  if (request.sort !== undefined) rows = sorted(rows, request.sort, facts)
  const width = isTty(context.fds.get(1)) ? context.size.columns : Infinity
  await context.print(layout(rows, request, facts, width))
  return rows.length > 0 ? 0 : 1
}

async function parseRequest(context: ToolContext): Promise<Request> {
  const request: Request = { columns: [], all: false, noHeader: false, pids: [], names: [], sort: undefined }
  const rest = [...context.args]
  const use = (keys: readonly string[]): void => {
    if (request.columns.length === 0) request.columns = keys.map((key) => ({ key, title: undefined }))
  }
  const pids = (list: string): void => void request.pids.push(...list.split(/[\s,]+/).map(Number))
  let later: readonly string[] | undefined
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--no-headers' || arg === '--no-heading') request.noHeader = true
    else if (arg.startsWith('--sort')) request.sort = arg.includes('=') ? arg.slice(arg.indexOf('=') + 1) : rest.shift()
    else if (/^-?[eAfFax]*o/.test(arg) && (arg.startsWith('-') || arg === 'o')) {
      const spec = arg.slice(arg.indexOf('o') + 1) || (rest.shift() ?? '')
      request.all ||= /[eA]/.test(arg.slice(0, arg.indexOf('o')))
      request.columns.push(...parseColumns(spec))
    } else if (/^-[eAfFl]+$/.test(arg)) {
      request.all ||= /[eA]/.test(arg)
      if (/[fF]/.test(arg)) later = FORMATS.full
    } else if (arg === '-p' || arg === 'p' || arg === '--pid') pids(rest.shift() ?? '')
    else if (/^\d+(,\d+)*$/.test(arg)) pids(arg)
    else if (arg === '-C') request.names.push(...(rest.shift() ?? '').split(','))
    else if (/^[auxwef]+$/.test(arg)) {
      request.all ||= /[ax]/.test(arg)
      later = arg.includes('u') ? FORMATS.user : FORMATS.bsd
    } else return fail(context, `unsupported option: ${arg}`)
  }
  use(later ?? FORMATS.plain)
  for (const { key } of request.columns)
    if (!Object.hasOwn(COLUMNS, key)) return fail(context, `unknown user-defined format specifier "${key}"`)
  return request
}

/** `pid,comm=NAME`: a title after `=` goes to the end of the argument. */
function parseColumns(spec: string): Request['columns'] {
  const columns: Request['columns'] = []
  let rest = spec
  while (rest !== '') {
    const found = /^([^,=\s]+)(=?)/.exec(rest)
    if (found === null) {
      rest = rest.slice(1)
      continue
    }
    const [whole, key = '', equals] = found
    const title = equals === '' ? undefined : rest.slice(whole.length).split(',')[0]
    columns.push({ key, title })
    rest = rest.slice(whole.length + (title ?? '').length + 1)
  }
  return columns
}

function sorted(rows: readonly TaskRow[], spec: string, facts: Facts): TaskRow[] {
  const keys = spec.split(',').map((key) => ({ key: key.replace(/^[-+]/, ''), sign: key.startsWith('-') ? -1 : 1 }))
  const order = (a: string, b: string): number => {
    const [x, y] = [Number(a), Number(b)]
    if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y
    return a < b ? -1 : a > b ? 1 : 0
  }
  return [...rows].sort((a, b) => {
    for (const { key, sign } of keys) {
      const value = COLUMNS[key]?.value
      const difference = value === undefined ? 0 : sign * order(value(a, facts), value(b, facts))
      if (difference !== 0) return difference
    }
    return a.pid - b.pid
  })
}

function layout(rows: readonly TaskRow[], request: Request, facts: Facts, width: number): string {
  const chosen = request.columns.map(({ key, title }) => ({
    ...(COLUMNS[key] ?? column(key, 1, () => '')),
    ...(title === undefined ? {} : { title }),
  }))
  const hasTitles = !request.noHeader && chosen.some(({ title }) => title !== '')
  const cell = (text: string, { width: w, title, left }: Column, isLast: boolean): string => {
    const room = Math.max(w, title.length)
    if (left) return isLast ? text : text.slice(0, room).padEnd(room)
    return text.padStart(room)
  }
  const line = (text: (c: Column) => string): string =>
    chosen
      .map((c, i) => cell(text(c), c, i === chosen.length - 1))
      .join(' ')
      .slice(0, width)
  const header = hasTitles ? `${line((c) => c.title)}\n` : ''
  return header + rows.map((row) => `${line((c) => c.value(row, facts))}\n`).join('')
}
