/** migratepages: the pages of a process go from nodes to nodes. @kernel numactl's migratepages.c */
import { strerror } from '../../util/errno'
import type { Tool, ToolContext } from '../process'
import { nodeNumbers, parseNodeString } from './nodes'

const USAGE = 'usage: migratepages pid from-nodes to-nodes\n'

async function usage(context: ToolContext): Promise<number> {
  await context.warn(`${USAGE}\nnodes is a comma delimited list of node numbers or A-B ranges or all.\n`)
  return 1
}

export const migratepages: Tool = {
  name: 'migratepages',
  summary: 'moves the memory of a running process from some NUMA nodes to others',
  usage: 'migratepages PID FROM-NODES TO-NODES',
  async run(context) {
    const [pid = '', ...lists] = context.args
    if (lists.length !== 2 || !/^\d+$/.test(pid)) return usage(context)
    const all = nodeNumbers(context)
    const parsed: number[][] = []
    for (const list of lists) {
      const nodes = parseNodeString(list, all)
      if (nodes === undefined || nodes.some((nid) => !all.includes(nid))) {
        await context.print(`<${list}> is invalid\n`)
        return 1
      }
      parsed.push(nodes)
    }
    const [from = [], to = []] = parsed
    const op = { op: 'migratePages', pid: Number(pid), from, to } as const
    const done = await context.doom.race(context.sys.perform(context.pid, op), { interruptible: false })
    if (done.ok) return 0
    await context.warn(`migrate_pages: ${strerror(done.error.errno)}\n`)
    return 1
  },
}
