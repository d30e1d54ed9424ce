/** Numbers out of files of /proc, for tools that show them. */
import type { ToolContext } from '../process'
import { readOperand } from './options'

/** `Name:  123 kB` lines by name. */
export async function readMeminfo(context: ToolContext): Promise<ReadonlyMap<string, number> | undefined> {
  const text = await readOperand(context, '/proc/meminfo')
  if (text === undefined) return undefined
  return new Map([...text.matchAll(/^(\S+):\s+(\d+)/gm)].map(([, name = '', value]) => [name, Number(value)]))
}

/** `name 123` lines by name. */
export async function readCounters(
  context: ToolContext,
  path: string,
): Promise<ReadonlyMap<string, number> | undefined> {
  const text = await readOperand(context, path)
  if (text === undefined) return undefined
  return new Map([...text.matchAll(/^(\S+)\s+(\d+)/gm)].map(([, name = '', value]) => [name, Number(value)]))
}

export interface CpuTicks {
  readonly user: number
  readonly nice: number
  readonly system: number
  readonly idle: number
  readonly iowait: number
  readonly steal: number
  readonly total: number
}

/** The first line of /proc/stat. */
export function cpuTicks(stat: string): CpuTicks {
  const all = (/^cpu\s+(.*)$/m.exec(stat)?.[1] ?? '').trim().split(/\s+/).map(Number)
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = all
  return {
    user,
    nice,
    system: system + irq + softirq,
    idle,
    iowait,
    steal,
    total: user + nice + system + idle + iowait + irq + softirq + steal,
  }
}
