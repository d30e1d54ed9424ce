/** mkdir, rmdir, rm, mv, cp, touch, ln's absence, readlink, basename, dirname and tee: names in directories. */
import type { Command } from '../../engine/commands'
import { strerror } from '../../util/errno'
import { basename as base, dirname as dir, resolvePath } from '../paths'
import { explainRefusal, type Tool, type ToolContext } from '../process'
import { order, readChunk } from '../stream'
import { isData, readPieces, writePieces } from './data'
import { fail, getOptions, orRefused, readOperand, warn, warnRefusal } from './options'

const absolute = (context: ToolContext, path: string): string => resolvePath(context.cwd, path)

/** Gives a command to the machine for each path; `failure` says what could not be done. */
async function each(
  context: ToolContext,
  paths: readonly string[],
  command: (path: string) => Command,
  failure: (path: string) => string,
): Promise<number> {
  if (paths.length === 0) return fail(context, 'missing operand')
  let status = 0
  for (const path of paths) {
    const done = context.sys.command(command(absolute(context, path)))
    if (done.ok) continue
    explainRefusal(context.world, done.error)
    status = await warn(context, `${failure(path)}: ${strerror(done.error.errno)}`)
  }
  return status
}

export const mkdir: Tool = {
  name: 'mkdir',
  summary: 'makes directories; in /sys/fs/cgroup: control groups',
  usage: 'mkdir [-p] DIRECTORY...',
  async run(context) {
    const { flags, operands } = await getOptions(context, 'pvm:', { parents: 'p' })
    return each(
      context,
      operands,
      (path) => ({ kind: 'mkdir', pid: context.pid, path, parents: flags.has('p') }),
      (path) => `cannot create directory '${path}'`,
    )
  },
}

export const rmdir: Tool = {
  name: 'rmdir',
  summary: 'removes empty directories and control groups',
  usage: 'rmdir DIRECTORY...',
  async run(context) {
    const { operands } = await getOptions(context, 'pv')
    return each(
      context,
      operands,
      (path) => ({ kind: 'rmdir', pid: context.pid, path }),
      (path) => `failed to remove '${path}'`,
    )
  },
}

export const rm: Tool = {
  name: 'rm',
  summary: 'removes files',
  usage: 'rm [-rf] FILE...',
  async run(context) {
    const { flags, operands } = await getOptions(context, 'rRfvi')
    let status = 0
    const isRecursive = flags.has('r') || flags.has('R')
    const remove = async (path: string): Promise<void> => {
      const stat = context.sys.stat(context.pid, absolute(context, path))
      if (!stat.ok) {
        if (!flags.has('f')) status = await warn(context, `cannot remove '${path}': ${strerror(stat.error.errno)}`)
        return
      }
      const isDirectory = stat.value.kind === 'dir'
      if (isDirectory && !isRecursive) {
        status = await warn(context, `cannot remove '${path}': Is a directory`)
        return
      }
      if (isDirectory) {
        const names = context.sys.list(context.pid, absolute(context, path))
        if (names.ok) for (const name of names.value) await remove(`${path}/${name}`)
      }
      const kind = isDirectory ? 'rmdir' : 'unlink'
      const done = context.sys.command({ kind, pid: context.pid, path: absolute(context, path) })
      if (!done.ok) {
        explainRefusal(context.world, done.error)
        status = await warn(context, `cannot remove '${path}': ${strerror(done.error.errno)}`)
      }
    }
    if (operands.length === 0 && !flags.has('f')) return fail(context, 'missing operand')
    for (const path of operands) await remove(path)
    return status
  },
}

/** The name inside a directory that cp and mv mean when their last operand is one. */
function destination(context: ToolContext, source: string, target: string): string {
  const stat = context.sys.stat(context.pid, absolute(context, target))
  return stat.ok && stat.value.kind === 'dir' ? `${target.replace(/\/$/, '')}/${base(source)}` : target
}

export const mv: Tool = {
  name: 'mv',
  summary: 'renames files',
  usage: 'mv SOURCE... DESTINATION',
  async run(context) {
    const operands = [...(await getOptions(context, 'fnv')).operands]
    const target = operands.pop()
    if (target === undefined || operands.length === 0) return fail(context, 'missing file operand')
    let status = 0
    for (const source of operands) {
      const to = destination(context, source, target)
      const done = context.sys.command({
        kind: 'rename',
        pid: context.pid,
        from: absolute(context, source),
        to: absolute(context, to),
      })
      if (done.ok) continue
      explainRefusal(context.world, done.error)
      status = await warn(context, `cannot move '${source}' to '${to}': ${strerror(done.error.errno)}`)
    }
    return status
  },
}

export const cp: Tool = {
  name: 'cp',
  summary: 'copies files',
  usage: 'cp SOURCE... DESTINATION',
  async run(context) {
    const operands = [...(await getOptions(context, 'fpva')).operands]
    const target = operands.pop()
    if (target === undefined || operands.length === 0) return fail(context, 'missing file operand')
    let status = 0
    for (const source of operands) {
      if (isData(context, source)) {
        const copy = { path: destination(context, source, target), append: false, sync: false }
        const pieces = readPieces(context, source, { bytes: Infinity, skip: 0 })
        await orRefused(context, writePieces(context, pieces, copy))
        continue
      }
      const text = await readOperand(context, source)
      if (text === undefined) {
        status = 1
        continue
      }
      const to = destination(context, source, target)
      const written = context.sys.write(context.pid, absolute(context, to), text, { create: true, append: false })
      if (!written.ok) status = await warnRefusal(context, to, written.error)
    }
    return status
  },
}

export const touch: Tool = {
  name: 'touch',
  summary: 'creates empty files',
  usage: 'touch FILE...',
  async run(context) {
    const { flags, operands } = await getOptions(context, 'acmr:d:t:')
    let status = 0
    for (const path of operands) {
      if (context.sys.stat(context.pid, absolute(context, path)).ok || flags.has('c')) continue
      const made = context.sys.write(context.pid, absolute(context, path), '', { create: true, append: true })
      if (made.ok) continue
      explainRefusal(context.world, made.error)
      status = await warn(context, `cannot touch '${path}': ${strerror(made.error.errno)}`)
    }
    return status
  },
}

export const readlink: Tool = {
  name: 'readlink',
  summary: 'prints where a symbolic link leads',
  usage: 'readlink [-f] FILE...',
  async run(context) {
    const { flags, operands } = await getOptions(context, 'fen')
    let status = 0
    for (const path of operands) {
      let current = absolute(context, path)
      let stat = context.sys.stat(context.pid, current)
      const isLink = stat.ok && stat.value.kind === 'symlink'
      if (!isLink && !flags.has('f')) {
        status = 1
        continue
      }
      if (!flags.has('f')) {
        await context.print(`${stat.ok ? stat.value.target : ''}\n`)
        continue
      }
      for (let i = 0; i < 40 && stat.ok && stat.value.kind === 'symlink'; i++) {
        current = resolvePath(dir(current), stat.value.target)
        stat = context.sys.stat(context.pid, current)
      }
      await context.print(`${current}\n`)
    }
    return status
  },
}

export const basename: Tool = {
  name: 'basename',
  summary: 'the last part of a path',
  usage: 'basename PATH [SUFFIX]',
  async run(context) {
    const { operands } = await getOptions(context, '')
    const [path, suffix = ''] = operands
    if (path === undefined) return fail(context, 'missing operand')
    const name = base(path)
    await context.print(
      `${suffix !== '' && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name}\n`,
    )
    return 0
  },
}

export const dirname: Tool = {
  name: 'dirname',
  summary: 'a path without its last part',
  usage: 'dirname PATH...',
  async run(context) {
    const { operands } = await getOptions(context, '')
    if (operands.length === 0) return fail(context, 'missing operand')
    for (const path of operands) await context.print(`${dir(path)}\n`)
    return 0
  },
}

export const tee: Tool = {
  name: 'tee',
  summary: 'copies standard input to files and to standard output',
  usage: 'tee [-a] [FILE]...',
  async run(context) {
    const { flags, operands } = await getOptions(context, 'ai', { append: 'a' })
    let status = 0
    const open = new Set<string>()
    for (const path of operands) {
      const stat = context.sys.stat(context.pid, absolute(context, path))
      const isPseudo = /^\/(proc|sys|dev)\//.test(absolute(context, path))
      if (isPseudo) {
        if (stat.ok) open.add(path)
        else status = await warnRefusal(context, path, stat.error)
        continue
      }
      const made = context.sys.write(context.pid, absolute(context, path), '', { create: true, append: flags.has('a') })
      if (made.ok) open.add(path)
      else status = await warnRefusal(context, path, made.error)
    }
    for (;;) {
      const chunk = await readChunk(context, context.fds.get(0))
      if (chunk === undefined) return status
      await context.print(chunk)
      for (const path of [...open]) {
        if (path === '/dev/null') continue
        const isPseudo = /^\/(proc|sys|dev)\//.test(absolute(context, path))
        const written = isPseudo
          ? await order(context, absolute(context, path), chunk)
          : context.sys.write(context.pid, absolute(context, path), chunk, { create: true, append: true })
        if (written.ok) continue
        status = await warnRefusal(context, path, written.error)
        open.delete(path)
      }
    }
  },
}
