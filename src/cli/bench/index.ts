/**
 * `pagewalk bench`: everything that is promised about speed, measured in one run, each beside its opponent. Every group
 * runs in a process of its own, so that none profits or suffers from what another left in memory or in the compiler.
 */
import { spawn } from 'node:child_process'
import { cpus } from 'node:os'
import { ok, userError, type Result } from '../../util/result'
import { parseArgs } from '../args'
import type { RunCommand } from '../commands'
import type { Output } from '../output'
import { buddy } from './buddy'
import { faults } from './faults'
import { figureText, judge, type Figure, type JudgedFigure } from './figure'
import { lru } from './lru'
import { map } from './page-map'
import { scan } from './scan'
import { boot, copies, memory } from './size'
import { containers, idle, pressure, stress, stressRecorded } from './speed'

/** In the order of the report. */
const GROUPS: Readonly<Record<string, () => Figure[] | Promise<Figure[]>>> = {
  faults,
  buddy,
  scan,
  lru,
  boot,
  memory,
  copies,
  stress,
  'stress-recorded': stressRecorded,
  idle,
  pressure,
  containers,
  map,
}

export const bench: RunCommand = async (argv, output) => {
  const options = { '--json': { takes: 'flag' }, '--only': { takes: 'many' }, '--group': { takes: 'one' } } as const
  const parsed = parseArgs(argv, options, 'bench')
  if (!parsed.ok) return parsed
  const { values, flags } = parsed.value
  const group = values['--group']?.[0]
  const names = group === undefined ? (values['--only'] ?? Object.keys(GROUPS)) : [group]
  const unknown = [...names, ...parsed.value.operands].find((name) => !Object.hasOwn(GROUPS, name))
  if (unknown !== undefined)
    return userError(
      'cli/bench',
      `pagewalk bench: ${unknown}`,
      'There is no such measurement.',
      `Known: ${Object.keys(GROUPS).join(', ')}.`,
    )
  if (group !== undefined) {
    output.out(JSON.stringify(await GROUPS[group]!()))
    return ok(0)
  }
  return report(names, flags.has('--json'), output)
}

async function report(names: readonly string[], isJson: boolean, output: Output): Promise<Result<number>> {
  const host = { cpu: cpus()[0]?.model.trim() ?? 'unknown', cores: cpus().length, node: process.version }
  if (!isJson) output.out(`${host.cpu}, ${host.cores} cores, Node ${host.node}; CPU time, medians\n`)
  const figures: JudgedFigure[] = []
  for (const name of names) {
    output.progress(`measuring ${name} …`)
    const measured = await runGroup(name)
    output.progress('')
    if (!measured.ok) return measured
    for (const figure of measured.value.map(judge)) {
      figures.push(figure)
      if (!isJson) output.out(figureText(figure))
    }
  }
  if (isJson) output.out(`${JSON.stringify({ format: 'pagewalk-bench', version: 1, host, figures }, undefined, 2)}\n`)
  return ok(0)
}

/** This program again, with one group. */
function runGroup(name: string): Promise<Result<Figure[]>> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, 'bench', '--group', name], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    child.on('close', (status) => {
      if (status === 0) resolve(ok(JSON.parse(text) as Figure[]))
      else resolve(userError('cli/bench', `pagewalk bench: ${name}`, `It ended with status ${status}.`, 'See above.'))
    })
  })
}
