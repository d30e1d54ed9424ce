/** The cases of a folder of captures: what was done to which machine, and what came out. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { importCapture, type MachineProfile } from '../../profiles'
import { err, ok, userError, type Result, type UserError } from '../../util/result'
import { readFolder, readText } from '../folder'
import type { CaseFiles, CaseTraits } from './figure'

export interface TruthCase {
  readonly traits: CaseTraits
  readonly files: CaseFiles
  readonly profile: MachineProfile
}

/** Names of all cases, or the named ones if all of them exist. */
export function findCases(folder: string, named: readonly string[]): Result<string[]> {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    return userError(
      'conform/no-folder',
      folder,
      'This is not a folder.',
      'Give a folder with case folders and harness/ in it.',
    )
  }
  if (!existsSync(join(folder, 'harness/fn.sh'))) {
    return userError(
      'conform/no-harness',
      folder,
      'There is no harness/fn.sh in it.',
      'Give the folder that holds harness/ beside the cases.',
    )
  }
  const all = readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'case.json')))
    .sort()
  if (all.length === 0)
    return userError(
      'conform/no-cases',
      folder,
      'No folder in it has a case.json.',
      'Give a folder with case folders in it.',
    )
  const absent = named.find((name) => !all.includes(name))
  if (absent !== undefined)
    return userError(
      'conform/no-case',
      join(folder, absent),
      'There is no such case.',
      `There are ${all.length}, such as ${all.slice(0, 3).join(', ')}.`,
    )
  return ok(named.length > 0 ? [...named] : all)
}

export function readCase(folder: string, name: string): Result<TruthCase> {
  const files = readFolder(join(folder, name))
  const where = `${name}/case.json`
  const described = parseObject(files['case.json'] ?? '', where)
  if (!described.ok) return described
  const { kind, scenario, parameters } = described.value as { kind?: unknown; scenario?: unknown; parameters?: unknown }
  if (
    typeof kind !== 'string' ||
    typeof scenario !== 'string' ||
    typeof parameters !== 'object' ||
    parameters === null
  ) {
    return userError('conform/case', where, 'kind, scenario or parameters are missing.', 'Take the case again.')
  }
  const profile = importCapture(files, name)
  if (!profile.ok) return profile
  const texts = Object.fromEntries(Object.entries(parameters).map(([k, v]) => [k, String(v)]))
  const { series } = profile.value.kernel
  return ok({
    traits: {
      name,
      kind,
      scenario,
      lab: texts['lab'] ?? '',
      lru: texts['lru'] === '0' || series === '6.1' ? 'classic' : 'mglru',
      series,
      parameters: texts,
    },
    files,
    profile: profile.value,
  })
}

function parseObject(text: string, where: string): Result<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return ok(value as Record<string, unknown>)
  } catch {
    // Falls through: one message for both.
  }
  return err<UserError>({
    code: 'conform/case',
    where,
    message: 'The file is not a JSON object.',
    fix: 'Take the case again.',
  })
}

export interface Harness {
  /** fn.sh */
  readonly functions: string
  readonly scenario: string
}

export function readHarness(folder: string, scenario: string): Result<Harness> {
  const functions = readText(join(folder, 'harness/fn.sh'), 'harness script')
  if (!functions.ok) return functions
  const text = readText(join(folder, `harness/scn/${scenario}.sh`), 'scenario script')
  return text.ok ? ok({ functions: functions.value, scenario: text.value }) : text
}
