/** Machines of the measurements: ready ones by name, larger ones from bench/machines. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { MachineConfig } from '../../engine/config'
import { toConfig } from '../../profiles'
import { formatUserError } from '../../util/result'
import { resolveMachine } from '../machines'

/** Found from the sources (src/cli/bench) and from the bundle (out/cli) alike. */
const FOLDERS = [join(import.meta.dirname, '../../../bench'), join(import.meta.dirname, '../../bench')]

/** A file of bench/. */
export const benchFile = (name: string): string =>
  FOLDERS.map((folder) => join(folder, name)).find(existsSync) ?? join(FOLDERS[0]!, name)

export function benchMachine(name: string): MachineConfig {
  const file = benchFile(`machines/${name}.json`)
  const profile = resolveMachine(existsSync(file) ? file : name)
  if (!profile.ok) throw new Error(formatUserError(profile.error))
  return toConfig(profile.value)
}
