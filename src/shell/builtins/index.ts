/** All builtins of the shell: they run in the shell's own process. */
import type { Builtin } from '../process'
import { flow } from './flow'
import { inquire } from './inquire'
import { names } from './names'
import { print } from './print'
import { signals } from './signals'
import { test } from './test'

export const builtins: Readonly<Record<string, Builtin>> = Object.fromEntries(
  [...flow, ...names, ...print, ...test, ...signals, ...inquire].map((builtin) => [builtin.name, builtin]),
)
