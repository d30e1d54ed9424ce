/** MACHINE of the command line: a profile file, the name of a ready machine, a capture folder or archive. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { loadMachine, type MachineProfile } from '../profiles'
import { userError, type Result } from '../util/result'
import { importPath, readText } from './folder'

/** Found from the sources (src/cli) and from the bundle (out/cli) alike. */
const READY = [
  join(import.meta.dirname, '../../resources/machines'),
  join(import.meta.dirname, '../resources/machines'),
]

const readyFolder = (): string => READY.find((folder) => existsSync(folder)) ?? READY[0]!

export const readyMachines = (): string[] =>
  readdirSync(readyFolder())
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -5))
    .sort()

export function resolveMachine(text: string): Result<MachineProfile> {
  if (existsSync(text)) {
    return statSync(text).isDirectory() || /\.(?:tar|tgz|tar\.gz)$/.test(text) ? importPath(text) : loadFile(text)
  }
  if (readyMachines().includes(text)) return loadFile(join(readyFolder(), `${text}.json`))
  const fix = `Give a profile file, a capture folder, or a ready machine: ${readyMachines().join(', ')}.`
  return userError('cli/no-machine', text, 'There is no such machine.', fix)
}

function loadFile(path: string): Result<MachineProfile> {
  const text = readText(path, 'machine profile')
  return text.ok ? loadMachine(text.value, path) : text
}
