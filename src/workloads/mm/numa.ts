/** `mm numa`: touches a region under a memory policy, says on which nodes its pages lie, and may move them. */
import type { Op, ProgramView } from '../../engine/task'
import { errnoNumber } from '../../util/errno'
import { stdout, type Step } from '../steps'
import {
  MB,
  PG,
  alignedRegionSteps,
  commonSteps,
  createData,
  holdSteps,
  longOption,
  option,
  type MmData,
} from './options'

type S = Step<MmData>

/** Numbers of the kernel's interface. */
const MODES: Readonly<Record<string, number>> = {
  preferred: 1,
  bind: 2,
  interleave: 3,
  local: 4,
  preferred_many: 5,
}
const MPOL_BIND = 2
const MPOL_MF_MOVE = 2

const policyName = (d: MmData): string => option(d.args, 'policy', 'default')
const mode = (d: MmData): number => (Object.hasOwn(MODES, policyName(d)) ? MODES[policyName(d)]! : 0)
const mask = (d: MmData): number => longOption(d.args, 'nodes', 1)
const moveTo = (d: MmData): number => longOption(d.args, 'moveto', -1)

/** Node numbers of the mask's bits. */
function bits(value: number): number[] {
  const nodes: number[] = []
  for (let nid = 0; 2 ** nid <= value; nid++) if (Math.floor(value / 2 ** nid) % 2 === 1) nodes.push(nid)
  return nodes
}

function setPolicy(d: MmData): Op | undefined {
  const m = mode(d)
  if (m === 0) return undefined
  const nodes = policyName(d) === 'local' ? [] : bits(mask(d))
  if (option(d.args, 'how', 'mbind') === 'set') return { op: 'setMempolicy', mode: m, nodes }
  return { op: 'mbind', address: d.address, length: d.bytes, mode: m, nodes, flags: 0 }
}

function policyFailed(d: MmData, view: ProgramView): Op | undefined {
  if (mode(d) === 0 || view.errno === undefined) return undefined
  d.status = 1
  d.pc = Number.MAX_SAFE_INTEGER
  return stdout(`policy errno ${errnoNumber(view.errno)}\n`)
}

const numaMaps: readonly S[] = [
  () => ({ op: 'readFile', path: '/proc/self/numa_maps' }),
  (d, view) => {
    const line = view.text.split('\n').find((l) => l.startsWith(`${d.address.toString(16)} `))
    return line === undefined ? undefined : stdout(`numa_maps: ${line}\n`)
  },
]

/** malloc of an array, all of it written. */
const array = (key: string, bytesEach: number): readonly S[] => [
  (d) => ({ op: 'malloc', length: (d.bytes / PG) * bytesEach }),
  (d, view) => {
    d[key] = view.result
    return { op: 'touch', address: view.result, length: (d.bytes / PG) * bytesEach, mode: 'write' }
  },
]

/** `TAG pages_per_node: N0=… absent=…` and the nodes of the first pages. */
function nodeLines(tag: string, text: string): string {
  const status = text.split(' ').map(Number)
  const counts = new Map<number, number>()
  for (const nid of status) counts.set(nid, (counts.get(nid) ?? 0) + 1)
  const present = [...counts].filter(([nid]) => nid >= 0).sort((a, b) => a[0] - b[0])
  const absent = [...counts].reduce((sum, [nid, pages]) => (nid < 0 ? sum + pages : sum), 0)
  const perNode = present.map(([nid, pages]) => ` N${nid}=${pages}`).join('')
  return `${tag} pages_per_node:${perNode} absent=${absent}\n${tag} first16: ${status.slice(0, 16).join(' ')}\n`
}

const nodesOf = (tag: string): readonly S[] => [
  ...array('addresses', 8),
  ...array('statuses', 4),
  (d) => ({ op: 'movePages', address: d.address, length: d.bytes }),
  (_d, view) => stdout(nodeLines(tag, view.text)),
  (d) => ({ op: 'free', address: Number(d['addresses']) }),
  (d) => ({ op: 'free', address: Number(d['statuses']) }),
]

const move: readonly S[] = [
  (d) => ({
    op: 'mbind',
    address: d.address,
    length: d.bytes,
    mode: MPOL_BIND,
    nodes: [moveTo(d)],
    flags: MPOL_MF_MOVE,
  }),
  (_d, view) =>
    stdout(`mbind_move rc=${view.result} errno=${view.errno === undefined ? 0 : errnoNumber(view.errno)}\n`),
  ...numaMaps,
  ...nodesOf('after_move'),
]

export const numaSteps: readonly S[] = [
  ...commonSteps,
  (d) => {
    d.bytes = longOption(d.args, 'mb', 64) * MB
    return undefined
  },
  ...alignedRegionSteps,
  (d) => ({
    op: 'madvise',
    address: d.address,
    length: d.bytes,
    advice: longOption(d.args, 'thp', 0) !== 0 ? 'hugepage' : 'nohugepage',
  }),
  (d, view) =>
    stdout(
      `# numa policy=${policyName(d)} nodes=0x${mask(d).toString(16)} how=${option(d.args, 'how', 'mbind')} ` +
        `mb=${d.bytes / MB} cpu=${view.cpu} node=${view.nid}\n`,
    ),
  setPolicy,
  policyFailed,
  (d) => ({ op: 'touch', address: d.address, length: d.bytes, mode: 'write' }),
  ...numaMaps,
  ...nodesOf('after_touch'),
  (d) => {
    if (moveTo(d) < 0) d.pc += move.length
    return undefined
  },
  ...move,
  ...holdSteps,
]

export const createNuma = (args: readonly string[]): MmData => createData(args)
