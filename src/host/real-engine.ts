/** The engine with all programs that ship: what every entry point and the command line hand to a session. */
import type { Engine } from '../engine/engine_api'
import { createEngine } from '../engine/index'
import type { ProgramTable } from '../engine/task'
import { PROGRAMS } from '../workloads/index'

export const programs: ProgramTable = PROGRAMS
export const realEngine = (): Engine => createEngine({ programs: PROGRAMS })
