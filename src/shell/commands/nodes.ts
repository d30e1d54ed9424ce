/** NUMA nodes out of /sys/devices/system/node, for numactl and numastat. */
import type { ToolContext } from '../process'

const ROOT = '/sys/devices/system/node'

/** Text of a file, '' when it cannot be read. */
export function readText(context: ToolContext, path: string): string {
  const read = context.sys.read(context.pid, path)
  return read.ok ? read.value : ''
}

export const readNodeFile = (context: ToolContext, nid: number, name: string): string =>
  readText(context, `${ROOT}/node${nid}/${name}`)

/** Numbers of all nodes, ascending. */
export const nodeNumbers = (context: ToolContext): number[] => parseList(readText(context, `${ROOT}/online`).trim())

export const nodesWithMemory = (context: ToolContext): number[] =>
  parseList(readText(context, `${ROOT}/has_memory`).trim())

export const cpusOfNode = (context: ToolContext, nid: number): number[] =>
  parseList(readNodeFile(context, nid, 'cpulist').trim())

/** '0-2,5' → 0 1 2 5; '' → none. */
export function parseList(text: string): number[] {
  if (text === '') return []
  return text.split(',').flatMap((part) => {
    const [from = 0, to = from] = part.split('-').map(Number)
    return Array.from({ length: to - from + 1 }, (_, i) => from + i)
  })
}

/**
 * Numbers as numactl's options take them: `0`, `0,2-3`, `all`, `!1`.
 * @returns undefined when the text is no such list
 */
export function parseNodeString(text: string, all: readonly number[]): number[] | undefined {
  const isInverted = text.startsWith('!')
  const list = isInverted ? text.slice(1) : text
  if (list !== 'all' && !/^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/.test(list)) return undefined
  const named = list === 'all' ? [...all] : parseList(list)
  const numbers = isInverted ? all.filter((n) => !named.includes(n)) : named
  return numbers.length > 0 ? numbers : undefined
}

/** `Node 0 MemTotal:  123 kB` lines of one node: name → kB, or a count of huge pages. */
export function nodeMeminfo(context: ToolContext, nid: number): ReadonlyMap<string, number> {
  const lines = readNodeFile(context, nid, 'meminfo').matchAll(/^Node \d+ (\S+):\s+(\d+)/gm)
  return new Map([...lines].map(([, name = '', value]) => [name, Number(value)]))
}
