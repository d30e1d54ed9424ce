/** C sources as the one place where a program's numbers and lines stand: the simulated program reads them from there. */
import type { Op, Program, ProgramData, ProgramImage } from '../../engine/task'
import { assert } from '../../util/assert'
import { strerror } from '../../util/errno'
import { runSteps, stdout, type Step, type StepData } from '../steps'

export interface BookData extends StepData {
  /** Address of the region at work. */
  address: number
}

/** A program of the workbook: what `gcc` finds under its source's name. */
export interface BookProgram {
  /** Name without `.c`. */
  readonly name: string
  readonly source: string
  readonly program: Program
}

/**
 * A small static program of the C library, as the captured machines ran one.
 * @spec 11 §0
 */
const image = (name: string): ProgramImage => ({ path: `/root/${name}`, totalVm: 329, textPages: 172, anonPages: 15 })

/** The value of `#define NAME 123`. */
export function define(source: string, name: string): number {
  const match = new RegExp(`^#define ${name} (\\d+)\\b`, 'm').exec(source)
  assert(match !== null, `the source has no #define ${name}`)
  return Number(match[1])
}

/** The n-th format that the source gives to printf. */
export function format(source: string, n: number): string {
  const literal = [...source.matchAll(/\bprintf\("((?:[^"\\]|\\.)*)"/g)][n]?.[1]
  assert(literal !== undefined, `the source has no printf number ${n}`)
  return literal.replaceAll('\\n', '\n')
}

/** printf with the conversions that the sources use: %d, %ld, %zu, %s, %p, with width and `-`. */
export function printf(source: string, n: number, ...values: readonly (number | string)[]): Op {
  let i = 0
  return stdout(
    format(source, n).replace(/%(-?)(\d*)(?:l?d|zu|s|p|%)/g, (text, left: string, width: string) => {
      if (text === '%%') return '%'
      const value = values[i++]!
      const word = text.endsWith('p') ? (value === 0 ? '(nil)' : `0x${value.toString(16)}`) : String(value)
      return left === '' ? word.padStart(Number(width)) : word.padEnd(Number(width))
    }),
  )
}

/** A program of the workbook from its source and its steps. */
export function bookProgram(name: string, source: string, steps: readonly Step<BookData>[]): BookProgram {
  return bookForks(name, source, { main: steps })
}

/** One that forks, or does as its arguments say: `part` of its data names the list of steps, 'main' first. */
export function bookForks(
  name: string,
  source: string,
  parts: Readonly<Record<string, readonly Step<BookData>[]>>,
  startWith: (argv: readonly string[]) => string = () => 'main',
): BookProgram {
  const program: Program = {
    name: `${name}.c`,
    image: image(name),
    source,
    start: (argv) => ({ ok: true, data: { pc: 0, status: 0, address: 0, part: startWith(argv) } }),
    next(data: ProgramData, view) {
      const steps = parts[String(data['part'])]!
      return runSteps(steps, data as BookData, view)
    },
  }
  return { name, source, program }
}

/** Ends with `perror(what)` when the last operation failed, else keeps its result as the region's address. */
export const keepAddress =
  (what: string): Step<BookData> =>
  (d, view) => {
    if (view.errno === undefined) {
      d.address = view.result
      return undefined
    }
    d.status = 1
    d.pc = Number.MAX_SAFE_INTEGER
    return { op: 'write', fd: 2, text: `${what}: ${strerror(view.errno)}\n` }
  }

export const MIB = 1 << 20
export const PAGE = 4096
