/** `mm sample OUT INTERVAL MAX FIELD…`: reads fields of pseudo-files at an interval and writes them as a table at the end. */
import type { ProgramData } from '../../engine/task'
import type { Step, StepData } from '../steps'
import { MB } from './options'

interface Field {
  readonly path: string
  readonly key: string
  readonly kind: 'value' | 'psi' | 'zone'
  readonly title: string
}

interface SampleData extends StepData {
  readonly out: string
  readonly intervalNs: number
  readonly max: number
  readonly fields: readonly Field[]
  /** Distinct paths in order of first use. */
  readonly paths: readonly string[]
  texts: string[]
  /** Next path to read in this round. */
  next: number
  round: number
  startNs: number
  roundNs: number
  table: string
}

/** `PATH`, `PATH:key`, `psi:PATH:some|full`, `zone:NODE:ZONE` */
function parseField(text: string): Field {
  if (text.startsWith('zone:')) {
    const [, node = '', zone = ''] = text.split(':')
    return { path: '/proc/zoneinfo', key: `Node ${node}, zone ${zone.padStart(8)}\n`, kind: 'zone', title: text }
  }
  const isPsi = text.startsWith('psi:')
  const body = isPsi ? text.slice(4) : text
  const colon = body.indexOf(':')
  const path = colon < 0 ? body : body.slice(0, colon)
  return { path, key: colon < 0 ? '' : body.slice(colon + 1), kind: isPsi ? 'psi' : 'value', title: titleOf(text) }
}

function titleOf(text: string): string {
  if (text.startsWith('/proc/vmstat:')) return text.slice(13)
  if (text.startsWith('/sys/fs/cgroup/')) return text.slice(15)
  if (text.startsWith('psi:/sys/fs/cgroup/')) return `psi:${text.slice(19)}`
  return text
}

const FIELDS_MAX = 128
const TABLE_MAX = 6 * MB - 4096

export function createSample(args: readonly string[]): ProgramData | undefined {
  const [out, interval, max, ...fields] = args
  if (out === undefined || interval === undefined || max === undefined) return undefined
  const parsed = fields.slice(0, FIELDS_MAX).map(parseField)
  const data: SampleData = {
    pc: 0,
    status: 0,
    out,
    intervalNs: Number.parseInt(interval, 10) * 1e6,
    max: Number.parseInt(max, 10),
    fields: parsed,
    paths: [...new Set(parsed.map((f) => f.path))],
    texts: [],
    next: 0,
    round: 0,
    startNs: 0,
    roundNs: 0,
    table: `ms${parsed.map((f) => `\t${f.title}`).join('')}\n`,
  }
  return data
}

const leadingInteger = (text: string): number => {
  const match = /^\s*[-+]?\d+/.exec(text)
  return match === null ? 0 : Number(match[0])
}

/** −1 when the file or the key is missing. */
export function fieldValue(field: Field, text: string): number {
  if (text === '') return -1
  if (field.kind === 'zone') {
    const at = text.indexOf(field.key)
    const free = at < 0 ? -1 : text.indexOf('pages free', at)
    return free < 0 ? -1 : leadingInteger(text.slice(free + 10, free + 40))
  }
  if (field.key === '') return leadingInteger(text)
  for (const line of text.split('\n')) {
    const rest = line.slice(field.key.length)
    if (!line.startsWith(field.key) || !/^[ :\t]/.test(rest)) continue
    if (field.kind === 'psi') {
      const total = /total=(\d+)/.exec(line)
      return total === null ? -1 : Number(total[1])
    }
    return leadingInteger(rest.replace(/^[ :\t]+/, ''))
  }
  return -1
}

function row(d: SampleData): string {
  const values = d.fields.map((f) => fieldValue(f, d.texts[d.paths.indexOf(f.path)] ?? ''))
  return `${Math.round(d.roundNs / 1e6)}${values.map((v) => `\t${v}`).join('')}\n`
}

const RW = 3
const POPULATED_PRIVATE_ANON = 0x8022

export const sampleSteps: readonly Step<SampleData>[] = [
  () => ({ op: 'catchSignals' }),
  () => ({ op: 'writeFile', path: '/proc/self/oom_score_adj', text: '-1000' }),
  () => ({ op: 'mmap', length: 6 * MB, prot: RW, flags: POPULATED_PRIVATE_ANON }),
  () => ({ op: 'mlockall', current: true, future: false }),
  (d, view) => {
    d.startNs = view.nowNs
    return undefined
  },
  // One round: wait for its time, read every file, add a row.
  (d, view) => {
    const isOver = (d.max > 0 && d.round >= d.max) || view.signalled || d.table.length >= TABLE_MAX
    if (isOver) {
      d.pc += 3
      return undefined
    }
    const waitNs = d.startNs + d.round * d.intervalNs - view.nowNs
    return waitNs > 0 ? { op: 'sleep', ns: waitNs } : undefined
  },
  (d, view) => {
    d.roundNs = view.nowNs
    d.next = 0
    return undefined
  },
  (d) => {
    const path = d.paths[d.next]
    return path === undefined ? undefined : { op: 'readFile', path }
  },
  (d, view) => {
    if (d.next < d.paths.length) {
      d.texts[d.next++] = view.errno === undefined ? view.text : ''
      if (d.next < d.paths.length) {
        d.pc -= 2
        return undefined
      }
    }
    d.table += row(d)
    d.round++
    d.pc -= 4
    return undefined
  },
  (d) => {
    const text = d.table
    d.table = ''
    return { op: 'writeFile', path: d.out, text, create: true }
  },
]
