/** A manifest on its way into the machine: where its file goes, the line that applies it, and its plan as rows. Pure. */
import type { KubeletOptions, Plan, PlannedGroup } from '../../../profiles'
import { formatBytes, joinFigure } from '../../format'

/** What the file is called in the machine: a name that needs no quoting. */
export const machinePath = (fileName: string): string => {
  const base = fileName
    .replace(/^.*[/\\]/, '')
    .replace(/[^\w.-]+/g, '-')
    .replace(/^[-.]+/, '')
  return `/root/${/\.ya?ml$/i.test(base) ? base : `${base || 'manifest'}.yaml`}`
}

export const isCompose = (plan: Plan | undefined): boolean => plan?.pods[0]?.runtime === 'docker'

/** What a person would type after having written the file. */
export function applyLine(path: string, options: KubeletOptions, isComposeFile: boolean): string {
  if (isComposeFile) return `docker compose -f ${path} up -d`
  const flags = [
    ...(options.memoryQos === 'off' ? [] : [`--memory-qos=${options.memoryQos}`]),
    ...(options.swap === 'no' ? [] : [`--swap=${options.swap}`]),
    ...(options.singleProcessOomKill ? ['--single-process-oom-kill'] : []),
  ]
  return ['kubectl apply -f', path, ...flags].join(' ')
}

export interface PlanRow {
  readonly path: string
  readonly name: string
  readonly depth: number
  readonly role: PlannedGroup['role']
  /** 'memory.max 320 MiB', in the order in which they are written. */
  readonly values: readonly string[]
  /** Of a container: its score adjustment and what stands for its code. */
  readonly runs: string
  /** Class of a pod. */
  readonly qos: string
}

const valueText = (file: string, text: string, isAdded: boolean): string => {
  const bytes = Number(text)
  const isAmount = /^\d+$/.test(text) && file !== 'memory.oom.group'
  return `${file} ${isAdded ? '+' : ''}${isAmount ? joinFigure(formatBytes(bytes)) : text}`
}

/** The groups in the order in which they are made, without the runtime's own. */
export function planRows(plan: Plan): readonly PlanRow[] {
  const containers = new Map(plan.pods.flatMap((pod) => pod.containers.map((c) => [c.cgroup, c] as const)))
  const pods = new Map(plan.pods.map((pod) => [pod.cgroup, pod]))
  const shown = plan.groups.filter(({ path }) => path !== '' && !path.endsWith('.service'))
  const used = shown.filter(
    ({ path }) => path !== 'system.slice' || shown.some((other) => other.path.startsWith('system.slice/')),
  )
  return used.map((group) => {
    const container = containers.get(group.path)
    const files = group.files.filter(({ file }) => file !== 'cgroup.subtree_control')
    return {
      path: `/${group.path}`,
      name: group.name || group.path.slice(group.path.lastIndexOf('/') + 1),
      depth: group.path.split('/').length - 1,
      role: group.role,
      values: files.map(({ file, text, add }) => valueText(file, text, add === true)),
      runs: container === undefined ? '' : `${container.argv.join(' ')}, oom_score_adj ${container.oomScoreAdj}`,
      qos: group.role === 'pod' ? (pods.get(group.path)?.qos ?? '') : '',
    }
  })
}

/** The line of the text that a refusal points at, from 1; undefined when it names none. */
export const refusedLine = (where: string): number | undefined => {
  const line = /: line (\d+)/.exec(where)?.[1]
  return line === undefined ? undefined : Number(line)
}

export interface Sample {
  readonly title: string
  readonly fileName: string
  readonly text: string
}

/** To begin with: each shows one thing. */
export const SAMPLES: readonly Sample[] = [
  {
    title: 'A JVM whose limit forgets what is not heap',
    fileName: 'orders.yaml',
    text: `apiVersion: v1
kind: Pod
metadata:
  name: orders
spec:
  containers:
    - name: app
      image: eclipse-temurin:21
      command: [java, -Xmx96m]
      resources:
        requests: {memory: 64Mi}
        limits: {memory: 128Mi}
`,
  },
  {
    title: 'Guaranteed, Burstable and BestEffort side by side',
    fileName: 'classes.yaml',
    text: ['guaranteed', 'burstable', 'besteffort']
      .map(
        (name, i) => `apiVersion: v1
kind: Pod
metadata:
  name: ${name}
spec:
  containers:
    - name: app
      command: [leak, --base=40M, --rate=0]
${
  [
    '      resources: {requests: {memory: 64Mi, cpu: 250m}, limits: {memory: 64Mi, cpu: 250m}}\n',
    '      resources: {requests: {memory: 32Mi}, limits: {memory: 96Mi}}\n',
    '',
  ][i]
}`,
      )
      .join('---\n'),
  },
  {
    title: 'A compose file: a cache, and a leak that comes back',
    fileName: 'compose.yaml',
    text: `services:
  cache:
    image: redis:7
    command: redis-server --maxmemory=48M
    mem_limit: 96m
  leaky:
    command: leak --base=20M --rate=8M
    mem_limit: 64m
    restart: on-failure:5
`,
  },
]
