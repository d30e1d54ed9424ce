/**
 * perf.data: what `perf record` wrote and `perf script` reads. A file in the machine, so it takes page cache and can be
 * copied; its text is ours: perf's own is binary. First the mark, then a header, then an event a line.
 */
import { TRACEPOINTS, type Tracepoint } from '../../engine/trace'
import type { TraceEvent } from '../sys'
import { linesOf } from './options'

/** The first bytes of perf's own files, too. */
const MAGIC = 'PERFILE2'

export interface PerfHeader {
  readonly hostname: string
  readonly release: string
  readonly cmdline: string
  readonly events: readonly Tracepoint[]
  /** Events that found no room. */
  readonly lost: number
}

/** The fields of a line, in its order. */
type Row = readonly [
  event: number,
  atNs: number,
  pid: number,
  cpu: number,
  comm: string,
  args: readonly number[],
  text: string,
]

export type PerfSample = Omit<TraceEvent, 'usage'>

export function writePerfData(header: PerfHeader, samples: readonly PerfSample[]): string {
  const lines = samples.map(({ name, atNs, pid, cpu, comm, args, text }) =>
    JSON.stringify([header.events.indexOf(name), atNs, pid, cpu, comm, args, text] satisfies Row),
  )
  return `${[MAGIC, JSON.stringify(header), ...lines].join('\n')}\n`
}

/** undefined when the file is none of perf's. */
export function readPerfData(text: string): { header: PerfHeader; samples: PerfSample[] } | undefined {
  const [magic, head = '', ...rows] = linesOf(text)
  if (magic !== MAGIC) return undefined
  try {
    const header = JSON.parse(head) as PerfHeader
    if (!header.events.every((name) => Object.hasOwn(TRACEPOINTS, name))) return undefined
    const samples = rows.map((row) => {
      const [event, atNs, pid, cpu, comm, args, said] = JSON.parse(row) as Row
      return { name: header.events[event]!, atNs, pid, cpu, comm, args, text: said }
    })
    return { header, samples }
  } catch {
    return undefined
  }
}
