/**
 * Finds a container's limit by trying: first without one, then a row of limits below what it took, then between the last
 * that fails and the first that does not. Every trial has a machine of its own from the same seed, so that nothing but
 * the limit differs, and the machine that runs in the window is not touched.
 *
 * The knee is the smallest limit at which, and at every larger one that was tried, nothing is killed or evicted and tasks
 * wait for memory (PSI some) at most TIGHT_PSI_PERCENT of the time longer than without a limit.
 */
import {
  editLimit,
  importPods,
  limitTargets,
  toConfig,
  type NodeFacts,
  type Plan,
  type Target,
} from '../profiles/index'
import { HEADROOM_PERCENT, type AdvisePoint, type AdviseProgress, type AdviseReport } from '../protocol/advise'
import { ok, userError, type Result } from '../util/result'
import { MIB, type Bytes } from '../util/units'
import { adviceTexts } from './advise-texts'
import { factsOf, placeIn, tryLimit, type AdviseRequest, type Trial, type TrialMachine } from './advise-trial'
import type { SessionDeps } from './session-state'

export interface AdviseHooks {
  readonly onProgress: (progress: AdviseProgress) => void
  readonly isCancelled: () => boolean
}

/** Limits of the first row, evenly spaced from a quarter of the peak to a little above it. */
const FIRST_ROW = 9
const LEAST_SHARE = 0.25
const MOST_SHARE = 1.05
/** Between a limit that fails and one that does not: how near they get, and in how many steps. */
const NEAR = 1.02
const STEPS_MAX = 5
/** Docker refuses less than 6 MiB, and below that nothing starts. */
const LIMIT_MIN = 8 * MIB

/** What a trial is made of, and all that have been made. */
interface Sweep {
  readonly request: AdviseRequest
  readonly machine: TrialMachine
  readonly facts: NodeFacts
  readonly target: Target
  readonly hooks: AdviseHooks
  readonly points: AdvisePoint[]
  psiPercentFree: number | undefined
  planned: number
}

const CANCELLED = userError('advise/cancelled', 'advise', 'It was cancelled.', 'Begin anew.')

export async function advise(
  request: AdviseRequest,
  deps: Pick<SessionDeps, 'engine' | 'programs'>,
  hooks: AdviseHooks,
): Promise<Result<AdviseReport>> {
  const machine: TrialMachine = { deps, config: toConfig(request.profile), seed: request.seed }
  const facts = factsOf(machine)
  const plan = importPods(request.text, request.fileName, facts, request.options)
  if (!plan.ok) return plan
  const target = targetOf(request)
  if (!target.ok) return target
  const sweep: Sweep = {
    request,
    machine,
    facts,
    target: target.value,
    hooks,
    points: [],
    psiPercentFree: undefined,
    planned: 1 + FIRST_ROW + 1,
  }
  const free = await tryAt(sweep, undefined)
  if (!free.ok) return free
  sweep.psiPercentFree = free.value.psiPercent
  const swept = await sweepLimits(sweep, free.value)
  return swept.ok ? reportOf(sweep, free.value, plan.value) : swept
}

function targetOf({ text, fileName, container }: AdviseRequest): Result<Target> {
  const targets = limitTargets(text, fileName)
  if (!targets.ok) return targets
  const names = targets.value.map((target) => `${target.pod}/${target.container}`)
  const found =
    container === ''
      ? (targets.value.find((target) => target.limitBytes !== undefined) ?? targets.value[0])
      : targets.value.find((target, i) => container === names[i] || container === target.container)
  if (found !== undefined) return ok(found)
  return userError(
    'advise/container',
    fileName,
    `No container is called '${container}'.`,
    `There are ${names.join(', ')}.`,
  )
}

/** @param limitBytes  undefined: as much as the node has */
async function tryAt(sweep: Sweep, limitBytes: Bytes | undefined): Promise<Result<AdvisePoint>> {
  const { facts, hooks } = sweep
  const limit = limitBytes ?? Math.floor(facts.capacityBytes / MIB) * MIB
  const made = makeTrial(sweep, limit, sweep.psiPercentFree)
  if (!made.ok) return made
  const point = await tryLimit(sweep.machine, made.value, hooks.isCancelled)
  if (point === undefined) return CANCELLED
  if (!point.ok) return point
  sweep.points.push(point.value)
  const done = sweep.points.length
  hooks.onProgress({ done, total: Math.max(done, sweep.planned), point: point.value })
  return point
}

function makeTrial(
  { request, target, facts }: Sweep,
  limitBytes: Bytes,
  psiPercentFree: number | undefined,
): Result<Trial> {
  const { text, fileName, options, workload } = request
  const yaml = editLimit(text, fileName, target, { limitBytes, ...(workload === '' ? {} : { workload }) })
  if (!yaml.ok) return yaml
  const plan = importPods(yaml.value, fileName, facts, options)
  if (!plan.ok) return plan
  const place = placeIn(plan.value, target)
  if (place === undefined)
    return userError('advise/replicas', fileName, `${target.pod} makes no pods.`, 'Raise its replicas.')
  const file = '/root/advise.yaml'
  const { runtime, folder } = place.pod
  const flags = [
    ...(options.memoryQos === 'off' ? [] : [`--memory-qos=${options.memoryQos}`]),
    ...(options.swap === 'no' ? [] : [`--swap=${options.swap}`]),
    ...(options.singleProcessOomKill ? ['--single-process-oom-kill'] : []),
  ]
  const line = runtime === 'docker' ? `docker compose -f ${file} up -d` : ['kubectl apply -f', file, ...flags].join(' ')
  const { cgroup, name: container } = place.container
  return ok({
    limitBytes,
    yaml: yaml.value,
    line,
    file,
    cgroup,
    folder,
    container,
    forNs: request.forNs,
    psiPercentFree,
  })
}

// ---------------------------------------------------------------- which limits

const upToMib = (bytes: number): Bytes => Math.ceil(bytes / MIB) * MIB

async function sweepLimits(sweep: Sweep, free: AdvisePoint): Promise<Result<undefined>> {
  const most = Math.floor(sweep.facts.capacityBytes / MIB) * MIB
  const limits = new Set<Bytes>()
  const from = Math.max(LIMIT_MIN, free.peakBytes * LEAST_SHARE)
  const to = Math.max(from, Math.min(most, free.peakBytes * MOST_SHARE))
  const step = (to - from) / (FIRST_ROW - 1)
  for (let i = 0; i < FIRST_ROW; i++) limits.add(Math.min(most, upToMib(to - i * step)))
  const { limitBytes } = sweep.target
  if (limitBytes !== undefined && limitBytes < most) limits.add(limitBytes)
  limits.delete(most)
  sweep.planned = 1 + limits.size
  for (const each of [...limits].sort((a, b) => b - a)) {
    const point = await tryAt(sweep, each)
    if (!point.ok) return point
  }
  for (const isBad of [isKilled, isNotHolding]) {
    const done = await closeIn(sweep, isBad)
    if (!done.ok) return done
  }
  return ok(undefined)
}

const isKilled = (point: AdvisePoint): boolean => point.verdict === 'killed'
const isNotHolding = (point: AdvisePoint): boolean => point.verdict !== 'holds'
const ascending = (points: readonly AdvisePoint[]): AdvisePoint[] =>
  [...points].sort((a, b) => a.limitBytes - b.limitBytes)

/** The smallest limit from which on nothing is bad, and the bad one below it. */
function border(
  points: readonly AdvisePoint[],
  isBad: (point: AdvisePoint) => boolean,
): [Bytes | undefined, Bytes | undefined] {
  const sorted = ascending(points)
  const last = sorted.findLastIndex(isBad)
  return [sorted[last + 1]?.limitBytes, sorted[last]?.limitBytes]
}

/** Halves the stretch between the two until they are near. */
async function closeIn(sweep: Sweep, isBad: (point: AdvisePoint) => boolean): Promise<Result<undefined>> {
  for (let step = 0; step < STEPS_MAX; step++) {
    const [good, bad] = border(sweep.points, isBad)
    if (good === undefined || bad === undefined || good / bad < NEAR || good - bad <= MIB) break
    const middle = upToMib((good + bad) / 2)
    if (middle >= good || middle <= bad) break
    sweep.planned = sweep.points.length + 1
    const point = await tryAt(sweep, middle)
    if (!point.ok) return point
  }
  return ok(undefined)
}

// ---------------------------------------------------------------- the answer

/** Suggestions are whole steps of this. */
const STEP = 4 * MIB

async function reportOf(sweep: Sweep, free: AdvisePoint, plan: Plan): Promise<Result<AdviseReport>> {
  const { request, target, facts } = sweep
  const [survivesBytes] = border(sweep.points, isKilled)
  const [kneeBytes] = border(sweep.points, isNotHolding)
  const most = Math.floor(facts.capacityBytes / MIB) * MIB
  const suggestedBytes =
    kneeBytes === undefined
      ? undefined
      : Math.min(most, Math.ceil((kneeBytes * (1 + HEADROOM_PERCENT / 100)) / STEP) * STEP)
  if (suggestedBytes !== undefined && !sweep.points.some((point) => point.limitBytes === suggestedBytes)) {
    const checked = await tryAt(sweep, suggestedBytes)
    if (!checked.ok) return checked
  }
  const own = sweep.points.find((point) => point.limitBytes === target.limitBytes)
  const place = placeIn(plan, target)
  const head = {
    format: 'pagewalk-advice',
    version: 1,
    pod: target.planned,
    container: target.container,
    workload: request.workload === '' ? (place?.container.argv.join(' ') ?? '') : request.workload,
    machine: request.profile.name,
    seed: request.seed,
    forNs: request.forNs,
    ownBytes: target.limitBytes,
    unlimited: free,
    points: ascending(sweep.points.filter((point) => point !== free)),
    survivesBytes,
    kneeBytes,
    suggestedBytes,
    verdict:
      own?.verdict ?? (free.verdict === 'killed' ? 'killed' : target.limitBytes === undefined ? 'none' : free.verdict),
    notes: plan.notes,
  } as const
  const texts = adviceTexts(head, { request, target, facts })
  return texts.ok ? ok({ ...head, ...texts.value }) : texts
}
