/** pagewalk run: a scenario from its file to the record of what happened. */
import { mkdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { RECORD_ALL } from '../host/machine'
import { loadScenario, parseDuration, type MachineProfile, type Scenario } from '../profiles'
import { formatDuration } from './duration'
import { ok, userError, type Result } from '../util/result'
import { operands, parseArgs } from './args'
import type { RunCommand } from './commands'
import { exportRecord, FORMATS, type ExportFormat } from './export'
import { readText, writeText } from './folder'
import { bootProfile } from './headless'
import { resolveMachine } from './machines'

export const run: RunCommand = async (argv, output) => {
  const options = { '--until': { takes: 'one' }, '--out': { takes: 'one' }, '--format': { takes: 'one' } } as const
  const parsed = parseArgs(argv, options, 'run')
  if (!parsed.ok) return parsed
  const given = operands(parsed.value, ['SCENARIO'], 'run')
  if (!given.ok) return given
  const text = readText(given.value[0]!, 'scenario')
  if (!text.ok) return text
  const scenario = loadScenario(text.value, given.value[0]!)
  if (!scenario.ok) return scenario
  const format = formatOf(parsed.value.values['--format']?.[0] ?? 'csv')
  if (!format.ok) return format
  const until = untilOf(parsed.value.values['--until']?.[0], scenario.value)
  if (!until.ok) return until
  const profile = machineOf(scenario.value, given.value[0]!)
  if (!profile.ok) return profile
  const headless = bootProfile(profile.value, scenario.value.seed, RECORD_ALL)
  let stdout = ''
  const result = await headless.runScript(scenario.value.script, {
    env: scenario.value.env,
    script: scenario.value.name,
    untilNs: until.value,
    onStdout: (chunk) => {
      stdout += chunk
      output.out(chunk)
    },
    onStderr: (chunk) => output.err(chunk),
  })
  const folder = parsed.value.values['--out']?.[0]
  if (folder !== undefined) {
    const files = { 'stdout.txt': stdout, ...exportRecord(headless.machine, format.value) }
    mkdirSync(folder, { recursive: true })
    for (const [name, body] of Object.entries(files)) {
      const written = writeText(join(folder, name), body)
      if (!written.ok) return written
    }
  }
  output.err(`${scenario.value.name}: ${formatDuration(headless.state().nowNs)} simulated, status ${result.status}\n`)
  return ok(result.stopped === 'timeout' ? 0 : result.status)
}

function formatOf(text: string): Result<ExportFormat> {
  const format = FORMATS.find((f) => f === text)
  return format
    ? ok(format)
    : userError('cli/format', 'pagewalk run: --format', `'${text}' is no format.`, `Known: ${FORMATS.join(', ')}.`)
}

function untilOf(text: string | undefined, scenario: Scenario): Result<number> {
  if (text === undefined) return ok(scenario.untilNs)
  const ns = parseDuration(text)
  return ns !== undefined && ns > 0
    ? ok(ns)
    : userError('cli/until', 'pagewalk run: --until', `'${text}' is no duration.`, 'Use "60s", "500ms" or "10m".')
}

/** A path in a scenario is relative to the scenario. */
function machineOf(scenario: Scenario, file: string): Result<MachineProfile> {
  if (typeof scenario.machine !== 'string') return ok(scenario.machine)
  const beside = resolve(dirname(file), scenario.machine)
  return resolveMachine(/\.json$/.test(scenario.machine) ? beside : scenario.machine)
}
