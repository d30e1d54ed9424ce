/** env, printenv, which, nohup, man, seq and yes: small tools around commands and numbers. */
import { formatPrintf } from '../printf'
import type { Tool } from '../process'
import { fail, getOptions, warn } from './options'
import { runCommand } from './run'

const listing = (env: Readonly<Record<string, string>>): string =>
  Object.entries(env)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')

export const env: Tool = {
  name: 'env',
  summary: 'prints the environment, or runs a command with another one',
  usage: 'env [-i] [-u NAME] [NAME=VALUE]... [COMMAND [ARGUMENT]...]',
  async run(context) {
    const rest = [...context.args]
    let changed: Record<string, string> = { ...context.env }
    while (rest[0]?.startsWith('-')) {
      const arg = rest.shift()
      if (arg === '-i' || arg === '-') changed = {}
      else if (arg === '-u') delete changed[rest.shift() ?? '']
      else return fail(context, `invalid option -- '${arg?.slice(1)}'`, 125)
    }
    for (
      let found = /^(\w+)=([^]*)$/.exec(rest[0] ?? '');
      found !== null;
      found = /^(\w+)=([^]*)$/.exec(rest[0] ?? '')
    ) {
      changed[found[1] ?? ''] = found[2] ?? ''
      rest.shift()
    }
    if (rest.length > 0) return runCommand(context, rest, { env: changed })
    await context.print(listing(changed))
    return 0
  },
}

export const printenv: Tool = {
  name: 'printenv',
  summary: 'prints environment variables',
  usage: 'printenv [NAME]...',
  async run(context) {
    if (context.args.length === 0) await context.print(listing(context.env))
    let status = 0
    for (const name of context.args) {
      const value = context.env[name]
      if (value === undefined) status = 1
      else await context.print(`${value}\n`)
    }
    return status
  },
}

export const which: Tool = {
  name: 'which',
  summary: 'where a command is',
  usage: 'which NAME...',
  async run(context) {
    let status = 0
    for (const name of context.args) {
      const isThere = context.sys.isProgram(name) || Object.hasOwn(context.world.tools, name)
      if (isThere) await context.print(`/usr/bin/${name}\n`)
      else status = 1
    }
    return status
  },
}

export const nohup: Tool = {
  name: 'nohup',
  summary: 'runs a command',
  usage: 'nohup COMMAND [ARGUMENT]...',
  run: (context) =>
    context.args.length === 0 ? fail(context, 'missing operand', 125) : runCommand(context, context.args),
}

export const man: Tool = {
  name: 'man',
  summary: 'says in a few words what a command does',
  usage: 'man NAME',
  async run(context) {
    const [name] = context.args
    if (name === undefined) {
      await context.warn('What manual page do you want?\n')
      return 1
    }
    const tool = Object.hasOwn(context.world.tools, name) ? context.world.tools[name] : undefined
    const builtin = Object.hasOwn(context.world.builtins, name) ? context.world.builtins[name] : undefined
    if (tool !== undefined) await context.print(`${name} - ${tool.summary}\n\nUsage: ${tool.usage}\n`)
    else if (builtin !== undefined) await context.print(`${name} - ${builtin.summary} (shell builtin)\n`)
    else if (context.sys.isProgram(name))
      await context.print(`${name} - a program that runs inside this machine; ${name} --help says more\n`)
    else return warn(context, `No manual entry for ${name}`, 16)
    return 0
  },
}

export const seq: Tool = {
  name: 'seq',
  summary: 'counts',
  usage: 'seq [-w] [-s SEPARATOR] [-f FORMAT] [FIRST [STEP]] LAST',
  async run(context) {
    const { flags, values, operands } = await getOptions(
      context,
      'ws:f:',
      {},
      // Negative numbers are no options.
      context.args.map((arg) => (/^-\d/.test(arg) ? `\0${arg}` : arg)),
    )
    const numbers = operands.map((arg) => arg.replace('\0', ''))
    const bad = numbers.find((text) => text.trim() === '' || Number.isNaN(Number(text)))
    if (bad !== undefined) return fail(context, `invalid floating point argument: '${bad}'`)
    if (numbers.length === 0) return fail(context, 'missing operand')
    const [first, step, last] =
      numbers.length === 1 ? ['1', '1', numbers[0]] : numbers.length === 2 ? [numbers[0], '1', numbers[1]] : numbers
    const decimals = Math.max(...[first, step].map((text) => (text?.split('.')[1] ?? '').length))
    const [from, by, to] = [Number(first), Number(step), Number(last)]
    if (by === 0) return fail(context, `invalid Zero increment value: '${step}'`)
    const shown: string[] = []
    const count = Math.floor((to - from) / by + 1e-9)
    for (let i = 0; i <= count; i++) {
      const value = (from + i * by).toFixed(decimals)
      const format = values.get('f')
      shown.push(format === undefined ? value : formatPrintf(format, [value]).text)
    }
    const width = flags.has('w') ? Math.max(...shown.map((text) => text.length)) : 0
    const padded = shown.map((text) =>
      text.startsWith('-') ? `-${text.slice(1).padStart(width - 1, '0')}` : text.padStart(width, '0'),
    )
    if (padded.length > 0) await context.print(`${padded.join(values.get('s') ?? '\n')}\n`)
    return 0
  },
}

export const yes: Tool = {
  name: 'yes',
  summary: 'prints a line until it is stopped',
  usage: 'yes [TEXT]...',
  async run(context) {
    const line = `${context.args.join(' ') || 'y'}\n`
    const block = line.repeat(Math.ceil(4096 / line.length))
    for (;;) {
      await context.print(block)
      // One write of a block takes its time: the machine goes on.
      if (!(await context.sys.sleep(context.pid, 10_000))) return 1
      context.doom.check()
    }
  },
}
