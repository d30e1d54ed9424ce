/**
 * What kubectl and docker share: a plan carried out step by step, each a file written, a directory made or a program
 * started; what became of the containers; and taking them away again.
 */
import { strerror } from '../../util/errno'
import {
  importPods,
  KUBELET_DEFAULTS,
  nodeFactsOf,
  planSteps,
  type KubeletOptions,
  type NodeFacts,
  type Plan,
  type PlanStep,
} from '../../profiles'
import {
  readPodFile,
  readState,
  stateFile,
  stoppedFile,
  type ContainerState,
  type PodContainer,
  type PodFile,
} from '../../workloads/pods/pod_file'
import { formatUserError } from '../../util/result'
import { resolvePath } from '../paths'
import { explainRefusal, type ToolContext } from '../process'
import { order } from '../stream'
import { readText } from './nodes'
import { readOperand, warn } from './options'

const GROUPS = '/sys/fs/cgroup'

/** Capacity as the kubelet sees it. */
export const nodeFacts = (context: ToolContext): NodeFacts => nodeFactsOf(readText(context, '/proc/meminfo'))

/** The plan of a file; undefined after the message. */
export async function planOf(
  context: ToolContext,
  path: string,
  options: KubeletOptions = KUBELET_DEFAULTS,
): Promise<Plan | undefined> {
  const text = await readOperand(context, path)
  if (text === undefined) return undefined
  const plan = importPods(text, path === '-' ? 'standard input' : path, nodeFacts(context), options)
  if (plan.ok) return plan.value
  await context.warn(`error: ${formatUserError(plan.error)}\n`)
  return undefined
}

/** Does it all; the first step that the machine refuses ends it. @returns whether it was done */
export async function carryOut(context: ToolContext, plan: Plan): Promise<boolean> {
  for (const step of planSteps(plan)) {
    const refused = await take(context, step)
    if (refused === '') continue
    await warn(context, refused)
    return false
  }
  return true
}

/** @returns '' or why not */
async function take(context: ToolContext, step: PlanStep): Promise<string> {
  const { sys, pid } = context
  switch (step.do) {
    case 'mkdir': {
      if (sys.stat(pid, step.path).ok) return ''
      const made = sys.command({ kind: 'mkdir', pid, path: step.path, parents: true })
      return made.ok ? '' : `cannot create directory '${step.path}': ${strerror(made.error.errno)}`
    }
    case 'add': {
      const sum = Number(readText(context, step.path)) + step.by
      return take(context, { do: 'write', path: step.path, text: String(sum) })
    }
    case 'write': {
      const { create = false, append = false } = step
      const text = `${step.text}\n`
      const done = create ? sys.write(pid, step.path, text, { create, append }) : await order(context, step.path, text)
      if (done.ok) return ''
      explainRefusal(context.world, done.error)
      return `${step.path}: ${strerror(done.error.errno)}`
    }
    case 'start':
      return start(context, step.argv, `${step.argv[1]!.slice(0, -'pod.json'.length)}log`)
  }
}

/** A process of its own, child of init, as a service has it. */
export function start(context: ToolContext, argv: readonly string[], log: string): string {
  const to = { to: 'file', path: log, append: true } as const
  const started = context.sys.spawn(1, { argv, stdin: { to: 'null' }, stdout: to, stderr: to }, () => {})
  if (started.ok) return ''
  explainRefusal(context.world, started.error)
  return `${argv[0]}: ${strerror(started.error.errno)}`
}

export interface KnownContainer {
  readonly spec: PodContainer
  readonly state: ContainerState | undefined
}

export interface KnownPod {
  readonly pod: PodFile
  readonly containers: readonly KnownContainer[]
  /** 'Evicted', 'Deleted' or ''. */
  readonly stopped: string
}

/** Pods or containers of Docker that have a folder below `root`. */
export function knownPods(context: ToolContext, root: string): readonly KnownPod[] {
  const names = context.sys.list(context.pid, root)
  if (!names.ok) return []
  return names.value.flatMap((name) => {
    const folder = `${root}/${name}`
    const pod = readPodFile(readText(context, `${folder}/pod.json`))
    if (pod === undefined) return []
    const containers = pod.containers.map((spec) => ({
      spec,
      state: readState(readText(context, stateFile(folder, spec.name))),
    }))
    return [{ pod, containers, stopped: readText(context, stoppedFile(folder)).trim() }]
  })
}

/** Signals whoever runs the pod's shim, its monitors included. */
function killShims(context: ToolContext, folder: string): void {
  const pids = readText(context, `${GROUPS}/system.slice/containerd.service/cgroup.procs`).split('\n').filter(Boolean)
  for (const pid of pids) {
    if (readText(context, `/proc/${pid}/cmdline`).includes(`${folder}/pod.json`))
      context.sys.kill(context.pid, Number(pid), 9)
  }
}

const LOOK_NS = 10_000_000
const PATIENCE = 1000

/** Kills what runs, then removes groups and files. */
export async function takeDown(context: ToolContext, known: KnownPod): Promise<boolean> {
  const { pod } = known
  const { sys, pid } = context
  sys.write(pid, stoppedFile(pod.folder), 'Deleted\n', { create: true, append: false })
  killShims(context, pod.folder)
  const group = `${GROUPS}/${pod.cgroup}`
  await order(context, `${group}/cgroup.kill`, '1\n')
  for (let i = 0; i < PATIENCE && /^populated 1$/m.test(readText(context, `${group}/cgroup.events`)); i++)
    await context.doom.race(sys.sleep(pid, LOOK_NS), { interruptible: true })
  await giveBackReservation(context, pod)
  const groups = new Set([...pod.containers.map((container) => `${GROUPS}/${container.cgroup}`), group])
  for (const path of groups) sys.command({ kind: 'rmdir', pid, path })
  const names = sys.list(pid, pod.folder)
  if (names.ok)
    for (const name of names.value) sys.command({ kind: 'unlink', pid, path: resolvePath(pod.folder, name) })
  sys.command({ kind: 'rmdir', pid, path: pod.folder })
  return !sys.stat(pid, group).ok
}

/** What the pod had added to the groups that it shared. */
async function giveBackReservation(context: ToolContext, pod: PodFile): Promise<void> {
  if (pod.runtime === 'docker') return
  for (const file of ['memory.min', 'memory.low']) {
    const own = Number(readText(context, `${GROUPS}/${pod.cgroup}/${file}`))
    if (!(own > 0)) continue
    const parts = pod.cgroup.split('/').slice(0, -1)
    for (let depth = 1; depth <= parts.length; depth++) {
      const path = `${GROUPS}/${parts.slice(0, depth).join('/')}/${file}`
      const left = Math.max(0, Number(readText(context, path)) - own)
      await order(context, path, `${left}\n`)
    }
  }
}

/** '35s', '4m12s', '2h', as kubectl prints an age. */
export function ageText(ns: number): string {
  const seconds = Math.max(0, Math.floor(ns / 1e9))
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 10) return `${minutes}m${seconds % 60 === 0 ? '' : `${seconds % 60}s`}`
  return minutes < 180 ? `${minutes}m` : `${Math.floor(minutes / 60)}h`
}

export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i]! + 3))
          .join('')
          .trimEnd()}\n`,
    )
    .join('')
}
