/** The table of programs: name → reducer. A new one is its file, a line here and a test. */
import type { ProgramTable } from '../engine/task'
import { BOOK } from './book'
import { mm } from './mm'
import { kubelet } from './pods/kubelet'
import { shim } from './pods/shim'
import { python3 } from './python'
import { stress } from './stress'
import { TENANTS } from './tenants'

export const PROGRAMS: ProgramTable = {
  mm,
  python3,
  stress,
  [shim.name]: shim,
  kubelet,
  ...Object.fromEntries(TENANTS.map((program) => [program.name, program])),
  ...Object.fromEntries(BOOK.map(({ program }) => [program.name, program])),
}
