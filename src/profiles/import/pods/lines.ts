/** A plan as the shell lines that carry it out: what `kubectl apply` and `docker compose up` do in the machine. */
import type { Plan, PlannedPod } from './types'

const ROOT = '/sys/fs/cgroup'
const dirOf = (path: string): string => (path === '' ? ROOT : `${ROOT}/${path}`)
/** The file from which a shim learns what it has to run. */
export const podFile = (pod: PlannedPod): string => `${pod.folder}/pod.json`
/** A line a pod: the kubelet's list of whom it may evict. */
export const PODS_LIST = '/var/lib/kubelet/pods.list'

/** One step of carrying out a plan. */
export type PlanStep =
  | { readonly do: 'mkdir'; readonly path: string }
  | {
      readonly do: 'write'
      readonly path: string
      readonly text: string
      readonly append?: boolean
      readonly create?: boolean
    }
  /** The number is added to what the file says. */
  | { readonly do: 'add'; readonly path: string; readonly by: number }
  | { readonly do: 'start'; readonly argv: readonly string[] }

export function planSteps(plan: Plan): readonly PlanStep[] {
  const steps: PlanStep[] = []
  for (const group of plan.groups) {
    if (group.path !== '') steps.push({ do: 'mkdir', path: dirOf(group.path) })
    for (const { file, text, add } of group.files) {
      const path = `${dirOf(group.path)}/${file}`
      steps.push(add === true ? { do: 'add', path, by: Number(text) } : { do: 'write', path, text })
    }
  }
  for (const pod of plan.pods) {
    steps.push({ do: 'mkdir', path: pod.folder })
    steps.push({ do: 'write', path: podFile(pod), text: JSON.stringify(pod), create: true })
    if (pod.runtime === 'kubelet')
      steps.push({ do: 'write', path: PODS_LIST, text: pod.folder, append: true, create: true })
    steps.push({ do: 'start', argv: ['containerd-shim', podFile(pod)] })
  }
  return steps
}

const quoted = (text: string): string => (/^[\w+./:=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)

export function stepLine(step: PlanStep): string {
  switch (step.do) {
    case 'mkdir':
      return `mkdir -p ${step.path}`
    case 'write':
      return `echo ${quoted(step.text)} ${step.append ? '>>' : '>'} ${step.path}`
    case 'add':
      return `echo $(( $(cat ${step.path}) + ${step.by} )) > ${step.path}`
    case 'start':
      return `${step.argv.join(' ')} &`
  }
}
