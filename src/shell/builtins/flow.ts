/** break, continue, return, exit, shift, eval, `.`, true, false, `:`. */
import { strerror } from '../../util/errno'
import { Unwind } from '../control'
import { resolvePath } from '../paths'
import { explainRefusal, type Builtin, type Proc } from '../process'
import { refuse } from './say'

const leave =
  (kind: 'break' | 'continue') =>
  (proc: Proc, args: readonly string[]): number => {
    if (proc.loopDepth === 0) return 0
    throw new Unwind(kind, Math.max(1, Number(args[0] ?? 1) || 1))
  }

const status = (proc: Proc, args: readonly string[]): number =>
  args[0] === undefined ? proc.status : (Number(args[0]) || 0) & 255

async function source(proc: Proc, args: readonly string[]): Promise<number> {
  const file = args[0]
  if (file === undefined) return refuse(proc, '.: filename argument required', 2)
  const read = proc.sys.read(proc.pid, resolvePath(proc.cwd, file))
  if (!read.ok) {
    explainRefusal(proc.world, read.error)
    const message =
      proc.dialect === 'sh'
        ? `.: can't open '${file}': ${strerror(read.error.errno)}`
        : `${file}: ${strerror(read.error.errno)}`
    await refuse(proc, message)
    if (proc.dialect === 'sh') throw new Unwind('exit', 2)
    return 1
  }
  const saved = proc.positional
  if (args.length > 1) proc.positional = args.slice(1)
  try {
    return await proc.world.runText(proc, read.value)
  } catch (error) {
    if (error instanceof Unwind && error.kind === 'return') return error.value
    throw error
  } finally {
    if (args.length > 1) proc.positional = saved
  }
}

export const flow: readonly Builtin[] = [
  { name: ':', summary: 'does nothing, with status 0', run: () => 0 },
  { name: 'true', summary: 'status 0', run: () => 0 },
  { name: 'false', summary: 'status 1', run: () => 1 },
  { name: 'break', summary: 'leaves a loop', run: leave('break') },
  { name: 'continue', summary: 'goes on with the next turn of a loop', run: leave('continue') },
  {
    name: 'return',
    summary: 'leaves a function or a sourced file',
    run(proc, args) {
      throw new Unwind('return', status(proc, args))
    },
  },
  {
    name: 'exit',
    summary: 'ends the shell',
    run(proc, args) {
      throw new Unwind('exit', status(proc, args))
    },
  },
  {
    name: 'poweroff',
    summary: 'ends this shell',
    run() {
      throw new Unwind('exit', 0)
    },
  },
  {
    name: 'shift',
    summary: 'drops the first positional parameters',
    run(proc, args) {
      const n = Number(args[0] ?? 1)
      if (n > proc.positional.length) return 1
      proc.positional.splice(0, n)
      return 0
    },
  },
  {
    name: 'eval',
    summary: 'runs its arguments as a command',
    run: (proc, args) => (args.length === 0 ? 0 : proc.world.runText(proc, args.join(' '))),
  },
  { name: '.', summary: 'runs a file in this shell', run: source },
  { name: 'source', summary: 'runs a file in this shell', run: source },
]
