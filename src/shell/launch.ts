/**
 * Programs and tools as processes. A simulated program runs inside the machine and writes its own files; a tool (cat,
 * grep …) is a real simulated task too, but what it computes is computed here, once the task is loaded.
 */
import type { Refusal, Stdio } from '../engine/commands'
import { strerror } from '../util/errno'
import { Doom, Unwind } from './control'
import { programIn } from './executable'
import { basename, dirname, resolvePath } from './paths'
import {
  explainRefusal,
  hold,
  type LaunchRequest,
  type LaunchResult,
  type Tool,
  type ToolContext,
  type World,
} from './process'
import { IoError, writeTo, type Actor, type Descriptor } from './stream'

const BIN = new Set(['/bin', '/usr/bin', '/sbin', '/usr/sbin', '/usr/local/bin'])
const SIGPIPE = 13

/** Finds `argv[0]` and starts it as a child of `parent`. */
export function launch(world: World, parent: number, request: LaunchRequest): LaunchResult {
  const name = request.argv[0] ?? ''
  if (!name.includes('/')) return launchNamed(world, parent, name, request)
  const path = resolvePath(request.cwd, name)
  const stat = world.sys.stat(parent, path)
  const base = basename(path)
  const isKnown = BIN.has(dirname(path)) || (stat.ok && stat.value.kind === 'file')
  if (isKnown && (world.sys.isProgram(base) || base in world.tools)) return launchNamed(world, parent, base, request)
  if (!stat.ok) return { ok: false, status: 127, message: `${name}: ${strerror(stat.error.errno)}` }
  if (stat.value.kind === 'dir') return { ok: false, status: 126, message: `${name}: Is a directory` }
  const text = world.sys.read(parent, path)
  const program = text.ok ? programIn(text.value) : undefined
  if (program !== undefined) return launchProgram(world, parent, request, { program, path })
  const isScript = text.ok && (stat.value.executable || text.value.startsWith('#!'))
  if (!isScript) return { ok: false, status: 126, message: `${name}: Permission denied` }
  const interpreter = /^#!\s*\S*bash/.test(text.value) ? 'bash' : 'sh'
  return launchNamed(world, parent, interpreter, { ...request, argv: [interpreter, name, ...request.argv.slice(1)] })
}

function launchNamed(world: World, parent: number, name: string, request: LaunchRequest): LaunchResult {
  if (world.sys.isProgram(name))
    return launchProgram(world, parent, { ...request, argv: [name, ...request.argv.slice(1)] })
  const tool = Object.hasOwn(world.tools, name) ? world.tools[name] : undefined
  if (tool !== undefined) return launchTool(world, parent, tool, request)
  world.explain(`There is no program "${name}" on this machine. \`help\` lists what there is.`)
  return { ok: false, status: 127, message: `${name}: command not found` }
}

function refused(world: World, refusal: Refusal): LaunchResult {
  explainRefusal(world, refusal)
  return { ok: false, status: 254, message: `fork: ${strerror(refusal.errno)}` }
}

function launchProgram(
  world: World,
  parent: number,
  request: LaunchRequest,
  built?: { readonly program: string; readonly path: string },
): LaunchResult {
  const { fds } = request
  let pid = 0
  const spawned = world.sys.spawn(
    parent,
    {
      argv: request.argv,
      env: request.env,
      stdin: fds.get(0)?.kind === 'terminal' ? { to: 'host' } : { to: 'null' },
      stdout: outputStdio(fds.get(1)),
      stderr: outputStdio(fds.get(2)),
      ...(built === undefined ? {} : { built }),
    },
    (fd, text) => {
      if (!deliver(fds.get(fd), text)) world.sys.kill(pid, pid, SIGPIPE)
    },
  )
  if (!spawned.ok) return refused(world, spawned.error)
  pid = spawned.value
  const release = hold(fds)
  request.group.pids.add(pid)
  const done = world.sys.wait(parent, pid).then((status) => {
    request.group.pids.delete(pid)
    release()
    return status
  })
  return { ok: true, launched: { pid, done, wasKilled: () => true } }
}

function outputStdio(descriptor: Descriptor | undefined): Stdio {
  if (descriptor?.kind === 'output') return { to: 'file', path: descriptor.path, append: !descriptor.isPseudo }
  return descriptor === undefined || descriptor.kind === 'null' ? { to: 'null' } : { to: 'host' }
}

/** Output of a program, as it comes; false when nobody reads its pipe any more. */
function deliver(descriptor: Descriptor | undefined, text: string): boolean {
  if (descriptor?.kind === 'terminal') descriptor.emit(text, descriptor.stream)
  else if (descriptor?.kind === 'capture') descriptor.text += text
  else if (descriptor?.kind === 'pipe') {
    if (descriptor.pipe.readers <= 0) return false
    descriptor.pipe.push(text)
  }
  return true
}

function launchTool(world: World, parent: number, tool: Tool, request: LaunchRequest): LaunchResult {
  const spawned = world.sys.spawnTool(parent, request.argv)
  if (!spawned.ok) return refused(world, spawned.error)
  const { pid, ready } = spawned.value
  const doom = new Doom()
  const release = hold(request.fds)
  request.group.pids.add(pid)
  let hasExited = false
  const ended = world.sys.wait(parent, pid).then((status) => {
    doom.die()
    request.group.pids.delete(pid)
    release()
    return status
  })
  const worked = ready.then(async (isLoaded) => {
    const status = isLoaded ? await work(world, tool, request, { sys: world.sys, pid, doom }) : undefined
    release()
    if (status === undefined) return
    hasExited = true
    world.sys.exit(pid, status)
  })
  // A failure of the tool's own code must reach whoever waits.
  const done = Promise.race([ended, worked.then(() => ended)])
  return { ok: true, launched: { pid, done, wasKilled: () => !hasExited } }
}

/** Runs the tool to its status; undefined when it was killed. */
async function work(world: World, tool: Tool, request: LaunchRequest, actor: Actor): Promise<number | undefined> {
  const context = toolContext(world, request, actor)
  try {
    if (context.args[0] === '--help' && tool.usage !== '') {
      await context.print(`Usage: ${tool.usage}\n${tool.summary}\n`)
      return 0
    }
    return (await tool.run(context)) & 255
  } catch (error) {
    if (error instanceof IoError) return writeFailed(context, error)
    if (!(error instanceof Unwind)) throw error
    if (error.kind === 'exit') return error.value & 255
    if (error.kind === 'brokenPipe') world.sys.kill(actor.pid, actor.pid, SIGPIPE)
    return undefined
  }
}

async function writeFailed(context: ToolContext, error: IoError): Promise<number> {
  explainRefusal(context.world, error.refusal)
  await context.warn(`${context.name}: write error: ${error.message}\n`)
  return 1
}

function toolContext(world: World, request: LaunchRequest, actor: Actor): ToolContext {
  const { watch } = request
  const write = async (fd: number, text: string): Promise<void> => {
    try {
      await writeTo(actor, request.fds.get(fd), text)
    } catch (error) {
      if (error instanceof IoError) watch?.wrote(fd, text, error.refusal.errno)
      throw error
    }
    if (text !== '') watch?.wrote(fd, text)
  }
  return {
    world,
    ...actor,
    sys: watch === undefined ? actor.sys : watch.sys(actor.sys),
    name: basename(request.argv[0] ?? ''),
    args: request.argv.slice(1),
    env: request.env,
    cwd: request.cwd,
    fds: request.fds,
    group: request.group,
    size: world.size,
    print: (text) => write(1, text),
    warn: async (text) => {
      try {
        await write(2, text)
      } catch (error) {
        if (error instanceof Unwind) throw error
        // Standard error is closed: there is nobody to tell.
      }
    },
  }
}
