/** debugfs as far as it says something about memory: one row a directory or file. */
import { lruGenCommands } from '../mm/reclaim/lru_gen_commands'
import { extfragDir } from './extfrag'
import { lruGenText } from './lru_gen'
import { schedDebugDir } from './numa_balancing'
import { pagewalkDir } from './pagewalk'
import { zswapDebugDir } from './zswap'
import type { PseudoDir, PseudoFile } from './types'

const DIRS: Readonly<Record<string, PseudoDir>> = {
  extfrag: extfragDir,
  pagewalk: pagewalkDir,
  sched: schedDebugDir,
  zswap: zswapDebugDir,
}

const FILES: Readonly<Record<string, PseudoFile>> = {
  lru_gen: { read: lruGenText, write: lruGenCommands },
}

/** The directory that answers for a path, and the path below it. */
function below(path: string): { dir: PseudoDir; rest: string } | undefined {
  const at = path.indexOf('/')
  const name = at < 0 ? path : path.slice(0, at)
  const dir = Object.hasOwn(DIRS, name) ? DIRS[name] : undefined
  return dir === undefined ? undefined : { dir, rest: at < 0 ? '' : path.slice(at + 1) }
}

export const debugDir: PseudoDir = {
  list: (state, path) => {
    if (path === '') return [...Object.keys(DIRS).filter((dir) => DIRS[dir]!.list(state, '')), ...Object.keys(FILES)]
    const found = below(path)
    return found?.dir.list(state, found.rest)
  },
  file: (state, path) => {
    if (Object.hasOwn(FILES, path)) return FILES[path]
    const found = below(path)
    return found?.dir.file(state, found.rest)
  },
}
