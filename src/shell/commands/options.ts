/** Options of tools in the manner of getopt(3): `-n 5`, `-n5`, `-rn`, `--lines=5`. */
import type { Refusal } from '../../engine/commands'
import { strerror } from '../../util/errno'
import { Unwind } from '../control'
import { resolvePath } from '../paths'
import { explainRefusal, type ToolContext } from '../process'
import { readAll } from '../stream'
import { DataError, KEPT_BYTES, dataText, isData, readPieces, writePieces } from './data'

export interface Options {
  readonly flags: ReadonlySet<string>
  readonly values: ReadonlyMap<string, string>
  readonly operands: readonly string[]
}

/**
 * Reads options. `spec` is getopt's: a letter each, with `:` when it takes a value; `long` maps long names to letters.
 * Operands may stand between options.
 *
 * @throws Unwind('exit', 1 or 2) after the message of getopt
 */
export async function getOptions(
  context: ToolContext,
  spec: string,
  long: Readonly<Record<string, string>> = {},
  args: readonly string[] = context.args,
): Promise<Options> {
  const flags = new Set<string>()
  const values = new Map<string, string>()
  const operands: string[] = []
  const takesValue = (letter: string): boolean => spec[spec.indexOf(letter) + 1] === ':'
  const rest = [...args]
  const store = async (letter: string, attached: string | undefined, shown: string): Promise<void> => {
    flags.add(letter)
    if (!takesValue(letter)) return
    const value = attached ?? rest.shift()
    if (value === undefined) await fail(context, `option requires an argument -- '${shown}'`)
    values.set(letter, value ?? '')
  }
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--') {
      operands.push(...rest)
      break
    }
    if (arg.startsWith('--')) {
      const [name = '', ...value] = arg.slice(2).split('=')
      const letter = long[name]
      if (letter === undefined) await fail(context, `unrecognized option '--${name}'`)
      else await store(letter, value.length > 0 ? value.join('=') : undefined, name)
    } else if (arg.startsWith('-') && arg !== '-') {
      for (let i = 1; i < arg.length; i++) {
        const letter = arg[i] ?? ''
        if (letter === ':' || !spec.includes(letter)) await fail(context, `invalid option -- '${letter}'`)
        const attached = takesValue(letter) && i + 1 < arg.length ? arg.slice(i + 1) : undefined
        await store(letter, attached, letter)
        if (takesValue(letter)) break
      }
    } else operands.push(arg)
  }
  return { flags, values, operands }
}

/** Prints `NAME: message` and a pointer to --help, and ends the tool. */
export async function fail(context: ToolContext, message: string, status = 1): Promise<never> {
  await context.warn(`${context.name}: ${message}\nTry '${context.name} --help' for more information.\n`)
  throw new Unwind('exit', status)
}

/** Prints `NAME: message`; the status is for `return`. */
export async function warn(context: ToolContext, message: string, status = 1): Promise<number> {
  await context.warn(`${context.name}: ${message}\n`)
  return status
}

/** `NAME: PATH: No such file or directory`, with our explanation beside it. */
export function warnRefusal(context: ToolContext, path: string, refusal: Refusal): Promise<number> {
  explainRefusal(context.world, refusal)
  return warn(context, `${path}: ${strerror(refusal.errno)}`)
}

export const stdin = (context: ToolContext): Promise<string> => readAll(context, context.fds.get(0))

/** Text of a file, or of standard input for `-`; undefined after the message when it cannot be read. */
export async function readOperand(context: ToolContext, path: string, bytes = Infinity): Promise<string | undefined> {
  if (path === '-') return stdin(context)
  if (path === '/dev/stdin') return stdin(context)
  if (isData(context, path)) return readData(context, path, bytes)
  const read = context.sys.read(context.pid, resolvePath(context.cwd, path))
  if (read.ok) return read.value
  await warnRefusal(context, path, read.error)
  return undefined
}

async function readData(context: ToolContext, path: string, bytes: number): Promise<string | undefined> {
  const text = await orRefused(context, dataText(context, path, bytes))
  if (text !== undefined) return text
  await warn(
    context,
    `${path}: more than ${KEPT_BYTES / 1_048_576} MiB: ${context.name} looks at every byte, and so much is not kept`,
  )
  return undefined
}

/**
 * A file of data that nobody looks at is only read; into another file it is copied.
 *
 * @returns false when somebody does look, and nothing was done
 */
export async function passedOn(context: ToolContext, path: string, bytes = Infinity): Promise<boolean> {
  const out = context.fds.get(1)
  if (!isData(context, path) || (out?.kind !== 'null' && (out?.kind !== 'output' || out.isPseudo))) return false
  const target = out.kind === 'null' ? undefined : { path: out.path, append: true, sync: false }
  await orRefused(context, writePieces(context, readPieces(context, path, { bytes, skip: 0 }), target))
  return true
}

/** Waits for work on files of data; what the kernel refuses ends the tool with its message. */
export async function orRefused<T>(context: ToolContext, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof DataError)) throw error
    throw new Unwind('exit', await warnRefusal(context, error.path, error.refusal))
  }
}

/** The lines of a text, without the empty piece after the last newline. */
export function linesOf(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

export const toText = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')
