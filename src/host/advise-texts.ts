/** What advice says and suggests: sentences, and the manifest, unit and sysctl lines to take away. */
import {
  editLimit,
  formatSize,
  importPods,
  spellSize,
  type NodeFacts,
  type PlannedGroup,
  type Target,
} from '../profiles/index'
import { HEADROOM_PERCENT, TIGHT_PSI_PERCENT, type AdvisePoint, type AdviseReport } from '../protocol/advise'
import { ok, type Result } from '../util/result'
import { MIB, type Bytes } from '../util/units'
import { placeIn, type AdviseRequest } from './advise-trial'

type Texts = Pick<AdviseReport, 'sentences' | 'yaml' | 'systemd' | 'sysctl'>
type Head = Omit<AdviseReport, keyof Texts>

interface Given {
  readonly request: AdviseRequest
  readonly target: Target
  readonly facts: NodeFacts
}

export function adviceTexts(head: Head, given: Given): Result<Texts> {
  const sentences = sentencesOf(head)
  const { suggestedBytes } = head
  const nothing = { sentences, yaml: '', systemd: '', sysctl: '' }
  if (suggestedBytes === undefined) return ok(nothing)
  const { request, target, facts } = given
  const yaml = editLimit(request.text, request.fileName, target, { limitBytes: suggestedBytes })
  if (!yaml.ok) return yaml
  const plan = importPods(yaml.value, request.fileName, facts, request.options)
  if (!plan.ok) return plan
  const place = placeIn(plan.value, target)
  if (place === undefined) return ok(nothing)
  const systemd = unitLines(place.group, place.container.oomScoreAdj)
  return ok({ sentences, yaml: yaml.value, systemd, sysctl: sysctlLines(head, place.pod.runtime) })
}

// ---------------------------------------------------------------- sentences

const size = (bytes: Bytes): string => formatSize(Math.round(bytes / (MIB / 10)) * (MIB / 10))
const seconds = (ns: number): string => `${Number((ns / 1e9).toFixed(1))} s`

function sentencesOf(head: Head): string[] {
  const said = [verdictOf(head), kneeOf(head)]
  const { unlimited: free, survivesBytes, kneeBytes } = head
  if (survivesBytes !== undefined && kneeBytes !== undefined && survivesBytes < kneeBytes)
    said.push(`From ${size(survivesBytes)} on nothing is killed; between there and the knee it lives, but waits.`)
  if (head.suggestedBytes !== undefined)
    said.push(
      `Suggested: ${size(head.suggestedBytes)}, the knee and ${HEADROOM_PERCENT} % for what ${seconds(head.forNs)} do not show.`,
    )
  if (isGrowing(free))
    said.push(
      `Without a limit its anonymous memory still grew in the second half of the run, from ${size(free.anonHalfBytes)} to ${size(free.anonBytes)}: if that is a leak, every limit is met in the end.`,
    )
  if (free.verdict === 'killed')
    said.push('Even without a limit of its own it was killed or evicted: the node is too small for what runs on it.')
  return said
}

/** By more than a tenth: less is what collectors and buffers do anyway. */
const isGrowing = (free: AdvisePoint): boolean => free.anonHalfBytes > 0 && free.anonBytes > free.anonHalfBytes * 1.1

function verdictOf({ ownBytes, verdict, points, unlimited }: Head): string {
  if (ownBytes === undefined)
    return `The manifest sets no limit; without one it took ${size(unlimited.peakBytes)} at most.`
  const own = points.find((point) => point.limitBytes === ownBytes) ?? unlimited
  const stall = `${own.psiPercent.toFixed(1)} % of the time`
  if (verdict === 'killed')
    return own.isEvicted
      ? `At its own limit of ${size(ownBytes)} it was evicted.`
      : `At its own limit of ${size(ownBytes)} it was killed: ${own.kills} OOM kill${own.kills === 1 ? '' : 's'}, ${own.restarts} restart${own.restarts === 1 ? '' : 's'}.`
  if (verdict === 'tight')
    return `Its own limit of ${size(ownBytes)} is too tight: its tasks waited for memory ${stall}.`
  return `Its own limit of ${size(ownBytes)} holds: nothing was killed, and its tasks waited for memory ${stall}.`
}

function kneeOf({ kneeBytes }: Head): string {
  if (kneeBytes === undefined) return 'No limit that this node can give holds.'
  return `The knee is ${size(kneeBytes)}: from there on nothing is killed and tasks wait at most ${TIGHT_PSI_PERCENT} % of the time longer than without a limit.`
}

// ---------------------------------------------------------------- to take away

/** Files of a group as systemd.resource-control(5) names them. */
const UNIT: Readonly<Record<string, string>> = {
  'memory.min': 'MemoryMin',
  'memory.low': 'MemoryLow',
  'memory.high': 'MemoryHigh',
  'memory.max': 'MemoryMax',
  'memory.swap.max': 'MemorySwapMax',
}

function unitLines(group: PlannedGroup, oomScoreAdj: number): string {
  const lines = group.files.flatMap(({ file, text }) => {
    if (file === 'memory.oom.group') return [text === '1' ? 'OOMPolicy=kill' : 'OOMPolicy=continue']
    const name = UNIT[file]
    return name === undefined ? [] : [`${name}=${/^\d+$/.test(text) ? spellSize(Number(text)) : 'infinity'}`]
  })
  return ['[Service]', 'MemoryAccounting=yes', ...lines, `OOMScoreAdjust=${oomScoreAdj}`].map((l) => `${l}\n`).join('')
}

/** What the node needs for it, each with its reason. */
function sysctlLines(head: Head, runtime: 'kubelet' | 'docker'): string {
  const lines: string[] = []
  if (runtime === 'kubelet')
    lines.push('# the kubelet demands both (protectKernelDefaults)', 'vm.overcommit_memory = 1', 'vm.panic_on_oom = 0')
  else if (/^redis/.test(head.workload))
    lines.push('# or fork() for a snapshot is refused when little is free', 'vm.overcommit_memory = 1')
  const suggested = head.points.find((point) => point.limitBytes === head.suggestedBytes)
  if ((suggested?.allocStalls ?? 0) > 0)
    lines.push(
      `# ${suggested!.allocStalls} allocations had to reclaim for the whole node: kswapd should begin earlier`,
      'vm.watermark_scale_factor = 100',
    )
  if (lines.length === 0) lines.push('# the node needs no other setting for it')
  return lines.map((line) => `${line}\n`).join('')
}
