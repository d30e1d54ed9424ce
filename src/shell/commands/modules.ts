/** lsmod, modprobe, insmod, rmmod, modinfo: kernel modules, in kmod's words. */
import { strerror, type Errno } from '../../util/errno'
import { basename, resolvePath } from '../paths'
import type { Tool, ToolContext } from '../process'
import { fail, getOptions, readOperand } from './options'

const CONTROL = '/sys/kernel/debug/pagewalk/modules'

const ask = (context: ToolContext, text: string): Errno | undefined => {
  const done = context.sys.write(context.pid, CONTROL, `${text}\n`, { create: false, append: false })
  return done.ok ? undefined : done.error.errno
}

export const lsmod: Tool = {
  name: 'lsmod',
  summary: 'kernel modules that are loaded',
  usage: 'lsmod',
  async run(context) {
    const rows = ((await readOperand(context, '/proc/modules')) ?? '').split('\n').filter((row) => row !== '')
    await context.print('Module                  Size  Used by\n')
    for (const row of rows) {
      const [name = '', size = '', users = ''] = row.split(' ')
      await context.print(`${name.padEnd(19)} ${size.padStart(8)}  ${users}\n`)
    }
    return 0
  },
}

/** Names that can be loaded: heads of the catalogue's paragraphs. */
async function known(context: ToolContext): Promise<string[]> {
  const text = (await readOperand(context, CONTROL)) ?? ''
  return [...text.matchAll(/^(\w+):/gm)].map(([, name]) => name!)
}

const words = (errno: Errno): string => (errno === 'ENOENT' ? 'Module not found' : strerror(errno))

export const modprobe: Tool = {
  name: 'modprobe',
  summary: 'loads a kernel module by its name, or with -r takes one out',
  usage: 'modprobe [-rq] NAME [PARAM=VALUE]...',
  async run(context) {
    const { flags, operands } = await getOptions(context, 'rqv', { remove: 'r', quiet: 'q' })
    const [name, ...params] = operands
    if (name === undefined) return fail(context, 'ERROR: missing parameters. See -h.')
    if (flags.has('r')) return remove(context, 'modprobe', name)
    if (!(await known(context)).includes(name)) {
      if (!flags.has('q'))
        await context.warn(
          `modprobe: FATAL: Module ${name} not found in directory /lib/modules/${await release(context)}\n`,
        )
      return 1
    }
    const errno = ask(context, ['load', name, ...params].join(' '))
    if (errno === undefined || errno === 'EEXIST') return 0
    await context.warn(`modprobe: ERROR: could not insert '${name}': ${words(errno)}\n`)
    return 1
  },
}

const release = async (context: ToolContext): Promise<string> =>
  ((await readOperand(context, '/proc/sys/kernel/osrelease')) ?? '').trim()

async function remove(context: ToolContext, tool: string, name: string): Promise<number> {
  const errno = ask(context, `unload ${name}`)
  if (errno === undefined) return 0
  const what =
    tool === 'modprobe' ? `FATAL: Module ${name} is not in kernel.` : `ERROR: Module ${name} is not currently loaded`
  await context.warn(
    errno === 'ENOENT' ? `${tool}: ${what}\n` : `${tool}: ERROR: could not remove '${name}': ${strerror(errno)}\n`,
  )
  return 1
}

export const rmmod: Tool = {
  name: 'rmmod',
  summary: 'takes a kernel module out',
  usage: 'rmmod NAME...',
  async run(context) {
    const { operands } = await getOptions(context, 'fvsw')
    if (operands.length === 0) return fail(context, 'ERROR: missing module name.')
    let status = 0
    for (const name of operands) status = (await remove(context, 'rmmod', name.replace(/\.ko$/, ''))) || status
    return status
  },
}

export const insmod: Tool = {
  name: 'insmod',
  summary: 'loads a kernel module from its file, /lib/modules/*/extra/NAME.ko',
  usage: 'insmod FILE [PARAM=VALUE]...',
  async run(context) {
    const [file, ...params] = context.args
    if (file === undefined) return fail(context, 'missing filename')
    const stat = context.sys.stat(context.pid, resolvePath(context.cwd, file))
    if (!stat.ok) {
      await context.warn(`insmod: ERROR: could not load module ${file}: ${strerror(stat.error.errno)}\n`)
      return 1
    }
    const name = basename(file).replace(/\.ko(\.xz|\.zst)?$/, '')
    const isModule = file.includes('.ko') && (await known(context)).includes(name)
    const errno = isModule ? ask(context, ['load', name, ...params].join(' ')) : 'ENOEXEC'
    if (errno === undefined) return 0
    const reason = errno === 'ENOEXEC' ? 'Invalid module format' : strerror(errno)
    await context.warn(`insmod: ERROR: could not insert module ${file}: ${reason}\n`)
    return 1
  },
}

export const modinfo: Tool = {
  name: 'modinfo',
  summary: 'what a kernel module is, and its parameters',
  usage: 'modinfo NAME',
  async run(context) {
    const [name] = context.args
    if (name === undefined) return fail(context, 'ERROR: missing module or filename.')
    const text = (await readOperand(context, CONTROL)) ?? ''
    const lines = text.split('\n')
    const at = lines.findIndex((line) => line.startsWith(`${name}: `))
    if (at < 0) {
      await context.warn(`modinfo: ERROR: Module ${name} not found.\n`)
      return 1
    }
    await context.print(`filename:       /lib/modules/${await release(context)}/extra/${name}.ko\n`)
    await context.print(`description:    ${lines[at]!.slice(name.length + 2)}\nname:           ${name}\n`)
    for (let i = at + 1; lines[i]?.startsWith('  ') === true; i++) {
      const [, key = '', fallback = '', meaning = ''] = /^ {2}(\w+)=(\S+) {2}(.*)$/.exec(lines[i]!) ?? []
      await context.print(`parm:           ${key}:${meaning}; ${fallback} by default (int)\n`)
    }
    return 0
  },
}
