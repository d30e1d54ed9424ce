/**
 * /sys/kernel/tracing: tracepoints switched on by writing, and what they recorded.
 * @kernel      kernel/trace/trace.c, kernel/trace/trace_events.c
 * @simplifies  no tracers, filters, triggers and instances; all CPUs have buffers of one size; trace_pipe ends where a
 *              real reader would wait for more
 */
import type { Errno } from '../../util/errno'
import { NS_PER_S, NS_PER_US } from '../../util/units'
import type { KernelState } from '../state'
import { TRACEPOINTS, TRACEPOINT_NAMES, type Tracepoint } from '../trace'
import { DEFAULT_SIZE_KB, expandTraceBuffers, resizeTraceBuffers, setTraceClock, traceChanged } from '../trace_buffer'
import { tracepointText } from '../trace_print'
import { clearRings, type TraceEntry } from '../trace_ring'
import type { PseudoDir, PseudoFile } from './types'

/** The kernel's own; ours that no kernel has are left to the recorder. */
const NAMES = TRACEPOINT_NAMES.filter((name) => TRACEPOINTS[name].system !== 'pagewalk')
const SYSTEMS = [...new Set(NAMES.map((name) => TRACEPOINTS[name].system))]
const inSystem = (system: string): Tracepoint[] => NAMES.filter((name) => TRACEPOINTS[name].system === system)
const indexOf = (name: Tracepoint): number => TRACEPOINT_NAMES.indexOf(name)

const CLOCKS = ['local', 'global', 'counter', 'uptime', 'perf', 'mono', 'mono_raw', 'boot', 'tai', 'x86-tsc']

// ---------------------------------------------------------------- text of the buffer

const HEADER = `#
#                                _-----=> irqs-off/BH-disabled
#                               / _----=> need-resched
#                              | / _---=> hardirq/softirq
#                              || / _--=> preempt-depth
#                              ||| / _-=> migrate-disable
#                              |||| /     delay
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
`

const stamp = (ns: number): string => {
  const us = Math.floor(ns / NS_PER_US)
  const rest = us % (NS_PER_S / NS_PER_US)
  return `${String((us - rest) / (NS_PER_S / NS_PER_US)).padStart(5)}.${String(rest).padStart(6, '0')}`
}

/** Isolating pages is done under the list's lock, with interrupts off; nothing else that we trace is. */
const flagsOf = (name: Tracepoint): string => (name === 'mm_vmscan_lru_isolate' ? 'd..1.' : '.....')

function line(state: KernelState, cpu: number, entry: TraceEntry): string {
  const name = TRACEPOINT_NAMES[entry.tracepoint]!
  const text = tracepointText(name, { args: entry.args, text: entry.text, series: state.config.series })
  const who = `${entry.comm.padStart(16)}-${String(entry.pid).padEnd(7)} [${String(cpu).padStart(3, '0')}]`
  return `${who} ${flagsOf(name)} ${stamp(entry.atNs)}: ${TRACEPOINTS[name].name}: ${text}\n`
}

/** All events that are still there, of one CPU or of all, oldest first. */
function entries(state: KernelState, only?: number): { readonly cpu: number; readonly entry: TraceEntry }[] {
  const found = state.tracing.rings.flatMap((ring, cpu) =>
    only !== undefined && only !== cpu
      ? []
      : ring.pages.flatMap((page) => page.entries.map((entry) => ({ cpu, entry }))),
  )
  return found.sort((a, b) => a.entry.atNs - b.entry.atNs || a.cpu - b.cpu)
}

const linesOf = (state: KernelState, only?: number): string =>
  entries(state, only)
    .map(({ cpu, entry }) => line(state, cpu, entry))
    .join('')

/** @kernel tracing_open(), print_trace_header() */
function traceText(state: KernelState, only?: number): string {
  const { rings } = state.tracing
  const counted = rings.filter((_, cpu) => only === undefined || only === cpu)
  const there = counted.reduce((sum, ring) => sum + ring.pages.reduce((n, page) => n + page.entries.length, 0), 0)
  const written = counted.reduce((sum, ring) => sum + ring.written, 0)
  return `# tracer: nop\n#\n# entries-in-buffer/entries-written: ${there}/${written}   #P:${rings.length}\n${HEADER}${linesOf(state, only)}`
}

/** @kernel tracing_stats_read() */
function statsText(state: KernelState, cpu: number): string {
  const ring = state.tracing.rings[cpu]!
  const oldest = ring.pages[0]?.entries[0]?.atNs ?? 0
  const rows: readonly (readonly [string, string | number])[] = [
    ['entries', ring.pages.reduce((sum, page) => sum + page.entries.length, 0)],
    ['overrun', ring.overrun],
    ['commit overrun', 0],
    ['bytes', ring.pages.reduce((sum, page) => sum + page.bytes, 0)],
    ['oldest event ts', stamp(oldest)],
    ['now ts', stamp(state.nowNs + state.exec.ns)],
    ['dropped events', 0],
    ['read events', 0],
  ]
  return rows.map(([name, value]) => `${name}: ${value}\n`).join('')
}

// ---------------------------------------------------------------- switches

const zeroOrOne = (text: string): 0 | 1 | undefined =>
  /^[01]$/.test(text.trim()) ? (Number(text) as 0 | 1) : undefined

/** '0', '1', or 'X' where some are on. @kernel event_enable_read(), system_enable_read() */
function enabledText(state: KernelState, names: readonly Tracepoint[]): string {
  const on = names.filter((name) => state.tracing.enabled[indexOf(name)] === 1).length
  return `${on === 0 ? '0' : on === names.length ? '1' : 'X'}\n`
}

function enable(state: KernelState, names: readonly Tracepoint[], text: string): Errno | undefined {
  const value = zeroOrOne(text)
  if (value === undefined) return 'EINVAL'
  const errno = expandTraceBuffers(state)
  if (errno !== undefined) return errno
  for (const name of names) state.tracing.enabled[indexOf(name)] = value
  traceChanged(state)
  return undefined
}

const switchOf = (names: readonly Tracepoint[]): PseudoFile => ({
  read: (state) => enabledText(state, names),
  write: (state, text) => enable(state, names, text),
})

/** 'vmscan:mm_vmscan_kswapd_wake', 'mm_vmscan_kswapd_wake', 'vmscan:*', '!…' to switch off. @kernel event_set_open() */
function setEvent(state: KernelState, text: string): Errno | undefined {
  for (const word of text.split(/\s+/)) {
    if (word === '') continue
    const [, off, pattern = ''] = /^(!?)(.*)$/.exec(word)!
    const [system = '', event] = pattern.includes(':') ? pattern.split(':') : ['', pattern]
    const names = NAMES.filter(
      (name) =>
        (system === '' || TRACEPOINTS[name].system === system || system === '*') &&
        (event === '*' || event === '' || TRACEPOINTS[name].name === event),
    )
    if (names.length === 0) return 'EINVAL'
    const errno = enable(state, names, off === '!' ? '0' : '1')
    if (errno !== undefined) return errno
  }
  return undefined
}

const FILES: Readonly<Record<string, PseudoFile>> = {
  available_events: {
    read: () => NAMES.map((name) => `${TRACEPOINTS[name].system}:${TRACEPOINTS[name].name}\n`).join(''),
  },
  buffer_size_kb: {
    read: ({ tracing }) => (tracing.sizeKb > 0 ? `${tracing.sizeKb}\n` : `7 (expanded: ${DEFAULT_SIZE_KB})\n`),
    write: (state, text) => {
      const kb = Number(text.trim())
      return Number.isInteger(kb) && kb > 0 ? resizeTraceBuffers(state, kb) : 'EINVAL'
    },
  },
  buffer_total_size_kb: {
    read: ({ tracing }) => {
      const cpus = tracing.rings.length
      return tracing.sizeKb > 0 ? `${tracing.sizeKb * cpus}\n` : `${7 * cpus} (expanded: ${DEFAULT_SIZE_KB * cpus})\n`
    },
  },
  current_tracer: { read: () => 'nop\n', write: (_state, text) => (text.trim() === 'nop' ? undefined : 'EINVAL') },
  set_event: {
    read: ({ tracing }) =>
      NAMES.filter((name) => tracing.enabled[indexOf(name)] === 1)
        .map((name) => `${TRACEPOINTS[name].system}:${TRACEPOINTS[name].name}\n`)
        .join(''),
    write: setEvent,
  },
  trace: { read: (state) => traceText(state), write: (state) => void clearRings(state.tracing) },
  trace_clock: {
    read: ({ tracing }) => `${CLOCKS.map((name) => (name === tracing.clock ? `[${name}]` : name)).join(' ')}\n`,
    write: (state, text) => {
      if (!CLOCKS.includes(text.trim())) return 'EINVAL'
      setTraceClock(state, text.trim())
      return undefined
    },
  },
  trace_pipe: {
    read: (state, _pid, peek) => {
      const text = linesOf(state)
      if (!peek) clearRings(state.tracing)
      return text
    },
  },
  tracing_on: {
    read: ({ tracing }) => `${tracing.isOn ? 1 : 0}\n`,
    write: (state, text) => {
      const value = zeroOrOne(text)
      if (value === undefined) return 'EINVAL'
      state.tracing.isOn = value === 1
      traceChanged(state)
      return undefined
    },
  },
}

/** 'cpu1' → 1 when the machine has it. */
function cpuNumber(state: KernelState, name: string): number | undefined {
  const match = /^cpu(\d+)$/.exec(name)
  return match !== null && Number(match[1]) < state.tracing.rings.length ? Number(match[1]) : undefined
}

function listEvents(parts: readonly string[]): string[] | undefined {
  const [system, event, more] = parts
  if (system === undefined) return ['enable', ...SYSTEMS]
  const names = inSystem(system)
  if (names.length === 0 || more !== undefined) return undefined
  if (event === undefined) return ['enable', ...names.map((name) => TRACEPOINTS[name].name)]
  return names.some((name) => TRACEPOINTS[name].name === event) ? ['enable'] : undefined
}

function eventFile(parts: readonly string[]): PseudoFile | undefined {
  if (parts.at(-1) !== 'enable') return undefined
  const [system, event] = parts.slice(0, -1)
  const names = NAMES.filter(
    (name) =>
      (system === undefined || TRACEPOINTS[name].system === system) &&
      (event === undefined || TRACEPOINTS[name].name === event),
  )
  return names.length === 0 || parts.length > 3 ? undefined : switchOf(names)
}

export const traceDir: PseudoDir = {
  list: (state, path) => {
    const parts = path === '' ? [] : path.split('/')
    if (parts.length === 0) return [...Object.keys(FILES), 'events', 'per_cpu']
    if (parts[0] === 'events') return listEvents(parts.slice(1))
    if (parts[0] !== 'per_cpu') return undefined
    if (parts.length === 1) return state.tracing.rings.map((_, cpu) => `cpu${cpu}`)
    return parts.length === 2 && cpuNumber(state, parts[1]!) !== undefined ? ['stats', 'trace'] : undefined
  },
  file: (state, path) => {
    if (Object.hasOwn(FILES, path)) return FILES[path]
    const [top, ...rest] = path.split('/')
    if (top === 'events') return eventFile(rest)
    const cpu = top === 'per_cpu' && rest.length === 2 ? cpuNumber(state, rest[0]!) : undefined
    if (cpu === undefined) return undefined
    if (rest[1] === 'stats') return { read: (s) => statsText(s, cpu) }
    return rest[1] === 'trace' ? { read: (s) => traceText(s, cpu) } : undefined
  },
}
