/** pmap: the mappings of processes, as procps 4.0 prints them. Made from /proc/PID/maps, with -x and -X from smaps. */
import type { Tool, ToolContext } from '../process'
import { getOptions, linesOf, warn } from './options'

/** Some of the processes asked for are not there. @kernel procps pmap(1), EXIT STATUS */
const NOT_ALL_FOUND = 42
const PAGE_KIB = 1024

/** A line of maps with the rows that follow it in smaps. */
interface Mapping {
  readonly start: string
  readonly end: string
  readonly perms: string
  readonly offset: string
  readonly device: string
  readonly inode: string
  readonly name: string
  /** In the file's order; values are kB, but for THPeligible and ProtectionKey. */
  readonly rows: [name: string, value: string][]
  vmFlags: string
}

const MAP_LINE = /^([0-9a-f]+)-([0-9a-f]+) (\S+) ([0-9a-f]+) (\S+) (\d+)\s*(.*)$/

/** maps or smaps as mappings. */
export function parseMaps(text: string): Mapping[] {
  const mappings: Mapping[] = []
  for (const line of linesOf(text)) {
    const [, start = '', end = '', perms = '', offset = '', device = '', inode = '', name = ''] =
      MAP_LINE.exec(line) ?? []
    if (start !== '') {
      mappings.push({ start, end, perms, offset, device, inode, name, rows: [], vmFlags: '' })
      continue
    }
    const [, field = '', value = ''] = /^(\w+):\s+(.*?)(?: kB)?\s*$/.exec(line) ?? []
    const mapping = mappings.at(-1)
    if (field === 'VmFlags' && mapping !== undefined) mapping.vmFlags = value
    else if (field !== '') mapping?.rows.push([field, value])
  }
  return mappings
}

const bytesOf = ({ start, end }: Mapping): number => parseInt(end, 16) - parseInt(start, 16)
const kibOf = (mapping: Mapping): number => Math.floor(bytesOf(mapping) / PAGE_KIB)
const valueOf = (mapping: Mapping, field: string): number =>
  Number(mapping.rows.find(([name]) => name === field)?.[1] ?? 0)
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** `rw---`, `r-xs-`: a private mapping shows no letter, and the last place is never used on Linux. */
const modeOf = ({ perms }: Mapping): string => `${perms.slice(0, 3)}${perms[3] === 's' ? 's' : '-'}-`

interface Style {
  readonly quiet: boolean
  /** -p: the file's whole path. */
  readonly path: boolean
  /** -k: the kernel's own names of mappings without a file. */
  readonly kernelNames: boolean
}

function nameOf(mapping: Mapping, style: Style): string {
  const { name } = mapping
  if (name.includes('/')) return style.path ? name : name.slice(name.lastIndexOf('/') + 1)
  if (style.kernelNames && name.startsWith('[')) return name
  return name === '[stack]' ? '  [ stack ]' : '  [ anon ]'
}

const address = (mapping: Mapping): string => mapping.start.padStart(16, '0')

function plain(mappings: readonly Mapping[], style: Style): string {
  const lines = mappings.map((m) => `${address(m)} ${String(kibOf(m)).padStart(6)}K ${modeOf(m)} ${nameOf(m, style)}\n`)
  if (!style.quiet) lines.push(` total ${String(sum(mappings.map(kibOf))).padStart(16)}K\n`)
  return lines.join('')
}

const dirtyOf = (m: Mapping): number => valueOf(m, 'Private_Dirty') + valueOf(m, 'Shared_Dirty')

/** -x */
function extended(mappings: readonly Mapping[], style: Style): string {
  const cell = (value: number | string): string => String(value).padStart(7)
  const lines = mappings.map((m) => {
    const cells = [kibOf(m), valueOf(m, 'Rss'), dirtyOf(m)].map(cell).join(' ')
    return `${address(m)} ${cells} ${modeOf(m)} ${nameOf(m, style)}\n`
  })
  if (style.quiet) return lines.join('')
  const totals = [kibOf, (m: Mapping) => valueOf(m, 'Rss'), dirtyOf].map((of) => cell(sum(mappings.map(of))))
  return (
    `${'Address'.padEnd(16)} ${cell('Kbytes')} ${cell('RSS')} ${cell('Dirty')} Mode  Mapping\n${lines.join('')}` +
    `${'-'.repeat(16)} ${'------- '.repeat(3)}\n${'total kB'.padEnd(16)} ${totals.join(' ')}\n`
  )
}

/** -d */
function devices(mappings: readonly Mapping[], style: Style): string {
  const lines = mappings.map((m) => {
    const [major = '0', minor = '0'] = m.device.split(':')
    const device = `${parseInt(major, 16).toString(16).padStart(3, '0')}:${parseInt(minor, 16).toString(16).padStart(5, '0')}`
    return `${address(m)} ${String(kibOf(m)).padStart(7)} ${modeOf(m)} ${m.offset.padStart(16, '0')} ${device} ${nameOf(m, style)}\n`
  })
  if (style.quiet) return lines.join('')
  const kib = (wanted: (m: Mapping) => boolean): number => sum(mappings.filter(wanted).map(kibOf))
  const isShared = (m: Mapping): boolean => m.perms[3] === 's'
  return (
    `${'Address'.padEnd(16)} ${'Kbytes'.padStart(7)} Mode  ${'Offset'.padEnd(16)} ${'Device'.padEnd(9)} Mapping\n` +
    `${lines.join('')}mapped: ${kib(() => true)}K    writeable/private: ${kib((m) => !isShared(m) && m.perms[1] === 'w')}K` +
    `    shared: ${kib(isShared)}K\n`
  )
}

/** What -X leaves out of smaps and -XX does not. */
const UNIMPORTANT: ReadonlySet<string> = new Set([
  ...['AnonHugePages', 'KernelPageSize', 'MMUPageSize', 'Shared_Dirty', 'Private_Dirty', 'Shared_Clean'],
  'Private_Clean',
])

interface Column {
  readonly title: string
  readonly cells: readonly string[]
  /** Under the rule, for columns that add up. */
  readonly total?: number
}

/** -X, and with `all` -XX: one column a row of smaps, as wide as its widest cell. */
function allColumns(mappings: readonly Mapping[], style: Style, all: boolean): string {
  const column = (title: string, of: (m: Mapping) => string): Column => ({ title, cells: mappings.map(of) })
  const fields = (mappings[0]?.rows ?? []).map(([name]) => name).filter((name) => all || !UNIMPORTANT.has(name))
  const left = [
    column('Address', (m) => m.start),
    column('Perm', (m) => m.perms),
    column('Offset', (m) => m.offset),
    column('Device', (m) => m.device),
    column('Inode', (m) => m.inode),
  ]
  const middle = fields.map((name) => ({
    ...column(name, (m) => String(valueOf(m, name))),
    total: sum(mappings.map((m) => valueOf(m, name))),
  }))
  const right = all ? [column('VmFlags', (m) => m.vmFlags)] : []
  const columns: Column[] = [...left, ...middle, ...right]
  const widthOf = ({ title, cells, total }: Column): number =>
    Math.max(...[...cells, ...(style.quiet ? [] : [title, String(total ?? '')])].map((cell) => cell.length))
  const row = (cellOf: (c: Column) => string): string => columns.map((c) => cellOf(c).padStart(widthOf(c))).join(' ')
  const base = ({ name }: Mapping): string => (style.path ? name : name.slice(name.lastIndexOf('/') + 1))
  const lines = mappings.map((m, i) => `${row((c) => c.cells[i] ?? '')} ${base(m)}\n`)
  if (style.quiet || mappings.length === 0) return lines.join('')
  const gap = ' '.repeat(sum(left.map((c) => widthOf(c) + 1)))
  const rule = middle.map((c) => `${'='.repeat(widthOf(c))} `).join('')
  const totals = middle.map((c) => `${String(c.total).padStart(widthOf(c))} `).join('')
  return `${row((c) => c.title)} Mapping\n${lines.join('')}${gap}${rule}\n${gap}${totals}KB \n`
}

/** `cat file` of a process, `[kswapd0]` of a thread of the kernel. */
function commandOf(context: ToolContext, pid: number): string {
  const text = (name: string): string => {
    const read = context.sys.read(context.pid, `/proc/${pid}/${name}`)
    return read.ok ? read.value : ''
  }
  return text('cmdline').replace(/\0$/, '').replaceAll('\0', ' ') || `[${text('comm').trim()}]`
}

/** How pmap is called; its status is 1. */
async function usage(context: ToolContext): Promise<number> {
  await context.warn(
    '\nUsage:\n pmap [options] PID [PID ...]\n\nOptions:\n' +
      ' -x, --extended              show details\n -X                          show even more details\n' +
      '            WARNING: format changes according to /proc/PID/smaps\n' +
      ' -XX                         show everything the kernel provides\n' +
      ' -d, --device                show the device format\n' +
      ' -q, --quiet                 do not display header and footer\n' +
      ' -p, --show-path             show path in the mapping\n' +
      ' -k, --use-kernel-name       use names provided by kernel\n' +
      ' -A, --range=<low>[,<high>]  limit results to the given range\n\n',
  )
  return 1
}

/** `-A LOW,HIGH`, hexadecimal; one address alone is both. */
function inRange(range: string | undefined): ((mapping: Mapping) => boolean) | undefined {
  if (range === undefined) return () => true
  const [, low = '', comma, high = ''] = /^(?:0x)?([0-9a-f]*)(,)?(?:0x)?([0-9a-f]*)$/i.exec(range) ?? []
  if (range !== '' && low === '' && high === '') return undefined
  const from = low === '' ? 0 : parseInt(low, 16)
  const to = comma === undefined ? from : high === '' ? Infinity : parseInt(high, 16)
  return (m) => parseInt(m.end, 16) > from && parseInt(m.start, 16) <= to
}

const LONG = { extended: 'x', device: 'd', quiet: 'q', 'show-path': 'p', 'use-kernel-name': 'k', range: 'A' }

export const pmap: Tool = {
  name: 'pmap',
  summary: 'the mappings of processes, with what of them is in memory',
  usage: 'pmap [-x | -X | -XX | -d] [-q] [-p] [-k] [-A LOW[,HIGH]] PID...',
  async run(context) {
    const { flags, values, operands } = await getOptions(context, 'xXdqpkA:', LONG)
    if (['x', 'X', 'd'].filter((flag) => flags.has(flag)).length > 1)
      return warn(context, 'options -c, -C, -d, -n, -N, -x, -X are mutually exclusive')
    const isWanted = inRange(values.get('A'))
    if (isWanted === undefined) return warn(context, `failed to parse argument: '${values.get('A')}'`)
    if (operands.length === 0) return context.args.length === 0 ? usage(context) : warn(context, 'argument missing')
    const pids = operands.map((word) => /^(?:\/proc\/)?(\d+)$/.exec(word)?.[1])
    if (pids.some((pid) => pid === undefined || Number(pid) < 1)) return usage(context)
    const isAll = [...context.args.filter((arg) => /^-[a-z]*X/i.test(arg)).join('')].filter((c) => c === 'X').length > 1
    const style: Style = { quiet: flags.has('q'), path: flags.has('p'), kernelNames: flags.has('k') }
    let status = 0
    for (const pid of pids.map(Number)) {
      const file = flags.has('x') || flags.has('X') ? 'smaps' : 'maps'
      const read = context.sys.read(context.pid, `/proc/${pid}/${file}`)
      if (!read.ok) {
        status = NOT_ALL_FOUND
        continue
      }
      const mappings = parseMaps(read.value).filter(isWanted)
      const body = flags.has('X')
        ? allColumns(mappings, style, isAll)
        : flags.has('x')
          ? extended(mappings, style)
          : flags.has('d')
            ? devices(mappings, style)
            : plain(mappings, style)
      await context.print(`${pid}:   ${commandOf(context, pid)}\n${body}`)
    }
    return status
  },
}
