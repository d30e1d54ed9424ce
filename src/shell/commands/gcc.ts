/**
 * gcc: builds the workbook's programs. There is no compiler in the machine: a source that is exactly one of the
 * workbook's becomes an executable that runs as its simulated program; any other is refused with the list.
 */
import { BOOK } from '../../workloads/book'
import { EXECUTABLE_BYTES, executableText } from '../executable'
import { resolvePath } from '../paths'
import type { Tool, ToolContext } from '../process'
import { warn } from './options'

interface GccArguments {
  readonly sources: readonly string[]
  readonly output: string
  /** Options that mean something that is not done here: -c, -S, -E, a library. */
  readonly refused: string | undefined
}

/** Options of compilation that change nothing in what a program does to memory. */
const HARMLESS = /^-(?:O[0123sgz]?|W.*|g\d?|std=.*|pedantic|pipe|static|f[a-z].*|D_\w+(?:=\w*)?|v)$/

function parseArguments(args: readonly string[]): GccArguments {
  const sources: string[] = []
  let output = 'a.out'
  let refused: string | undefined
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (arg === '-o') output = args[++i] ?? ''
    else if (arg.startsWith('-o')) output = arg.slice(2)
    else if (!arg.startsWith('-')) sources.push(arg)
    else if (!HARMLESS.test(arg)) refused ??= arg
  }
  return { sources, output, refused }
}

async function fatal(context: ToolContext, message: string): Promise<number> {
  await context.warn(`gcc: fatal error: ${message}\ncompilation terminated.\n`)
  return 1
}

const names = (): string => BOOK.map((b) => `${b.name}.c`).join(', ')

async function build(context: ToolContext, { sources, output }: GccArguments): Promise<number> {
  const source = sources[0]!
  const text = context.sys.read(context.pid, resolvePath(context.cwd, source))
  if (!text.ok) {
    const status = await fatal(context, `${source}: No such file or directory`)
    context.world.explain(`The sources that can be built lie in ~: ${names()}.`)
    return status
  }
  const found = BOOK.find((b) => b.source === text.value)
  if (found === undefined) {
    const isKnown = BOOK.some((b) => source.endsWith(`${b.name}.c`))
    await context.warn(
      `gcc: error: ${source}: ${isKnown ? 'changed since it was installed, and ' : ''}this machine has no compiler\n` +
        `gcc: note: it builds the programs of the workbook, from their sources as they are: ${names()}\n`,
    )
    return 1
  }
  const path = resolvePath(context.cwd, output)
  const written = context.sys.write(context.pid, path, executableText(found.program.name), {
    create: true,
    append: false,
    sizeBytes: EXECUTABLE_BYTES,
  })
  if (written.ok) return 0
  await context.warn(`/usr/bin/ld: cannot open output file ${output}: ${written.error.errno}\n`)
  await context.warn('collect2: error: ld returned 1 exit status\n')
  return 1
}

const compiler = (name: string): Tool => ({
  name,
  summary: "builds the workbook's C programs",
  usage: `${name} [-O2] [-Wall] SOURCE.c [-o OUTPUT]`,
  async run(context) {
    if (context.args.includes('--version')) {
      await context.print("gcc of the simulated machine: builds the workbook's programs\n")
      return 0
    }
    const given = parseArguments(context.args)
    if (given.refused !== undefined) {
      await warn(context, `error: option '${given.refused}' is not known here`)
      context.world.explain('A program is built in one step: gcc [-O2] [-Wall] SOURCE.c [-o OUTPUT].')
      return 1
    }
    if (given.sources.length === 0) return fatal(context, 'no input files')
    if (given.sources.length > 1) return fatal(context, 'one source at a time')
    if (given.output === '') return fatal(context, "missing filename after '-o'")
    return build(context, given)
  },
})

export const gcc = compiler('gcc')
export const cc = compiler('cc')
