/** numastat: allocations and memory by node. @spec 09 §9.10 */
import { strerror } from '../../util/errno'
import type { Tool, ToolContext } from '../process'
import { isTty } from '../stream'
import { nodeMeminfo, nodeNumbers, readNodeFile, readText } from './nodes'
import { getOptions, warn } from './options'

const COUNTERS = ['numa_hit', 'numa_miss', 'numa_foreign', 'interleave_hit', 'local_node', 'other_node'] as const

/** Rows of -m in numastat's own order; a node that lacks one has no such row. */
const MEMINFO = [
  ...['MemTotal', 'MemFree', 'MemUsed', 'SwapCached', 'Active', 'Inactive', 'Active(anon)', 'Inactive(anon)'],
  ...['Active(file)', 'Inactive(file)', 'Unevictable', 'Mlocked', 'Dirty', 'Writeback', 'FilePages', 'Mapped'],
  ...['AnonPages', 'Shmem', 'KernelStack', 'PageTables', 'SecPageTables', 'NFS_Unstable', 'Bounce', 'WritebackTmp'],
  ...['Slab', 'SReclaimable', 'SUnreclaim', 'AnonHugePages', 'ShmemHugePages', 'ShmemPmdMapped', 'FileHugePages'],
  ...['FilePmdMapped', 'HugePages_Total', 'HugePages_Free', 'HugePages_Surp', 'KReclaimable'],
]

const MIB = 1024 * 1024
const KIB_PER_MIB = 1024
const COLUMN = 16
/** Columns fold at the width of a terminal; a pipe or a file gets one long line. */
const TERMINAL_WIDTH = 80

interface Row {
  readonly label: string
  /** One value a column; '-' draws a rule. */
  readonly cells: readonly (number | '-')[]
}

interface Table {
  readonly headers: readonly string[]
  readonly hasRule: boolean
  readonly labelWidth: number
  readonly decimals: number
  readonly rows: readonly Row[]
}

export const numastat: Tool = {
  name: 'numastat',
  summary: 'hits and misses of every NUMA node, and memory of nodes and processes by node',
  usage: 'numastat [-m] [-n] [-p PID | PATTERN] [PID | PATTERN]...',
  async run(context) {
    const width = isTty(context.fds.get(1)) ? TERMINAL_WIDTH : Infinity
    const nodes = nodeNumbers(context)
    if (context.args.length === 0) {
      await print(context, compatible(context, nodes), width)
      return 0
    }
    const { flags, values, operands } = await getOptions(context, 'mnp:')
    const wanted = [...(values.has('p') ? [values.get('p')!] : []), ...operands]
    const pids: number[] = []
    for (const word of wanted) pids.push(...(await processesOf(context, word)))
    const unique = [...new Set(pids)].sort((a, b) => a - b)
    const status = unique.length > 0 ? await processTables(context, nodes, unique, width) : 0
    if (flags.has('m')) {
      await context.print('\nPer-node system memory usage (in MBs):\n')
      await print(context, systemTable(context, nodes), width)
    }
    if (flags.has('n') || (unique.length === 0 && !flags.has('m'))) {
      await context.print('\nPer-node numastat info (in MBs):\n')
      await print(context, counterTable(context, nodes), width)
    }
    return status
  },
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const withTotal = (values: readonly number[]): number[] => [...values, sum(values)]
const headersOf = (nodes: readonly number[]): string[] => [...nodes.map((nid) => `Node ${nid}`), 'Total']

function counter(context: ToolContext, nid: number, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(readNodeFile(context, nid, 'numastat'))?.[1] ?? 0)
}

/** Without arguments: the layout of the first numastat, in pages and without totals. */
function compatible(context: ToolContext, nodes: readonly number[]): Table {
  const rows = COUNTERS.map((label) => ({ label, cells: nodes.map((nid) => counter(context, nid, label)) }))
  return { headers: nodes.map((nid) => `node${nid}`), hasRule: false, labelWidth: COLUMN, decimals: 0, rows }
}

const capitalized = (name: string): string => name.replace(/(?:^|_)[a-z]/g, (letters) => letters.toUpperCase())

function counterTable(context: ToolContext, nodes: readonly number[]): Table {
  const rows = COUNTERS.map((name) => ({
    label: capitalized(name),
    cells: withTotal(nodes.map((nid) => (counter(context, nid, name) * 4096) / MIB)),
  }))
  return { headers: headersOf(nodes), hasRule: true, labelWidth: COLUMN, decimals: 2, rows }
}

function systemTable(context: ToolContext, nodes: readonly number[]): Table {
  const infos = nodes.map((nid) => nodeMeminfo(context, nid))
  const rows = MEMINFO.filter((label) => infos.some((info) => info.has(label))).map((label) => ({
    label,
    // A huge page is 2 MiB.
    cells: withTotal(
      infos.map((info) =>
        label.startsWith('HugePages') ? (info.get(label) ?? 0) * 2 : (info.get(label) ?? 0) / KIB_PER_MIB,
      ),
    ),
  }))
  return { headers: headersOf(nodes), hasRule: true, labelWidth: COLUMN, decimals: 2, rows }
}

/** A pid, or every process whose name or command line contains the text. */
async function processesOf(context: ToolContext, word: string): Promise<number[]> {
  if (/^\d+$/.test(word)) return [Number(word)]
  const listed = context.sys.list(context.pid, '/proc')
  const pids = (listed.ok ? listed.value : []).filter((name) => /^\d+$/.test(name)).map(Number)
  const found = pids.filter((pid) => {
    const text = `${nameOf(context, pid)} ${readText(context, `/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`
    return pid !== context.pid && text.includes(word)
  })
  if (found.length === 0) await context.print(`Found no processes containing pattern: "${word}"\n`)
  return found
}

const nameOf = (context: ToolContext, pid: number): string =>
  /^Name:\s*(.*)$/m.exec(readText(context, `/proc/${pid}/status`))?.[1] ?? '(null)'

const CATEGORIES = ['Huge', 'Heap', 'Stack', 'Private'] as const

/** MiB of one process: category by node. undefined after the message when its numa_maps cannot be read. */
async function usageOf(context: ToolContext, nodes: readonly number[], pid: number): Promise<number[][] | undefined> {
  const maps = context.sys.read(context.pid, `/proc/${pid}/numa_maps`)
  if (!maps.ok) {
    await warn(context, `Can't read /proc/${pid}/numa_maps: ${strerror(maps.error.errno)}`)
    return undefined
  }
  const usage = CATEGORIES.map(() => nodes.map(() => 0))
  for (const line of maps.value.split('\n')) {
    const words = line.split(' ')
    const special = CATEGORIES.findIndex((c) => words.includes(c.toLowerCase()))
    const category = special < 0 ? CATEGORIES.length - 1 : special
    for (const [, nid, pages] of line.matchAll(/ N(\d+)=(\d+)/g)) {
      usage[category]![nodes.indexOf(Number(nid))]! += (Number(pages) * (category === 0 ? 2 * MIB : 4096)) / MIB
    }
  }
  return usage
}

/** One process: its categories. Several: a row each. Both end with a rule and the total. */
async function processTables(
  context: ToolContext,
  nodes: readonly number[],
  pids: readonly number[],
  width: number,
): Promise<number> {
  const rows: Row[] = []
  const [only] = pids
  for (const pid of pids) {
    const usage = await usageOf(context, nodes, pid)
    if (usage === undefined) continue
    if (pids.length === 1) usage.forEach((cells, i) => rows.push({ label: CATEGORIES[i]!, cells: withTotal(cells) }))
    else
      rows.push({
        label: `${pid} (${nameOf(context, pid)})`,
        cells: withTotal(nodes.map((_, i) => sum(usage.map((category) => category[i]!)))),
      })
  }
  const columns = headersOf(nodes)
  const totals = columns.map((_, i) => sum(rows.map((row) => Number(row.cells[i]))))
  const rule = { label: '-', cells: columns.map(() => '-' as const) }
  const labels = [...rows.map((row) => row.label.length), COLUMN]
  const labelWidth = Math.min(Math.max(...labels) + 1, 24)
  const which = pids.length === 1 ? ` for PID ${only} (${nameOf(context, only!)})` : ''
  await context.print(`\nPer-node process memory usage (in MBs)${which}\n`)
  const table = { headers: columns, hasRule: true, labelWidth, decimals: 2 }
  await print(context, { ...table, rows: [...rows, rule, { label: 'Total', cells: totals }] }, width, pids.length > 1)
  return rows.length > 0 ? 0 : 1
}

/** Label column left, the others right; columns that do not fit follow below in a table of their own. */
async function print(context: ToolContext, table: Table, width: number, isPidTable = false): Promise<void> {
  const perSection = Math.max(1, Math.floor((width - table.labelWidth) / COLUMN))
  const label = (text: string): string =>
    (text === '-' ? '-'.repeat(table.labelWidth - 1) : text).slice(0, table.labelWidth).padEnd(table.labelWidth)
  const cell = (value: number | string): string =>
    (value === '-'
      ? '-'.repeat(COLUMN - 1)
      : typeof value === 'number'
        ? value.toFixed(table.decimals)
        : value
    ).padStart(COLUMN)
  for (let first = 0; first < table.headers.length; first += perSection) {
    const part = <T>(cells: readonly T[]): readonly T[] => cells.slice(first, first + perSection)
    const lines = [`${label(isPidTable ? 'PID' : '')}${part(table.headers).map(cell).join('')}`]
    if (table.hasRule)
      lines.push(
        `${label(isPidTable ? '-' : '')}${part(table.headers)
          .map(() => cell('-'))
          .join('')}`,
      )
    for (const row of table.rows) lines.push(`${label(row.label)}${part(row.cells).map(cell).join('')}`)
    await context.print(`${first > 0 ? '\n' : ''}${lines.join('\n')}\n`)
  }
}
