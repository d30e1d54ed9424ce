/**
 * Whether a profile describes a machine that can exist: what a schema cannot say. The checks run in the order of the
 * file; the first fault is reported with the field, the value seen and what would be accepted.
 */
import type { Err, UserError } from '../util/result'
import { userError } from '../util/result'
import { GIB, MIB, PAGE_SIZE } from '../util/units'
import { checkDevices } from './check-devices'
import { checkReservations } from './check-reservations'
import { parseCore } from './core-option'
import { formatPath, show } from './issues'
import type { MachineProfile, ProfileNode } from './machine'
import { firmwareRanges, intersect, nodeSize, totalSize, usableRanges } from './memory-map'
import { formatSize, parseCpuList, parseSize } from './sizes'
import { sysctlFault } from './sysctls'
import { checkTlb } from './tlb'

/** Reports a fault at a field of the file under test. */
export type Report = (code: string, path: readonly PropertyKey[], message: string, fix: string) => Err<UserError>
type Fault = Err<UserError> | undefined

const NODES_MAX = 32
const CPUS_MAX = 256
const TOTAL_MAX = 4096 * GIB
const TOTAL_MIN = 128 * MIB

/** @returns the first fault, undefined when the machine can be built */
export function checkMachine(profile: MachineProfile, fileName: string): Fault {
  const report: Report = (code, path, message, fix) =>
    userError(`profile/${code}`, `${fileName}: ${formatPath(path)}`, message, fix)
  return (
    checkNodes(profile, report) ??
    checkRanges(profile, report) ??
    checkTotal(profile, report) ??
    checkHole(profile, report) ??
    checkFirmware(profile, report) ??
    checkCoverage(profile, report) ??
    checkCpus(profile, report) ??
    checkDistances(profile, report) ??
    checkKernel(profile, report) ??
    checkTlb(profile, report) ??
    checkReservations(profile, report) ??
    checkDevices(profile, report) ??
    checkSysctls(profile, report)
  )
}

function checkNodes(profile: MachineProfile, report: Report): Fault {
  const { nodes } = profile
  if (nodes.length === 0)
    return report(
      'no-nodes',
      ['nodes'],
      'A machine without a node has neither memory nor CPUs.',
      'Give at least one node, for example {"size": "4G", "cpus": "0-1"}.',
    )
  if (nodes.length > NODES_MAX)
    return report('too-many-nodes', ['nodes'], `${nodes.length} nodes.`, `At most ${NODES_MAX}.`)
  for (const [i, node] of nodes.entries()) {
    const fault = checkSize(node, i, report)
    if (fault) return fault
  }
  const captured = nodes.filter((n) => n.ranges).length
  if (captured > 0 && captured < nodes.length) {
    const i = nodes.findIndex((n) => !n.ranges)
    return report(
      'size-and-ranges',
      ['nodes', i],
      'Some nodes give ranges and this one a size.',
      'Give ranges for every node ([] for one without RAM), or sizes for every node.',
    )
  }
  return undefined
}

function checkSize(node: ProfileNode, i: number, report: Report): Fault {
  const given = (['size', 'sizeBytes', 'ranges'] as const).filter((name) => node[name] !== undefined)
  if (given.length === 0)
    return report(
      'no-size',
      ['nodes', i],
      'The node says nothing about its RAM.',
      'Give "size": "4G", or "size": "0" for a node with CPUs only.',
    )
  if (given.length > 1) {
    const seen = given.map((name) => `${name} ${formatSize(nodeSize({ cpus: '', [name]: node[name] }))}`)
    return report(
      'size-twice',
      ['nodes', i, given[1]!],
      `The node's RAM is given twice: ${seen.join(', ')}.`,
      `Keep one of ${given.join(' and ')}.`,
    )
  }
  if (node.ranges) return undefined
  const bytes = nodeSize(node)
  const name = given[0]!
  if (bytes % MIB !== 0)
    return report(
      'size-unaligned',
      ['nodes', i, name],
      `${show(node[name])} is not a whole number of MiB.`,
      `Use a multiple of 1 MiB, such as "${Math.max(1, Math.round(bytes / MIB))}M".`,
    )
  if (bytes > TOTAL_MAX)
    return report(
      'too-much-memory',
      ['nodes', i, name],
      `${formatSize(bytes)} in one node.`,
      `A machine has at most ${formatSize(TOTAL_MAX)}.`,
    )
  return undefined
}

function checkTotal(profile: MachineProfile, report: Report): Fault {
  const total = totalSize(profile)
  if (total === 0)
    return report('no-memory', ['nodes'], 'No node has any RAM.', 'Give at least one node a size, for example "512M".')
  if (total < TOTAL_MIN)
    return report(
      'too-little-memory',
      ['nodes'],
      `${formatSize(total)} of RAM: the kernel itself would not fit.`,
      `Give at least ${formatSize(TOTAL_MIN)}.`,
    )
  if (total > TOTAL_MAX)
    return report(
      'too-much-memory',
      ['nodes'],
      `${formatSize(total)} of RAM in all.`,
      `A machine has at most ${formatSize(TOTAL_MAX)}.`,
    )
  return undefined
}

function checkHole(profile: MachineProfile, report: Report): Fault {
  const text = profile.hardware?.holeStart
  if (text === undefined) return undefined
  const bytes = parseSize(text) ?? 0
  if (profile.nodes.some((n) => n.ranges))
    return report(
      'hole-and-ranges',
      ['hardware', 'holeStart'],
      `${show(text)} is given beside exact ranges, which say already where the hole is.`,
      'Remove it.',
    )
  if (bytes < 256 * MIB || bytes >= 4 * GIB || bytes % MIB !== 0) {
    return report(
      'hole',
      ['hardware', 'holeStart'],
      `A hole that begins at ${formatSize(bytes)}.`,
      'Devices lie at the top of the first 4 GiB: use a multiple of 1 MiB from 256 MiB to below 4 GiB, for example "3G".',
    )
  }
  return undefined
}

function checkFirmware(profile: MachineProfile, report: Report): Fault {
  const map = profile.firmware
  if (!map) return undefined
  if (!profile.nodes.some((n) => n.ranges))
    return report(
      'firmware-without-ranges',
      ['firmware'],
      "The firmware's map is given, but the nodes give sizes.",
      'Give each node its ranges, or remove firmware.',
    )
  for (const [i, r] of map.entries()) {
    if (r.startBytes >= r.endBytes) return emptyRange(['firmware', i], r, report)
    const j = map.findIndex((o, k) => k < i && o.startBytes < r.endBytes && r.startBytes < o.endBytes)
    if (j >= 0)
      return report(
        'ranges-overlap',
        ['firmware', i],
        `${rangeText(r)} overlaps firmware[${j}] ${rangeText(map[j]!)}.`,
        'Each address belongs to one range.',
      )
  }
  return undefined
}

function checkRanges(profile: MachineProfile, report: Report): Fault {
  const seen: { nid: number; i: number; startBytes: number; endBytes: number }[] = []
  for (const [nid, node] of profile.nodes.entries()) {
    for (const [i, r] of (node.ranges ?? []).entries()) {
      const path = ['nodes', nid, 'ranges', i]
      if (r.startBytes >= r.endBytes) return emptyRange(path, r, report)
      if (r.startBytes % PAGE_SIZE !== 0 || r.endBytes % PAGE_SIZE !== 0) {
        return report('range-unaligned', path, `${rangeText(r)} is not made of whole pages.`, 'Use multiples of 4096.')
      }
      const other = seen.find((o) => o.startBytes < r.endBytes && r.startBytes < o.endBytes)
      if (other) {
        const name = `nodes[${other.nid}].ranges[${other.i}]`
        return report(
          'ranges-overlap',
          path,
          `${rangeText(r)} overlaps ${name} ${rangeText(other)}.`,
          'Each address belongs to one node.',
        )
      }
      seen.push({ nid, i, startBytes: r.startBytes, endBytes: r.endBytes })
    }
  }
  return undefined
}

/** Node ranges against the firmware's map. */
function checkCoverage(profile: MachineProfile, report: Report): Fault {
  const usable = usableRanges(firmwareRanges(profile))
  for (const [nid, node] of profile.nodes.entries()) {
    for (const [i, r] of (node.ranges ?? []).entries()) {
      const parts = intersect([{ start: r.startBytes, end: r.endBytes }], usable)
      const covered = parts.reduce((sum, p) => sum + p.end - p.start, 0)
      if (covered === r.endBytes - r.startBytes) continue
      const message = `${rangeText(r)}: the firmware calls only ${formatSize(covered)} of it usable.`
      return report(
        'range-not-ram',
        ['nodes', nid, 'ranges', i],
        message,
        'Keep node ranges inside usable firmware ranges.',
      )
    }
  }
  return undefined
}

const emptyRange = (path: readonly PropertyKey[], r: { startBytes: number; endBytes: number }, report: Report): Fault =>
  report('range-empty', path, `${rangeText(r)} ends before it begins.`, 'endBytes is the first byte behind the range.')

const rangeText = (r: { startBytes: number; endBytes: number }): string =>
  `[0x${r.startBytes.toString(16)}, 0x${r.endBytes.toString(16)})`

function checkCpus(profile: MachineProfile, report: Report): Fault {
  const owner = new Map<number, number>()
  for (const [nid, node] of profile.nodes.entries()) {
    for (const cpu of parseCpuList(node.cpus) ?? []) {
      const other = owner.get(cpu)
      if (other !== undefined)
        return report(
          'cpu-twice',
          ['nodes', nid, 'cpus'],
          `CPU ${cpu} is in node ${other} already.`,
          'A CPU belongs to one node.',
        )
      if (cpu >= CPUS_MAX)
        return report('too-many-cpus', ['nodes', nid, 'cpus'], `CPU ${cpu}.`, `CPUs 0 to ${CPUS_MAX - 1} are possible.`)
      owner.set(cpu, nid)
    }
  }
  if (owner.size === 0)
    return report('no-cpus', ['nodes', 0, 'cpus'], 'No node has a CPU.', 'Give at least one, for example "cpus": "0".')
  for (let cpu = 0; cpu < owner.size; cpu++) {
    if (!owner.has(cpu))
      return report(
        'cpu-missing',
        ['nodes'],
        `CPU ${cpu} is in no node, though higher ones are.`,
        `Number the CPUs 0 to ${owner.size - 1} without gaps.`,
      )
  }
  return undefined
}

/** @spec 01 §1.4 */
function checkDistances(profile: MachineProfile, report: Report): Fault {
  const n = profile.nodes.length
  const table = profile.distances
  if (!table) return undefined
  const shape = `Give ${n} row${n === 1 ? '' : 's'} of ${n}.`
  if (table.length !== n)
    return report('distances-shape', ['distances'], `${table.length} rows for ${n} node${n === 1 ? '' : 's'}.`, shape)
  for (const [i, row] of table.entries()) {
    if (row.length !== n)
      return report(
        'distances-shape',
        ['distances', i],
        `${row.length} numbers for ${n} node${n === 1 ? '' : 's'}.`,
        shape,
      )
    for (const [j, d] of row.entries()) {
      if (i === j && d !== 10)
        return report(
          'distance',
          ['distances', i, j],
          `${d} on the diagonal.`,
          'The distance of a node to itself is 10.',
        )
      if (i !== j && (d <= 10 || d > 254))
        return report(
          'distance',
          ['distances', i, j],
          `${d} from node ${i} to node ${j}.`,
          'Use 11 to 254; 10 is a node itself, 255 means unreachable, less than 10 is invalid in ACPI.',
        )
    }
  }
  return undefined
}

function checkKernel(profile: MachineProfile, report: Report): Fault {
  const total = totalSize(profile)
  for (const name of ['kernelcore', 'movablecore'] as const) {
    const text = profile.kernel[name]
    if (text === undefined) continue
    const bytes = parseCore(text, total)
    if (bytes === undefined)
      return report(
        'core',
        ['kernel', name],
        name === 'kernelcore' && text.trim() === 'mirror'
          ? 'No machine here has firmware that says which memory is mirrored: the kernel would ignore the option.'
          : `${show(text)} is neither a size nor a share.`,
        'Accepted: a size such as "1G", or a share such as "30%".',
      )
    if (bytes > total)
      return report(
        'zone-larger-than-ram',
        ['kernel', name],
        `${formatSize(bytes)} on a machine with ${formatSize(total)} of RAM.`,
        `Use at most ${formatSize(total)}.`,
      )
  }
  const own = /(?:^|\s)(kernelcore|movablecore|transparent_hugepage|pti)=/.exec(profile.kernel.cmdline ?? '')?.[1]
  if (own === undefined) return undefined
  const fieldName = own === 'transparent_hugepage' ? 'transparentHugepage' : own
  return report(
    'cmdline-option',
    ['kernel', 'cmdline'],
    `${own}= has its own field.`,
    `Write it as kernel.${fieldName}.`,
  )
}

function checkSysctls(profile: MachineProfile, report: Report): Fault {
  for (const [name, value] of Object.entries(profile.sysctls ?? {})) {
    const fault = sysctlFault(name, value)
    if (fault) return report('sysctl', ['sysctls', name], fault.message, fault.fix)
  }
  return undefined
}
