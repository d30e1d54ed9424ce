/** The table of programs: name → reducer. A new one is its file, a line here and a test. */
import type { ProgramTable } from '../engine/task'
import { mm } from './mm'
import { BOOK } from './book'
import { python3 } from './python'
import { stress } from './stress'

export const PROGRAMS: ProgramTable = {
  mm,
  python3,
  stress,
  ...Object.fromEntries(BOOK.map(({ program }) => [program.name, program])),
}
