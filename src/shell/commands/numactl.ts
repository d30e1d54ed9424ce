/** numactl: what the nodes are, and commands under a NUMA policy. @spec 09 §9.10, 08 §8.1 */
import { strerror } from '../../util/errno'
import type { Tool, ToolContext } from '../process'
import {
  cpusOfNode,
  nodeMeminfo,
  nodeNumbers,
  nodesWithMemory,
  parseList,
  parseNodeString,
  readNodeFile,
  readText,
} from './nodes'
import { runCommand } from './run'

/** Mode numbers of set_mempolicy(2). */
const MPOL = { preferred: 1, bind: 2, interleave: 3, local: 4, preferredMany: 5, weightedInterleave: 6 } as const

interface PolicyOption {
  readonly mode: number
  /** As perror() prints it. */
  readonly doing: string
}

const POLICIES: Readonly<Record<string, PolicyOption>> = {
  interleave: { mode: MPOL.interleave, doing: 'setting interleave mask' },
  'weighted-interleave': { mode: MPOL.weightedInterleave, doing: 'setting weighted interleave mask' },
  membind: { mode: MPOL.bind, doing: 'setting membind' },
  preferred: { mode: MPOL.preferred, doing: 'setting preferred node' },
  'preferred-many': { mode: MPOL.preferredMany, doing: 'setting preferred nodes' },
  localalloc: { mode: MPOL.local, doing: 'local allocation' },
}

const SHORT: Readonly<Record<string, string>> = {
  i: 'interleave',
  w: 'weighted-interleave',
  m: 'membind',
  p: 'preferred',
  P: 'preferred-many',
  l: 'localalloc',
  N: 'cpunodebind',
  c: 'cpunodebind',
  cpubind: 'cpunodebind',
  C: 'physcpubind',
  H: 'hardware',
  s: 'show',
}
const WITHOUT_VALUE = new Set(['localalloc', 'hardware', 'show'])

const USAGE =
  '[--interleave=NODES | --weighted-interleave=NODES | --membind=NODES | --preferred=NODE | --preferred-many=NODES | ' +
  '--localalloc] [--cpunodebind=NODES | --physcpubind=CPUS] COMMAND [ARGUMENT]... | --hardware | --show'

export const numactl: Tool = {
  name: 'numactl',
  summary: 'what the NUMA nodes are, or runs a command with a memory policy or on some nodes',
  usage: `numactl ${USAGE}`,
  async run(context) {
    const parsed = parseOptions(context.args)
    if (parsed === undefined) return usage(context)
    for (const { name, value } of parsed.options) {
      if (name === 'hardware') return hardware(context)
      if (name === 'show') return show(context)
      const failed = await apply(context, name, value)
      if (failed !== undefined) return failed
    }
    return parsed.command.length === 0 ? usage(context) : runCommand(context, parsed.command)
  },
}

interface Option {
  readonly name: string
  readonly value: string
}

/** Options up to the command; undefined when one is unknown or lacks its value, or when two policies are given. */
function parseOptions(args: readonly string[]): { options: Option[]; command: string[] } | undefined {
  const rest = [...args]
  const options: Option[] = []
  while (rest[0]?.startsWith('-')) {
    const arg = rest.shift()!
    if (arg === '--') break
    const match = arg.startsWith('--') ? /^--([\w-]+)(?:=(.*))?$/.exec(arg) : /^-(\w)(.+)?$/.exec(arg)
    const name = SHORT[match?.[1] ?? ''] ?? match?.[1] ?? ''
    if (WITHOUT_VALUE.has(name)) {
      options.push({ name, value: '' })
      continue
    }
    const value = match?.[2] ?? rest.shift()
    if (value === undefined || !(name in POLICIES || name === 'cpunodebind' || name === 'physcpubind')) return undefined
    options.push({ name, value })
  }
  const isOnePolicy = options.filter((o) => o.name in POLICIES).length <= 1
  return isOnePolicy ? { options, command: rest } : undefined
}

async function usage(context: ToolContext): Promise<number> {
  await context.warn(`usage: numactl ${USAGE}\n`)
  return 1
}

async function invalid(context: ToolContext, value: string): Promise<number> {
  await context.print(`<${value}> is invalid\n`)
  return usage(context)
}

/** One option takes effect on numactl itself; its command inherits it. @returns the status when it cannot */
async function apply(context: ToolContext, name: string, value: string): Promise<number | undefined> {
  const nodes = nodeNumbers(context)
  if (name === 'physcpubind' || name === 'cpunodebind') {
    const cpus = nodes.flatMap((nid) => cpusOfNode(context, nid)).sort((a, b) => a - b)
    const all = name === 'physcpubind' ? cpus : nodes
    const numbers = parseNodeString(value, all)
    if (numbers === undefined || numbers.some((n) => !all.includes(n))) return invalid(context, value)
    const wanted = name === 'physcpubind' ? numbers : numbers.flatMap((nid) => cpusOfNode(context, nid))
    return refused(context, { kind: 'setAffinity', pid: context.pid, cpus: wanted }, 'sched_setaffinity')
  }
  const { mode, doing } = POLICIES[name]!
  const numbers = name === 'localalloc' ? [] : parseNodeString(value, nodes)
  if (numbers === undefined || numbers.some((n) => !nodes.includes(n))) return invalid(context, value)
  if (name === 'preferred' && numbers.length !== 1) return usage(context)
  return refused(context, { kind: 'setMempolicy', pid: context.pid, mode, nodes: numbers }, doing)
}

async function refused(
  context: ToolContext,
  command: Parameters<ToolContext['sys']['command']>[0],
  doing: string,
): Promise<number | undefined> {
  const result = context.sys.command(command)
  if (result.ok) return undefined
  await context.warn(`${doing}: ${strerror(result.error.errno)}\n`)
  return 1
}

const megabytes = (kib: number | undefined): string => `${Math.floor((kib ?? 0) / 1024)} MB`
const width3 = (n: number): string => String(n).padStart(3)

async function hardware(context: ToolContext): Promise<number> {
  const nodes = nodeNumbers(context)
  const first = nodes[0] ?? 0
  const last = nodes.at(-1) ?? 0
  const lines = [`available: ${nodes.length} nodes (${first === last ? first : `${first}-${last}`})`]
  for (const nid of nodes) {
    const info = nodeMeminfo(context, nid)
    lines.push(
      `node ${nid} cpus:${cpusOfNode(context, nid)
        .map((cpu) => ` ${cpu}`)
        .join('')}`,
    )
    lines.push(`node ${nid} size: ${megabytes(info.get('MemTotal'))}`)
    lines.push(`node ${nid} free: ${megabytes(info.get('MemFree'))}`)
  }
  lines.push('node distances:', `node ${nodes.map((nid) => `${width3(nid)} `).join('')}`)
  for (const nid of nodes) {
    const distances = readNodeFile(context, nid, 'distance').trim().split(' ').map(Number)
    lines.push(`${width3(nid)}: ${distances.map((d) => `${width3(d)} `).join('')}`)
  }
  await context.print(`${lines.join('\n')}\n`)
  return 0
}

/** Names of policies as --show prints them, by the names of numa_maps. */
const SHOWN: Readonly<Record<string, string>> = {
  prefer: 'preferred',
  'prefer (many)': 'preferred-many',
}

const mask = (name: string, numbers: readonly number[]): string => `${name}: ${numbers.map((n) => `${n} `).join('')}`

async function show(context: ToolContext): Promise<number> {
  const asked = context.sys.command({ kind: 'getMempolicy', pid: context.pid })
  if (!asked.ok) return (await refused(context, { kind: 'getMempolicy', pid: context.pid }, 'get_mempolicy')) ?? 1
  const [mode = 'default', list = ''] = asked.value.text.split(':')
  const named = parseList(list)
  const cpus = parseList(/^Cpus_allowed_list:\s*(\S*)/m.exec(readText(context, '/proc/self/status'))?.[1] ?? '')
  const nodes = nodeNumbers(context).filter((nid) => cpusOfNode(context, nid).some((cpu) => cpus.includes(cpu)))
  const isInterleaved = mode === 'interleave' || mode === 'weighted interleave'
  const preferred = isInterleaved
    ? `${asked.value.value} (interleave next)`
    : mode === 'bind' || mode.startsWith('prefer')
      ? `${named[0]}`
      : 'current'
  const lines = [
    `policy: ${SHOWN[mode] ?? mode}`,
    `preferred node: ${preferred}`,
    ...(isInterleaved ? [mask('interleavemask', named), `interleavenode: ${asked.value.value}`] : []),
    mask('physcpubind', cpus),
    mask('cpubind', nodes),
    mask('nodebind', nodes),
    mask('membind', mode === 'bind' ? named : nodesWithMemory(context)),
    mask('preferred', mode.startsWith('prefer') ? named : []),
  ]
  await context.print(`${lines.join('\n')}\n`)
  return 0
}
