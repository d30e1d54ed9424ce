/** Redirections: from the words after `>`, `<` and `<<` to descriptors, with the messages of bash and of busybox sh. */
import type { Redirection, Word } from 'unbash'
import type { Refusal } from '../engine/commands'
import { strerror } from '../util/errno'
import { err, ok, type Result } from '../util/result'
import { expandPartsToText, expandText } from './expand'
import { complainOn } from './fork'
import { resolvePath } from './paths'
import { explainRefusal, type Proc } from './process'
import { isPseudoPath, type Descriptor, type Descriptors } from './stream'

/** Applies redirections in order to a copy of `fds`; undefined when one failed (the message is printed). */
export async function redirected(
  proc: Proc,
  redirects: readonly Redirection[],
  fds: Descriptors,
): Promise<Map<number, Descriptor> | undefined> {
  const table = new Map(fds)
  for (const redirect of redirects) {
    const descriptor = redirect.descriptor
    const fd = descriptor?.type === 'FileDescriptor' ? descriptor.value : undefined
    if (redirect.type === 'HereDoc') {
      const text = await hereText(proc, redirect)
      table.set(fd ?? 0, { kind: 'input', text, position: 0, path: '' })
    } else if (redirect.type === 'HereString') {
      const text = `${await expandText(proc, redirect.target)}\n`
      table.set(fd ?? 0, { kind: 'input', text, position: 0, path: '' })
    } else if (!(await redirectOne(proc, table, redirect.operator, fd, redirect.target))) return undefined
  }
  return table
}

async function hereText(proc: Proc, here: Extract<Redirection, { type: 'HereDoc' }>): Promise<string> {
  const isQuoted = here.delimiter?.quoted ?? false
  const parts = here.body.parts
  const text = isQuoted || parts === undefined ? here.body.text : await expandPartsToText(proc, parts)
  return here.operator === '<<-' ? text.replace(/^\t+/gm, '') : text
}

async function redirectOne(
  proc: Proc,
  table: Map<number, Descriptor>,
  operator: string,
  fd: number | undefined,
  word: Word | undefined,
): Promise<boolean> {
  const target = await expandText(proc, word)
  if ((operator === '>&' || operator === '<&') && /^(\d+|-)$/.test(target)) {
    const to = fd ?? (operator === '>&' ? 1 : 0)
    if (target === '-') {
      table.delete(to)
      return true
    }
    const source = table.get(Number(target))
    if (source === undefined) return fail(proc, table, `${target}: Bad file descriptor`)
    table.set(to, source)
    return true
  }
  const isInput = operator === '<' || operator === '<>'
  const path = resolvePath(proc.cwd, target)
  const opened = isInput ? openInput(proc, path, table) : openOutput(proc, path, operator.endsWith('>>'), table)
  if (!opened.ok) {
    explainRefusal(proc.world, opened.error)
    return fail(proc, table, openMessage(proc, target, opened.error, isInput))
  }
  if (operator.startsWith('&') || (operator === '>&' && fd === undefined)) {
    table.set(1, opened.value)
    table.set(2, opened.value)
  } else table.set(fd ?? (isInput ? 0 : 1), opened.value)
  return true
}

async function fail(proc: Proc, table: Descriptors, message: string): Promise<false> {
  await complainOn(proc, table, message)
  return false
}

function openMessage(proc: Proc, target: string, refusal: Refusal, isInput: boolean): string {
  if (proc.dialect === 'bash') return `${target}: ${strerror(refusal.errno)}`
  const missing = isInput ? 'no such file' : 'nonexistent directory'
  const reason = refusal.errno === 'ENOENT' ? missing : strerror(refusal.errno)
  return `can't ${isInput ? 'open' : 'create'} ${target}: ${reason}`
}

export function openInput(proc: Proc, path: string, fds: Descriptors): Result<Descriptor, Refusal> {
  const special = standardStream(path, fds)
  if (special !== undefined) return ok(special)
  const read = proc.sys.read(proc.pid, path)
  return read.ok ? ok({ kind: 'input', text: read.value, position: 0, path }) : err(read.error)
}

/** open(2) for writing. A plain file is created or truncated here; a pseudo-file must exist and allow writing. */
export function openOutput(
  proc: Pick<Proc, 'sys' | 'pid'>,
  path: string,
  append: boolean,
  fds: Descriptors,
): Result<Descriptor, Refusal> {
  const special = standardStream(path, fds)
  if (special !== undefined) return ok(special)
  const isPseudo = isPseudoPath(path)
  if (!isPseudo) {
    const opened = proc.sys.write(proc.pid, path, '', { create: true, append })
    return opened.ok ? ok({ kind: 'output', path, isPseudo }) : err(opened.error)
  }
  const stat = proc.sys.stat(proc.pid, path)
  if (!stat.ok) return err(missingPseudo(proc, path, stat.error))
  if (stat.value.kind === 'dir') return err({ errno: 'EISDIR', explanation: '' })
  const refusesOpen = path.startsWith('/sys/') || path.startsWith('/proc/sys/')
  if (!stat.value.writable && refusesOpen && stat.value.kind === 'file')
    return err({ errno: 'EACCES', explanation: `${path} can only be read.` })
  return ok({ kind: 'output', path, isPseudo })
}

/** kernfs has no create(): a missing name in an existing directory of /sys is "Permission denied", in /proc it is missing. */
function missingPseudo(proc: Pick<Proc, 'sys' | 'pid'>, path: string, refusal: Refusal): Refusal {
  if (!path.startsWith('/sys/') || refusal.errno !== 'ENOENT') return refusal
  const directory = path.slice(0, path.lastIndexOf('/')) || '/'
  if (!proc.sys.stat(proc.pid, directory).ok) return refusal
  return { errno: 'EACCES', explanation: `There is no file ${path}, and none can be created there.` }
}

function standardStream(path: string, fds: Descriptors): Descriptor | undefined {
  switch (path) {
    case '/dev/null':
      return { kind: 'null' }
    case '/dev/stdin':
      return fds.get(0)
    case '/dev/stdout':
      return fds.get(1)
    case '/dev/stderr':
      return fds.get(2)
    case '/dev/tty':
      return [...fds.values()].find((d) => d.kind === 'terminal')
    default:
      return undefined
  }
}
