/** pagewalk lab check: each lab solves itself. No step may be done before its own solution, and each must be after it. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { RECORD_ALL } from '../host/machine'
import { loadLab, startWalk, type Lab, type LabStep, type LabView, type StepView, type Walk } from '../labs'
import { queryEvents } from '../recorder/events'
import { formatUserError, ok, userError, type Result } from '../util/result'
import { parseArgs } from './args'
import type { RunCommand } from './commands'
import { bootProfile, untilDone } from './headless'
import { resolveMachine } from './machines'
import { readText } from './folder'

export const LABS = join(import.meta.dirname, '../../resources/labs')
const EVENTS_MAX = 5000
const READING_NS = 3_000_000_000

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

export function readLab(folder: string): Result<Lab> {
  const json = readText(join(folder, 'lab.json'), 'lab')
  if (!json.ok) return json
  const markdown = readText(join(folder, 'lab.md'), 'lab')
  return markdown.ok ? loadLab(json.value, markdown.value, basename(folder)) : markdown
}

/**
 * Walks the lab as a student would, with its own solutions.
 *
 * @returns what is wrong with the lab, by step
 */
export async function solve(lab: Lab, seed: number): Promise<string[]> {
  const profile = resolveMachine(lab.document.machine)
  if (!profile.ok) return [formatUserError(profile.error)]
  const headless = bootProfile(profile.value, seed, RECORD_ALL)
  if (lab.document.setup !== '') await headless.runScript(lab.document.setup)
  let printed = ''
  const shell = headless.openShell({ interactive: true, out: (text) => (printed += text) })
  const walk = startWalk(lab, seed)
  const faults: string[] = []
  walk.check(viewOf(headless))
  for (const [index, step] of lab.document.steps.entries()) {
    const state = (): StepView => walk.progress().steps[index]!
    if (state().state !== 'open') return [...faults, `${step.id}: ${state().state} before its turn`]
    for (const check of state().checks) if (check.passed) faults.push(`${step.id}: holds already: ${check.text}`)
    // A student reads while the machine runs.
    await headless.advanceTo(headless.state().nowNs + READING_NS)
    printed = ''
    const script = step.solution ?? step.command ?? ''
    if (script !== '') await untilDone(headless, shell.run(`${script}\n`))
    if (printed.includes('command not found')) faults.push(`${step.id}: ${printed.trim()}`)
    const isAnswered = step.kind !== 'command' && step.kind !== 'check'
    if (step.kind === 'number' && isAccepted(walk, index, { text: '-1', view: viewOf(headless) }))
      faults.push(`${step.id}: takes any number`)
    if (isAnswered) walk.answer(index, answerOf(step, printed), viewOf(headless))
    else walk.check(viewOf(headless))
    if (state().state !== 'done') return [...faults, ...reasons(step, state(), printed)]
  }
  return faults
}

function isAccepted(walk: Walk, index: number, { text, view }: { text: string; view: LabView }): boolean {
  walk.answer(index, text, view)
  return walk.progress().steps[index]!.state === 'done'
}

/** The number on the last line that has one: an interactive shell prints its prompt too. */
function answerOf(step: LabStep, printed: string): string {
  if (step.kind === 'prediction') return step.answer!
  return step.kind === 'number' ? (printed.match(/-?\d+(\.\d+)?/g)?.at(-1) ?? '') : ''
}

function reasons(step: LabStep, view: StepView, printed: string): string[] {
  const failed = view.checks.filter((check) => !check.passed)
  return failed.length > 0
    ? failed.map((check) => `${step.id}: ${check.text}: seen ${check.seen}`)
    : [`${step.id}: its solution is not accepted: ${printed.trim().split('\n').at(-1) ?? ''}`]
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
