/** One limit tried: a machine of its own boots, the manifest is applied in it as a person would, and it runs. */
import type { MachineConfig } from '../engine/config'
import {
  nodeFactsOf,
  type MachineProfile,
  type NodeFacts,
  type Plan,
  type PlannedGroup,
  type PlannedPod,
  type Target,
} from '../profiles/index'
import type { Advise, AdvisePoint } from '../protocol/advise'
import { TIGHT_PSI_PERCENT } from '../protocol/advise'
import { userError, type Result } from '../util/result'
import { NS_PER_S, NS_PER_US, type Bytes, type Ns } from '../util/units'
import { createHeadless, type Headless } from './headless'
import type { SessionDeps } from './session-state'
import { turn } from './turn'

export type AdviseRequest = Omit<Advise, 'kind' | 'profile'> & { readonly profile: MachineProfile }

export interface TrialMachine {
  readonly deps: Pick<SessionDeps, 'engine' | 'programs'>
  readonly config: MachineConfig
  readonly seed: number
}

export interface Trial {
  readonly limitBytes: Bytes
  readonly yaml: string
  /** Command that applies `file`. */
  readonly line: string
  readonly file: string
  /** Group of the container and folder of its pod, as the plan has them. */
  readonly cgroup: string
  readonly folder: string
  readonly container: string
  readonly forNs: Ns
  /** Stall that it has without a limit, percent; undefined for that very run. */
  readonly psiPercentFree: number | undefined
}

/** What a machine tells its kubelet right after boot. */
export function factsOf(machine: TrialMachine): NodeFacts {
  const meminfo = boot(machine).readFile('/proc/meminfo')
  return nodeFactsOf(meminfo.ok ? meminfo.value : '')
}

const boot = ({ deps, config, seed }: TrialMachine): Headless =>
  createHeadless(config, seed, { engine: deps.engine, programs: deps.programs })

/** Simulated time between two looks at whether to go on. */
const PIECE_NS = NS_PER_S
const APPLY_NS_MAX = 60 * NS_PER_S

/** @returns undefined when it was cancelled */
export async function tryLimit(
  machine: TrialMachine,
  trial: Trial,
  isCancelled: () => boolean,
): Promise<Result<AdvisePoint> | undefined> {
  const headless = boot(machine)
  const startNs = headless.state().nowNs
  let said = ''
  const script = `cat > ${trial.file} <<'ADVISE-END'\n${trial.yaml}\nADVISE-END\n${trial.line}\n`
  const applied = await headless.runScript(script, {
    untilNs: startNs + APPLY_NS_MAX,
    onStderr: (text) => (said += text),
  })
  if (applied.status !== 0 && headless.state().panicked === '')
    return userError('advise/apply', trial.file, `The machine refuses the manifest: ${said.trim()}`, 'Mend it first.')
  const stalls = allocStalls(headless)
  const endNs = headless.state().nowNs + trial.forNs
  const halfNs = endNs - trial.forNs / 2
  let anonHalfBytes = 0
  while (headless.state().nowNs < endNs && headless.state().panicked === '') {
    if (headless.state().nowNs < halfNs) anonHalfBytes = statOf(headless, trial).anon
    await headless.advanceTo(Math.min(endNs, headless.state().nowNs + PIECE_NS))
    await turn()
    if (isCancelled()) return undefined
  }
  return { ok: true, value: pointOf(headless, trial, { anonHalfBytes, allocStalls: allocStalls(headless) - stalls }) }
}

const read = (headless: Headless, path: string): string => {
  const text = headless.readFile(path)
  return text.ok ? text.value : ''
}
const numberAt = (text: string, key: string): number => Number(new RegExp(`^${key} (\\d+)`, 'm').exec(text)?.[1] ?? 0)

function allocStalls(headless: Headless): number {
  const vmstat = read(headless, '/proc/vmstat')
  return ['dma', 'dma32', 'normal', 'movable'].reduce((sum, zone) => sum + numberAt(vmstat, `allocstall_${zone}`), 0)
}

function statOf(headless: Headless, { cgroup }: Trial): { anon: Bytes; text: string } {
  const text = read(headless, `/sys/fs/cgroup/${cgroup}/memory.stat`)
  return { anon: numberAt(text, 'anon'), text }
}

function pointOf(
  headless: Headless,
  trial: Trial,
  seen: Pick<AdvisePoint, 'anonHalfBytes' | 'allocStalls'>,
): AdvisePoint {
  const file = (name: string): string => read(headless, `/sys/fs/cgroup/${trial.cgroup}/${name}`)
  const events = file('memory.events')
  const stat = statOf(headless, trial)
  const stallNs = Number(/^some .*total=(\d+)/m.exec(file('memory.pressure'))?.[1] ?? 0) * NS_PER_US
  const kills = numberAt(events, 'oom_kill')
  const isEvicted = read(headless, `${trial.folder}/stopped`).startsWith('Evicted')
  const psiPercent = (stallNs / trial.forNs) * 100
  const isKilled = kills > 0 || isEvicted || headless.state().panicked !== ''
  const isTight = trial.psiPercentFree !== undefined && psiPercent > trial.psiPercentFree + TIGHT_PSI_PERCENT
  return {
    limitBytes: trial.limitBytes,
    peakBytes: Number(file('memory.peak')),
    faults: numberAt(stat.text, 'pgfault'),
    majorFaults: numberAt(stat.text, 'pgmajfault'),
    refaults: numberAt(stat.text, 'workingset_refault_anon') + numberAt(stat.text, 'workingset_refault_file'),
    stallNs,
    psiPercent,
    kills,
    restarts: Number(/"restarts":(\d+)/.exec(read(headless, `${trial.folder}/${trial.container}.state`))?.[1] ?? 0),
    maxEvents: numberAt(events, 'max'),
    isEvicted,
    anonBytes: stat.anon,
    ...seen,
    verdict: isKilled ? 'killed' : isTight ? 'tight' : 'holds',
  }
}

export interface Place {
  readonly pod: PlannedPod
  readonly container: PlannedPod['containers'][number]
  readonly group: PlannedGroup
}

/** Where the target is in a plan. */
export function placeIn(plan: Plan, target: Target): Place | undefined {
  const pod = plan.pods.find((one) => one.name === target.planned)
  const container =
    target.runtime === 'docker' ? pod?.containers[0] : pod?.containers.find((one) => one.name === target.container)
  const group = plan.groups.find((one) => one.path === container?.cgroup)
  return pod && container && group ? { pod, container, group } : undefined
}
