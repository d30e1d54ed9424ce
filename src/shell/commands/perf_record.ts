/** perf record and perf script: tracepoints into a file, and out of it as text. */
import { TRACEPOINTS } from '../../engine/trace'
import { tracepointText } from '../../engine/trace_print'
import { strerror } from '../../util/errno'
import { resolvePath } from '../paths'
import type { ToolContext } from '../process'
import { warnRefusal } from './options'
import { tracepointTitle, type PerfEvent } from './perf_events'
import { readPerfData, writePerfData, type PerfSample } from './perf_data'
import { createFollower, LIFE, runFollowed } from './perf_follow'
import { chooseEvents, pidsOf, usage, type PerfArguments } from './perf_options'

/** What the ring buffers of a run hold here: the session's log keeps the file, so that a replay writes the same. */
const SAMPLES_MAX = 65536

/** perf record -e EVENTS [-a | -p PIDS] [-o FILE] COMMAND */
export async function record(context: ToolContext, given: PerfArguments): Promise<number> {
  const events = await chooseEvents(context, 'record', given.values.get('e'))
  if (events === undefined) return 129
  if (given.command.length === 0) return usage(context, 'record')
  const pids = await pidsOf(context, given)
  if (pids === undefined) return 255
  const wanted = new Map(events.flatMap((e) => (e.kind === 'tracepoint' ? [[e.name, e] as const] : [])))
  const samples: PerfSample[] = []
  let lost = 0
  const follower = createFollower(pids)
  const stop = context.sys.trace([...new Set([...wanted.keys(), ...LIFE])], (event) => {
    follower.see(event)
    if (!wanted.has(event.name) || !(given.flags.has('a') || follower.isCounted(event.pid))) return
    const { name, atNs, pid, cpu, comm, args, text } = event
    if (samples.length < SAMPLES_MAX) samples.push({ name, atNs, pid, cpu, comm, args, text })
    else lost++
  })
  const run = await runFollowed(context, given.command, follower).finally(stop)
  if (typeof run === 'number') return run
  const release = context.sys.read(context.pid, '/proc/sys/kernel/osrelease')
  const text = writePerfData(
    {
      hostname: context.sys.hostname,
      release: release.ok ? release.value.trim() : '',
      cmdline: ['perf', ...context.args].join(' '),
      events: [...wanted.keys()],
      lost,
    },
    samples,
  )
  const file = given.values.get('o') ?? 'perf.data'
  const written = context.sys.write(context.pid, resolvePath(context.cwd, file), text, { create: true, append: false })
  if (!written.ok) {
    await context.warn(`failed to open ${file} : ${strerror(written.error.errno)}\n`)
    return 255
  }
  const megabytes = (text.length / 1048576).toFixed(3)
  await context.warn('[ perf record: Woken up 1 times to write data ]\n')
  await context.warn(`[ perf record: Captured and wrote ${megabytes} MB ${file} (${samples.length} samples) ]\n`)
  return run.status
}

/** `comm pid [cpu] time: event: text`, as columns of perf script. */
function scriptLine(sample: PerfSample, width: number, series: '6.12' | '6.1'): string {
  const { name, atNs, pid, cpu, args, text } = sample
  const us = Math.floor(atNs / 1000)
  const time = `${String(Math.floor(us / 1e6)).padStart(5)}.${String(us % 1e6).padStart(6, '0')}`
  const comm = pid === 0 ? 'swapper' : sample.comm
  const start = `${comm.padStart(16)} ${String(pid).padStart(7)} [${String(cpu).padStart(3, '0')}] ${time.padStart(12)}: `
  return `${start}${tracepointTitle(name).padStart(width)}: ${tracepointText(name, { args, text, series })}\n`
}

/** perf script [-i FILE] */
export async function script(context: ToolContext, given: PerfArguments): Promise<number> {
  const file = given.values.get('i') ?? 'perf.data'
  const read = context.sys.read(context.pid, resolvePath(context.cwd, file))
  if (!read.ok) {
    if (read.error.errno !== 'ENOENT') return warnRefusal(context, file, read.error)
    await context.warn(`failed to open ${file}: ${strerror('ENOENT')}  (try 'perf record' first)\n`)
    return 255
  }
  const data = readPerfData(read.value)
  if (data === undefined) {
    await context.warn('incompatible file format (rerun with -v to learn more)\n')
    return 255
  }
  const { header, samples } = data
  const width = Math.max(0, ...header.events.map((name) => tracepointTitle(name).length))
  const series = header.release.startsWith('6.1.') ? '6.1' : '6.12'
  if (header.lost > 0)
    await context.warn(
      `Warning:\nProcessed ${samples.length + header.lost} events and lost ${header.lost} chunks!\n\nCheck IO/CPU overload!\n\n`,
    )
  // In pieces, so that `| head` ends it early.
  for (let i = 0; i < samples.length; i += 100) {
    const lines = samples.slice(i, i + 100).map((sample) => scriptLine(sample, width, series))
    await context.print(lines.join(''))
  }
  return 0
}

/** perf list [PATTERN] */
export async function list(
  context: ToolContext,
  software: readonly string[],
  cache: readonly string[],
  all: readonly PerfEvent[],
): Promise<number> {
  const title = (name: string, kind: string): string => `  ${name.padEnd(51)}[${kind}]\n`
  const lines = [
    '\nList of pre-defined events (to be used in -e or -M):\n\n',
    ...software.map((name) => title(name, 'Software event')),
    '\n',
    ...cache.map((name) => title(name, 'Hardware cache event')),
    '\n',
    ...all.flatMap((e) => (e.kind === 'tracepoint' ? [title(e.title, tracepointKind(e.name))] : [])),
  ]
  await context.print(lines.join(''))
  return 0
}

/** Tracepoints that no Linux has are called ours. */
const tracepointKind = (name: keyof typeof TRACEPOINTS): string =>
  TRACEPOINTS[name].system === 'pagewalk' ? 'Tracepoint event of this simulator' : 'Tracepoint event'
