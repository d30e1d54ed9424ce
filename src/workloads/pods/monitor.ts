/**
 * One container's life: a child goes into its group and becomes the workload; when that has ended its reason is written
 * down and, if the policy says so, it comes back after the runtime's delay. What else the container ran dies with it, as a
 * pid namespace does with its first process.
 */
import type { Op, ProgramData, ProgramView } from '../../engine/task'
import { stderr, type Step, type StepData } from '../steps'
import { dockerDelay, kubeletDelay, type Backoff } from './backoff'
import { formatState, stateFile, stoppedFile, type ContainerState, type PodContainer } from './pod_file'

export interface MonitorData extends StepData {
  readonly part: 'monitor'
  readonly container: PodContainer
  readonly folder: string
  readonly runtime: 'kubelet' | 'docker'
  backoff: Backoff
  current: ContainerState
  /** oom_kill of the group's events when the run began. */
  oomKillsBefore: number
  status: number
}

interface ChildData extends StepData {
  readonly part: 'child'
  readonly container: PodContainer
}

const GROUPS = '/sys/fs/cgroup'

export const createMonitor = (
  container: PodContainer,
  folder: string,
  runtime: MonitorData['runtime'],
): MonitorData => ({
  pc: 0,
  status: 0,
  part: 'monitor',
  container,
  folder,
  runtime,
  backoff: { delayNs: 0, setNs: 0 },
  current: {
    state: 'Waiting',
    reason: 'ContainerCreating',
    restarts: 0,
    pid: 0,
    exitCode: -1,
    lastReason: '',
    startedNs: 0,
    finishedNs: 0,
    oomKills: 0,
  },
  oomKillsBefore: 0,
})

const groupFile = (d: { readonly container: PodContainer }, file: string): string =>
  `${GROUPS}/${d.container.cgroup}/${file}`

/** What the child does before it is the workload. */
export const childSteps: readonly Step<ChildData>[] = [
  (d) => ({ op: 'writeFile', path: groupFile(d, 'cgroup.procs'), text: '0' }),
  (d, view) => {
    if (view.errno !== undefined) return leave(d, `cannot enter ${d.container.cgroup}`)
    return { op: 'writeFile', path: '/proc/self/oom_score_adj', text: String(d.container.oomScoreAdj) }
  },
  (d) => ({ op: 'execve', argv: d.container.argv }),
  (d) => leave(d, `exec: "${d.container.argv[0] ?? ''}": executable file not found in $PATH`),
]

/** As runc fails: 128, and a line in the container's log. */
function leave(d: ChildData, why: string): Op {
  d.status = 128
  d.pc = Number.MAX_SAFE_INTEGER
  return stderr(`${d.container.name}: ${why}\n`)
}

const write = (d: MonitorData, change: Partial<ContainerState>): Op => {
  d.current = { ...d.current, ...change }
  return { op: 'writeFile', path: stateFile(d.folder, d.container.name), text: formatState(d.current), create: true }
}

/** Failed or missing: 0. */
const oomKillsOf = (view: ProgramView): number =>
  view.errno === undefined ? Number(/^oom_kill (\d+)$/m.exec(view.text)?.[1] ?? 0) : 0

const FIRST_STEP = 0

function restartDelay(d: MonitorData): number {
  const { startedNs, finishedNs } = d.current
  return d.runtime === 'docker' ? dockerDelay(d.backoff, finishedNs - startedNs) : kubeletDelay(d.backoff, finishedNs)
}

function comesBack(d: MonitorData): boolean {
  const { restart, retriesMax } = d.container
  const { exitCode, restarts } = d.current
  if (d.container.role === 'init') return exitCode !== 0 && restart !== 'Never'
  if (restart === 'Always') return true
  return restart === 'OnFailure' && exitCode !== 0 && (retriesMax === 0 || restarts < retriesMax)
}

/** The pod is not to go on. */
function stop(d: MonitorData, reason: string): Op {
  d.pc = Number.MAX_SAFE_INTEGER
  d.status = 1
  return write(d, { state: 'Terminated', reason, lastReason: d.current.lastReason || reason })
}

export const monitorSteps: readonly Step<MonitorData>[] = [
  (d) => ({ op: 'readFile', path: groupFile(d, 'memory.events') }),
  (d, view) => {
    d.oomKillsBefore = oomKillsOf(view)
    const child: ChildData = { pc: 0, status: 0, part: 'child', container: d.container }
    return { op: 'fork', child: child as ProgramData }
  },
  (d, view) =>
    write(d, { state: 'Running', reason: '', pid: view.errno === undefined ? view.result : 0, startedNs: view.nowNs }),
  (d) => (d.current.pid === 0 ? undefined : { op: 'wait', pid: d.current.pid }),
  (d, view) => {
    // A fork without memory counts as a start that failed.
    const exitCode = d.current.pid === 0 ? 128 : view.result
    d.current = { ...d.current, exitCode, finishedNs: view.nowNs, pid: 0 }
    return { op: 'writeFile', path: groupFile(d, 'cgroup.kill'), text: '1' }
  },
  (d) => ({ op: 'readFile', path: groupFile(d, 'memory.events') }),
  (d, view) => {
    const oomKills = Math.max(0, oomKillsOf(view) - d.oomKillsBefore)
    const { exitCode } = d.current
    const lastReason = exitCode === 0 ? 'Completed' : oomKills > 0 ? 'OOMKilled' : 'Error'
    d.current = { ...d.current, lastReason, oomKills: d.current.oomKills + oomKills }
    return { op: 'readFile', path: stoppedFile(d.folder) }
  },
  (d, view) => {
    if (view.errno === undefined) return stop(d, view.text.trim())
    if (!comesBack(d)) {
      d.pc = Number.MAX_SAFE_INTEGER
      d.status = d.current.exitCode === 0 ? 0 : 1
      return write(d, { state: 'Terminated', reason: d.current.lastReason })
    }
    d['delay'] = restartDelay(d)
    const reason = d.runtime === 'docker' ? 'Restarting' : 'CrashLoopBackOff'
    return Number(d['delay']) === 0 ? undefined : write(d, { state: 'Waiting', reason })
  },
  (d) => (Number(d['delay']) === 0 ? undefined : { op: 'sleep', ns: Number(d['delay']) }),
  (d) => ({ op: 'readFile', path: stoppedFile(d.folder) }),
  (d, view) => {
    if (view.errno === undefined) return stop(d, view.text.trim())
    d.current = { ...d.current, restarts: d.current.restarts + 1 }
    d.pc = FIRST_STEP
    return undefined
  },
]
