/** The commands that boot a machine and do something with it, or make one: boot, exec, import, conform. */
import { klogLine } from '../engine/klog'
import { formatMachine } from '../profiles'
import { ok, userError, type Result } from '../util/result'
import { operands, parseArgs, seedOf } from './args'
import { conform } from './conform/conform'
import { importPath, readText, writeText } from './folder'
import { bootProfile } from './headless'
import { resolveMachine } from './machines'
import { printLine, type Output } from './output'
import { importManifest, isManifest, POD_OPTIONS } from './pods'

/** @returns the exit status, or the mistake that the caller prints with status 2 */
export type RunCommand = (argv: readonly string[], output: Output) => Promise<Result<number>>

const JSON_FLAG = { '--json': { takes: 'flag' } } as const
const SEED = { '--seed': { takes: 'one' } } as const

export const boot: RunCommand = async (argv, output) => {
  const parsed = parseArgs(argv, { ...JSON_FLAG, ...SEED }, 'boot')
  if (!parsed.ok) return parsed
  const given = operands(parsed.value, ['MACHINE'], 'boot')
  if (!given.ok) return given
  const seed = seedOf(parsed.value, 'boot')
  if (!seed.ok) return seed
  const profile = resolveMachine(given.value[0]!)
  if (!profile.ok) return profile
  const lines = bootProfile(profile.value, seed.value).state().klog.map(klogLine)
  if (!parsed.value.flags.has('--json')) output.out(`${lines.join('\n')}\n`)
  else
    output.out(
      `${JSON.stringify({ format: 'pagewalk-boot', version: 1, machine: profile.value.name, dmesg: lines }, undefined, 2)}\n`,
    )
  return ok(0)
}

export const exec: RunCommand = async (argv, output) => {
  const options = { ...JSON_FLAG, ...SEED, '--env': { takes: 'many' }, '-c': { takes: 'one' } } as const
  const parsed = parseArgs(argv, options, 'exec')
  if (!parsed.ok) return parsed
  const inline = parsed.value.values['-c']?.[0]
  const given = operands(parsed.value, inline === undefined ? ['MACHINE', 'FILE'] : ['MACHINE'], 'exec')
  if (!given.ok) return given
  const seed = seedOf(parsed.value, 'exec')
  if (!seed.ok) return seed
  const env = environment(parsed.value.values['--env'] ?? [])
  if (!env.ok) return env
  const script = inline === undefined ? readText(given.value[1]!, 'script') : ok(inline)
  if (!script.ok) return script
  const profile = resolveMachine(given.value[0]!)
  if (!profile.ok) return profile
  const headless = bootProfile(profile.value, seed.value)
  const isJson = parsed.value.flags.has('--json')
  let stdout = ''
  let stderr = ''
  const result = await headless.runScript(script.value, {
    env: env.value,
    ...(inline === undefined ? { script: given.value[1]! } : {}),
    onStdout: (text) => (isJson ? (stdout += text) : output.out(text)),
    onStderr: (text) => (isJson ? (stderr += text) : output.err(text)),
  })
  if (isJson) {
    const reply = {
      format: 'pagewalk-exec',
      version: 1,
      stdout,
      stderr,
      status: result.status,
      stopped: result.stopped,
      simulatedNs: headless.state().nowNs,
    }
    output.out(`${JSON.stringify(reply, undefined, 2)}\n`)
  } else if (result.stopped !== '') {
    output.err(`pagewalk exec: ${given.value[0]}: the machine panicked: ${headless.state().panicked}\n`)
  }
  return ok(result.status)
}

function environment(list: readonly string[]): Result<Record<string, string>> {
  const env: Record<string, string> = {}
  for (const text of list) {
    const match = /^([A-Za-z_]\w*)=(.*)$/s.exec(text)
    if (!match)
      return userError('cli/env', 'pagewalk exec: --env', `'${text}' is no assignment.`, 'Write --env NAME=VALUE.')
    env[match[1]!] = match[2]!
  }
  return ok(env)
}

export const importMachine: RunCommand = async (argv, output) => {
  const parsed = parseArgs(argv, { '-o': { takes: 'one' }, ...JSON_FLAG, ...POD_OPTIONS }, 'import')
  if (!parsed.ok) return parsed
  const given = operands(parsed.value, ['CAPTURE'], 'import')
  if (!given.ok) return given
  if (isManifest(given.value[0]!)) return importManifest(given.value[0]!, parsed.value, output)
  const profile = importPath(given.value[0]!)
  if (!profile.ok) return profile
  const text = formatMachine(profile.value)
  const target = parsed.value.values['-o']?.[0]
  if (target === undefined) output.out(text)
  else {
    const written = writeText(target, text)
    if (!written.ok) return written
    output.err(
      `${target}: ${profile.value.name}, ${profile.value.nodes.length} node${profile.value.nodes.length === 1 ? '' : 's'}\n`,
    )
  }
  for (const note of profile.value.notes ?? []) output.err(`note: ${note}\n`)
  return ok(0)
}

export const conformance: RunCommand = async (argv, output) => {
  const parsed = parseArgs(argv, { ...JSON_FLAG, '--out': { takes: 'one' }, '--all': { takes: 'flag' } }, 'conform')
  if (!parsed.ok) return parsed
  const [folder, ...cases] = parsed.value.operands
  if (folder === undefined)
    return userError(
      'cli/usage',
      'pagewalk conform',
      'TRUTH-DIR is missing.',
      'Usage: pagewalk conform TRUTH-DIR [CASE…] [--out DIR] [--json] [--all]',
    )
  const request = {
    folder,
    cases,
    out: parsed.value.values['--out']?.[0],
    json: parsed.value.flags.has('--json'),
    all: parsed.value.flags.has('--all'),
  }
  const agrees = await conform(request, printLine(output), output.progress)
  output.progress('')
  return agrees.ok ? ok(agrees.value ? 0 : 1) : agrees
}
