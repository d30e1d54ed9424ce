/**
 * pagewalk advise: tries memory limits for a container of a manifest and names the one that holds. For CI: status 0 when
 * the manifest's own limit holds (or, without one, when nothing is killed), 1 when it kills or is too tight, 2 for a mistake.
 */
import { advise, type AdviseHooks } from '../host/advise'
import { programs, realEngine } from '../host/real-engine'
import { formatSize, parseDuration } from '../profiles'
import type { AdvisePoint, AdviseReport } from '../protocol/advise'
import { ok, userError, type Result } from '../util/result'
import { operands, parseArgs, seedOf, type Parsed } from './args'
import type { RunCommand } from './commands'
import { readText, writeText } from './folder'
import { resolveMachine } from './machines'
import type { Output } from './output'
import { kubeletOptions, POD_OPTIONS } from './pods'

const OPTIONS = {
  ...POD_OPTIONS,
  '--workload': { takes: 'one' },
  '--container': { takes: 'one' },
  '--for': { takes: 'one' },
  '--seed': { takes: 'one' },
  '--json': { takes: 'flag' },
  '--as': { takes: 'one' },
  '-o': { takes: 'one' },
} as const

const KINDS = ['yaml', 'systemd', 'sysctl'] as const

export const adviseLimit: RunCommand = async (argv, output) => {
  const parsed = parseArgs(argv, OPTIONS, 'advise')
  if (!parsed.ok) return parsed
  const given = operands(parsed.value, ['POD.yaml'], 'advise')
  if (!given.ok) return given
  const kind = kindOf(parsed.value)
  if (!kind.ok) return kind
  const request = requestOf(given.value[0]!, parsed.value)
  if (!request.ok) return request
  const hooks: AdviseHooks = {
    onProgress: ({ done, total, point }) =>
      output.progress(`${done} of ${total}: ${formatSize(point.limitBytes)} ${point.verdict} …`),
    isCancelled: () => false,
  }
  const report = await advise(request.value, { engine: realEngine(), programs }, hooks)
  output.progress('')
  if (!report.ok) return report
  const target = parsed.value.values['-o']?.[0]
  if (target !== undefined) {
    const text = report.value[kind.value]
    if (text === '')
      return userError(
        'advise/nothing',
        target,
        'There is nothing to suggest: no limit holds.',
        'Use a larger machine.',
      )
    const written = writeText(target, text)
    if (!written.ok) return written
  }
  if (parsed.value.flags.has('--json')) output.out(`${JSON.stringify(report.value, undefined, 2)}\n`)
  else print(report.value, target === undefined, output)
  for (const note of report.value.notes) output.err(`note: ${note}\n`)
  return ok(report.value.verdict === 'holds' || report.value.verdict === 'none' ? 0 : 1)
}

function kindOf(parsed: Parsed): Result<(typeof KINDS)[number]> {
  const text = parsed.values['--as']?.[0] ?? 'yaml'
  const kind = KINDS.find((known) => known === text)
  return kind !== undefined
    ? ok(kind)
    : userError('cli/value', 'pagewalk advise: --as', `'${text}' is not known.`, `Known: ${KINDS.join(', ')}.`)
}

function requestOf(path: string, parsed: Parsed): Result<Parameters<typeof advise>[0]> {
  const text = readText(path, 'manifest')
  if (!text.ok) return text
  const options = kubeletOptions(parsed, 'advise')
  if (!options.ok) return options
  const seed = seedOf(parsed, 'advise')
  if (!seed.ok) return seed
  const given = parsed.values['--for']?.[0] ?? '60s'
  const forNs = parseDuration(given)
  if (forNs === undefined || forNs <= 0)
    return userError('cli/for', 'pagewalk advise: --for', `'${given}' is no duration.`, 'Use "60s", "500ms" or "10m".')
  const profile = resolveMachine(parsed.values['--machine']?.[0] ?? 'k8s-node-8g')
  if (!profile.ok) return profile
  return ok({
    text: text.value,
    fileName: path,
    profile: profile.value,
    seed: seed.value,
    container: parsed.values['--container']?.[0] ?? '',
    workload: parsed.values['--workload']?.[0] ?? '',
    forNs,
    options: options.value,
  })
}

// ---------------------------------------------------------------- on a terminal

const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1)

function rowOf(point: AdvisePoint, report: AdviseReport): readonly string[] {
  const { limitBytes } = point
  const marks = [
    ...(limitBytes === report.ownBytes ? ['own'] : []),
    ...(limitBytes === report.kneeBytes ? ['knee'] : []),
    ...(limitBytes === report.suggestedBytes ? ['suggested'] : []),
  ]
  return [
    point === report.unlimited ? 'none' : mib(limitBytes),
    mib(point.peakBytes),
    String(point.faults),
    String(point.majorFaults),
    (point.stallNs / 1e6).toFixed(1),
    point.psiPercent.toFixed(2),
    String(point.maxEvents),
    String(point.kills),
    point.isEvicted ? 'evicted' : point.verdict,
    marks.join(' '),
  ]
}

const HEADS = ['LIMIT MiB', 'PEAK MiB', 'FAULTS', 'MAJOR', 'STALL ms', 'PSI %', 'MAX', 'KILLS', 'VERDICT', '']

function print(report: AdviseReport, isWhole: boolean, output: Output): void {
  const { pod, container, workload, machine, seed, forNs } = report
  output.out(`${pod}/${container}, '${workload}' on ${machine}, seed ${seed}, ${forNs / 1e9} s for each limit\n\n`)
  const rows = [HEADS, ...[...report.points, report.unlimited].map((point) => rowOf(point, report))]
  const widths = HEADS.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  for (const row of rows)
    output.out(
      `${row
        .map((cell, i) => (i < 8 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd()}\n`,
    )
  output.out(`\n${report.sentences.join('\n')}\n`)
  if (!isWhole || report.yaml === '') return
  for (const kind of KINDS) output.out(`\n--- ${kind}\n${report[kind]}`)
}
