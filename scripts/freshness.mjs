// Whether something built is newer than everything it was built from.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const newestIn = (path) => {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) return 0
  if (!stat.isDirectory()) return stat.mtimeMs
  return readdirSync(path).reduce((newest, name) => Math.max(newest, newestIn(join(path, name))), stat.mtimeMs)
}

/** True when `output` exists and none of `inputs` (files or folders) changed after it was written. */
export const isFresh = (output, inputs) =>
  existsSync(output) && inputs.every((input) => newestIn(input) <= statSync(output).mtimeMs)

/** What every bundle depends on. */
export const SOURCES = ['src', 'resources', 'package-lock.json', 'electron.vite.config.ts', 'vite.web.config.ts']
