/** slabtop: slab caches, largest first, as procps 4.0 prints them. @spec 09 §9.11 */
import type { Tool, ToolContext } from '../process'
import { getOptions, readOperand } from './options'

export const slabtop: Tool = {
  name: 'slabtop',
  summary: 'slab caches of the kernel, again and again',
  usage: 'slabtop [-o] [-d SECONDS] [-s a|b|c|l|v|n|o|p|s|u]',
  async run(context) {
    const long = { once: 'o', delay: 'd', sort: 's' }
    const { flags, values } = await getOptions(context, 'od:s:', long)
    const key = values.get('s') ?? 'o'
    const order = Object.hasOwn(SORT_KEYS, key) ? SORT_KEYS[key] : undefined
    if (order === undefined) {
      await context.warn(`slabtop: invalid sort key '${key}'\n`)
      return 1
    }
    const seconds = Math.max(1, Number(values.get('d') ?? 3))
    for (;;) {
      const text = await readOperand(context, '/proc/slabinfo')
      if (text === undefined) return 1
      const page = slabtopText(parseSlabinfo(text), order)
      if (flags.has('o')) {
        await context.print(page)
        return 0
      }
      await context.print(`\x1b[H\x1b[2J${fit(page, context.size)}`)
      if (!(await context.sys.sleep(context.pid, Math.round(seconds * 1e9)))) return 1
      context.doom.check()
    }
  },
}

const fit = (text: string, size: ToolContext['size']): string =>
  text
    .split('\n')
    .slice(0, size.rows - 1)
    .map((line) => line.slice(0, size.columns))
    .join('\n')

export interface SlabRow {
  readonly name: string
  readonly active: number
  readonly objects: number
  readonly sizeBytes: number
  readonly perSlab: number
  readonly pagesPerSlab: number
  readonly activeSlabs: number
  readonly slabs: number
}

/** Rows of /proc/slabinfo. */
export function parseSlabinfo(text: string): SlabRow[] {
  const rows: SlabRow[] = []
  for (const line of text.split('\n').slice(2)) {
    const words = line.split(/\s+/)
    const at = words.indexOf('slabdata')
    if (at < 0) continue
    const [active = 0, objects = 0, sizeBytes = 0, perSlab = 0, pagesPerSlab = 0] = words.slice(1).map(Number)
    const [activeSlabs = 0, slabs = 0] = words.slice(at + 1).map(Number)
    rows.push({ name: words[0]!, active, objects, sizeBytes, perSlab, pagesPerSlab, activeSlabs, slabs })
  }
  return rows
}

const cacheKib = (row: SlabRow): number => row.slabs * row.pagesPerSlab * 4
const usePercent = (row: SlabRow): number => (row.objects === 0 ? 0 : Math.floor((100 * row.active) / row.objects))

/** Keys of -s; every one but the name puts the largest first. */
const SORT_KEYS: Readonly<Record<string, (a: SlabRow, b: SlabRow) => number>> = {
  a: (a, b) => b.active - a.active,
  b: (a, b) => b.perSlab - a.perSlab,
  c: (a, b) => cacheKib(b) - cacheKib(a),
  l: (a, b) => b.slabs - a.slabs,
  v: (a, b) => b.activeSlabs - a.activeSlabs,
  n: (a, b) => (a.name < b.name ? -1 : 1),
  o: (a, b) => b.objects - a.objects,
  p: (a, b) => b.pagesPerSlab - a.pagesPerSlab,
  s: (a, b) => b.sizeBytes - a.sizeBytes,
  u: (a, b) => usePercent(b) - usePercent(a),
}

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(2)}K`
const share = (part: number, whole: number): string => (whole === 0 ? '0.0' : ((100 * part) / whole).toFixed(1))

/** The whole page: five lines of totals, an empty one, the table. */
export function slabtopText(rows: readonly SlabRow[], order: (a: SlabRow, b: SlabRow) => number): string {
  const sum = (pick: (row: SlabRow) => number): number => rows.reduce((total, row) => total + pick(row), 0)
  const used = rows.filter((row) => row.objects > 0)
  const active = sum((row) => row.active)
  const objects = sum((row) => row.objects)
  const activeSlabs = sum((row) => row.activeSlabs)
  const slabs = sum((row) => row.slabs)
  const activeBytes = sum((row) => row.active * row.sizeBytes)
  const bytes = sum((row) => row.objects * row.sizeBytes)
  const sizes = rows.map((row) => row.sizeBytes)
  const smallest = sizes.reduce((a, b) => Math.min(a, b), Infinity)
  const largest = sizes.reduce((a, b) => Math.max(a, b), 0)
  const average = objects === 0 ? 0 : bytes / objects
  const head = [
    ` Active / Total Objects (% used)    : ${active} / ${objects} (${share(active, objects)}%)`,
    ` Active / Total Slabs (% used)      : ${activeSlabs} / ${slabs} (${share(activeSlabs, slabs)}%)`,
    ` Active / Total Caches (% used)     : ${used.length} / ${rows.length} (${share(used.length, rows.length)}%)`,
    ` Active / Total Size (% used)       : ${kib(activeBytes)} / ${kib(bytes)} (${share(activeBytes, bytes)}%)`,
    ` Minimum / Average / Maximum Object : ${kib(rows.length === 0 ? 0 : smallest)} / ${kib(average)} / ${kib(largest)}`,
    '',
    '  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME',
  ]
  const lines = [...rows].sort(order).map(tableRow)
  return `${[...head, ...lines].join('\n')}\n`
}

function tableRow(row: SlabRow): string {
  const pad = (value: number | string, width: number): string => String(value).padStart(width)
  return (
    `${pad(row.objects, 6)} ${pad(row.active, 6)} ${pad(usePercent(row), 3)}% ${pad(kib(row.sizeBytes), 8)}` +
    ` ${pad(row.slabs, 6)} ${pad(row.perSlab, 8)} ${pad(cacheKib(row), 9)}K ${row.name.padEnd(23)}`
  )
}
