// Type checks: `node scripts/types.mjs [pure|web|node|test …]`, all four without arguments.
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'

process.chdir(resolve(import.meta.dirname, '..'))
const CHECKERS = {
  pure: 'node_modules/typescript/bin/tsc',
  web: 'node_modules/vue-tsc/bin/vue-tsc.js',
  node: 'node_modules/typescript/bin/tsc',
  test: 'node_modules/vue-tsc/bin/vue-tsc.js',
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(CHECKERS)
const run = (name) =>
  spawnSync(
    process.execPath,
    [CHECKERS[name], '-p', `tsconfig.${name}.json`, '--pretty', String(process.stdout.isTTY ?? false)],
    { stdio: 'inherit' },
  ).status
process.exit(names.map(run).some((status) => status !== 0) ? 1 : 0)
