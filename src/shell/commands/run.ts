/** How a tool runs another command: as its child, with its descriptors. */
import type { Launched, ToolContext, ToolWatch } from '../process'
import type { Descriptors } from '../stream'
import { runToEnd } from '../fork'
import { createProc } from '../process'

export interface Run {
  readonly noInput?: boolean
  readonly fds?: Descriptors
  readonly env?: Readonly<Record<string, string>>
  readonly watch?: ToolWatch
}

/** Starts a command; undefined after its message when there is none of that name. A builtin runs in the tool itself. */
export async function startCommand(
  context: ToolContext,
  argv: readonly string[],
  how: Run = {},
): Promise<Launched | number> {
  const fds = new Map(how.fds ?? context.fds)
  if (how.noInput) fds.set(0, { kind: 'null' })
  const env = how.env ?? context.env
  const name = argv[0] ?? ''
  const isBuiltin = Object.hasOwn(context.world.builtins, name)
  if (isBuiltin && !context.sys.isProgram(name) && !Object.hasOwn(context.world.tools, name)) {
    const proc = createProc({
      world: context.world,
      pid: context.pid,
      group: context.group,
      doom: context.doom,
      name: context.name,
      dialect: 'bash',
      cwd: context.cwd,
      env,
      fds,
      positional: [],
    })
    return (await runToEnd(proc, async (p) => context.world.builtins[name]?.run(p, argv.slice(1)) ?? 127)) ?? 137
  }
  const started = context.world.launch(context.pid, {
    argv,
    env,
    cwd: context.cwd,
    fds,
    group: context.group,
    ...(how.watch === undefined ? {} : { watch: how.watch }),
  })
  if (started.ok) return started.launched
  await context.warn(
    `${context.name}: ${started.message.replace(': command not found', ': No such file or directory')}\n`,
  )
  return started.status
}

/** Runs a command to its end. */
export async function runCommand(context: ToolContext, argv: readonly string[], how: Run = {}): Promise<number> {
  const started = await startCommand(context, argv, how)
  if (typeof started === 'number') return started
  return context.doom.race(started.done, { interruptible: false })
}
