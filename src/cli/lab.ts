/** pagewalk lab check: each lab solves itself. Its checks must not hold before its own solution, and must after it. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { RECORD_ALL } from '../host/machine'
import { loadLab, runCheck, type Lab, type LabStep, type LabView } from '../labs'
import { queryEvents } from '../recorder/events'
import { formatUserError, ok, userError, type Result } from '../util/result'
import { parseArgs } from './args'
import type { RunCommand } from './commands'
import { bootProfile, untilDone } from './headless'
import { resolveMachine } from './machines'
import { readText } from './folder'

const LABS = join(import.meta.dirname, '../../resources/labs')
const EVENTS_MAX = 5000

export const lab: RunCommand = async (argv, output) => {
  const parsed = parseArgs(argv, {}, 'lab')
  if (!parsed.ok) return parsed
  const [verb, ...named] = parsed.value.operands
  if (verb !== 'check')
    return userError('cli/usage', 'pagewalk lab', `'${verb ?? ''}' is no action.`, 'Usage: pagewalk lab check [LAB…]')
  const folders =
    named.length > 0
      ? named.map(folderOf)
      : readdirSync(LABS)
          .map((name) => join(LABS, name))
          .filter((path) => statSync(path).isDirectory())
  let failed = 0
  for (const folder of folders) {
    const loaded = readLab(folder)
    if (!loaded.ok) return loaded
    for (const seed of loaded.value.document.seeds) {
      output.progress(`${basename(folder)} seed ${seed}`)
      const faults = await solve(loaded.value, seed)
      failed += faults.length
      output.progress('')
      output.out(`${basename(folder)} seed ${seed}: ${faults.length === 0 ? 'solves itself' : 'FAILS'}\n`)
      for (const fault of faults) output.out(`  ${fault}\n`)
    }
  }
  return ok(failed === 0 ? 0 : 1)
}

const folderOf = (name: string): string => (existsSync(name) ? name : join(LABS, name))

function readLab(folder: string): Result<Lab> {
  const json = readText(join(folder, 'lab.json'), 'lab')
  if (!json.ok) return json
  const markdown = readText(join(folder, 'lab.md'), 'lab')
  return markdown.ok ? loadLab(json.value, markdown.value, basename(folder)) : markdown
}

/** @returns what is wrong with the lab, by step */
async function solve(lab: Lab, seed: number): Promise<string[]> {
  const profile = resolveMachine(lab.document.machine)
  if (!profile.ok) return [formatUserError(profile.error)]
  const headless = bootProfile(profile.value, seed, RECORD_ALL)
  if (lab.document.setup !== '') await headless.runScript(lab.document.setup)
  const shell = headless.openShell({ interactive: true, out: () => {} })
  const faults: string[] = []
  for (const step of lab.document.steps) {
    if ((step.checks ?? []).length === 0) continue
    if (failing(step, viewOf(headless)).length === 0) faults.push(`${step.id}: its checks hold before its solution`)
    await untilDone(headless, shell.run(`${step.solution ?? step.command ?? ''}\n`))
    for (const text of failing(step, viewOf(headless))) faults.push(`${step.id}: ${text}`)
  }
  return faults
}

function failing(step: LabStep, view: LabView): string[] {
  return (step.checks ?? []).flatMap((check) => {
    const outcome = runCheck(check, view)
    return outcome.passed ? [] : [`${check.says}: seen ${outcome.seen}`]
  })
}

function viewOf({ machine }: ReturnType<typeof bootProfile>): LabView {
  const { state, engine, recorder } = machine
  return {
    nowNs: state.nowNs,
    readFile: (path) => {
      const text = engine.readFile(state, path)
      return text.ok ? text.value : undefined
    },
    events: (names) =>
      recorder ? queryEvents(recorder.events, { fromNs: 0, toNs: state.nowNs, names, limit: EVENTS_MAX }) : [],
    klog: state.klog,
  }
}
