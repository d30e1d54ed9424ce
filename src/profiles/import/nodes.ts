/** Nodes of a captured machine: their RAM, CPUs and distances, from whatever the capture holds. */
import type { FirmwareRange } from '../../engine/config'
import { ok, userError, type Result } from '../../util/result'
import { PAGE_SIZE } from '../../util/units'
import { intersect, usableRanges, type ByteRange } from '../memory-map'
import { formatCpuList } from '../sizes'
import { earlyNodeRanges, type BootLog } from './boot-log'
import { findProc, type CaptureFiles } from './files'
import type { Iomem } from './iomem'
import type { ZoneText } from './zoneinfo'

type Json = Record<string, unknown> | undefined

/** The firmware's map: from the boot log, else from the description of a case, else from /proc/iomem. */
export function firmwareMap(
  log: BootLog,
  machine: Json,
  iomem: Iomem | undefined,
  capture: string,
): Result<FirmwareRange[]> {
  const described = machine?.['e820'] as { start: string; end: string; type: string }[] | undefined
  const map =
    log.e820.length > 0
      ? [...log.e820]
      : described
        ? described.map((r) => ({
            start: Number(r.start),
            end: Number(r.end) + 1,
            type: r.type as FirmwareRange['type'],
          }))
        : [...(iomem?.ranges ?? [])]
  if (!map.some((r) => r.type === 'usable')) {
    return userError(
      'import/no-memory-map',
      capture,
      'Nothing in the capture says where RAM lies: there is no proc/iomem, and no boot log with BIOS-e820 lines.',
      'Run the capture script as root.',
    )
  }
  return ok(map.sort((a, b) => a.start - b.start))
}

/** RAM of each node, index = node number. */
export function ramOfNodes(
  zones: readonly ZoneText[],
  firmware: readonly FirmwareRange[],
  log: BootLog,
  machine: Json,
): ByteRange[][] {
  const count = 1 + Math.max(...zones.map((z) => z.nid))
  const boot = machine?.['boot'] as { early_ranges?: string[] } | undefined
  const told = log.nodes.length > 0 ? log.nodes : earlyNodeRanges(boot?.early_ranges ?? [])
  const usable = usableRanges(firmware)
  return Array.from({ length: count }, (_, nid) => {
    if (told.length > 0) return told.filter((t) => t.nid === nid).map((t) => t.range)
    const spans = zones
      .filter((z) => z.nid === nid && z.startPfn !== undefined)
      .map((z) => ({ start: z.startPfn! * PAGE_SIZE, end: (z.startPfn! + z.spanned) * PAGE_SIZE }))
    return merge(intersect(usable, spans))
  })
}

/** Neighbouring pieces of one range, which zone borders cut, become one again. */
function merge(ranges: readonly ByteRange[]): ByteRange[] {
  const out: ByteRange[] = []
  for (const r of ranges) {
    const last = out.at(-1)
    if (last && last.end === r.start) out[out.length - 1] = { start: last.start, end: r.end }
    else out.push(r)
  }
  return out
}

/** The CPU list of each node. */
export function cpusOfNodes(files: CaptureFiles, machine: Json, zones: readonly ZoneText[], count: number): string[] {
  const described = (machine?.['numa_nodes'] ?? []) as { node: number; cpus: string }[]
  const table = parseNodesText(findProc(files, 'nodes.txt')?.text ?? files['nodes-start.txt'] ?? '')
  const lists = Array.from(
    { length: count },
    (_, nid) =>
      files[`sys/devices/system/node/node${nid}/cpulist`]?.trim() ??
      table[nid]?.cpus ??
      (described.length === count ? described.find((d) => d.node === nid)?.cpus : undefined),
  )
  if (lists.every((l) => l !== undefined)) return lists
  const cpus = Math.max(1, ...zones.map((z) => z.pagesets.length))
  return Array.from({ length: count }, (_, nid) =>
    nid === 0 ? formatCpuList(Array.from({ length: cpus }, (_x, i) => i)) : '',
  )
}

/** Distances, or undefined when the capture leaves them to the default. */
export function distancesOf(files: CaptureFiles, machine: Json, count: number): number[][] | undefined {
  if (count === 1) return undefined
  const table = parseNodesText(findProc(files, 'nodes.txt')?.text ?? files['nodes-start.txt'] ?? '')
  const rows = Array.from(
    { length: count },
    (_, nid) => files[`sys/devices/system/node/node${nid}/distance`] ?? table[nid]?.distance,
  )
  if (rows.every((r) => r !== undefined)) return rows.map((r) => r.trim().split(/\s+/).map(Number))
  const pairs = machine?.['numa_distances'] as [number, number, number][] | undefined
  if (!pairs || pairs.length === 0) return undefined
  const out: number[][] = Array.from({ length: count }, (_, i) =>
    Array.from({ length: count }, (_x, j) => (i === j ? 10 : 20)),
  )
  for (const [a, b, d] of pairs) out[a]![b] = out[b]![a] = d
  return out
}

/** '== node0' with '-- cpulist' and '-- distance' below it. */
function parseNodesText(text: string): Record<number, { cpus: string; distance: string }> {
  const out: Record<number, { cpus: string; distance: string }> = {}
  for (const part of text.split(/^== node/m).slice(1)) {
    const cpus = /^-- cpulist\n(.*)$/m.exec(part)?.[1]
    const distance = /^-- distance\n(.*)$/m.exec(part)?.[1]
    if (cpus !== undefined && distance !== undefined) out[Number.parseInt(part, 10)] = { cpus: cpus.trim(), distance }
  }
  return out
}
