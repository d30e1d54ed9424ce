/**
 * Kubernetes manifests → pods: Pod, and the kinds that make pods from a template. Fields that have nothing to do with
 * memory or with what runs are passed over; those that have are checked as the API server checks them.
 */
import { cpuOf, memoryOf } from './quantity'
import type { ContainerSpec, PodSpec, Resources, Restart } from './types'
import { dig, field, listOf, mapOf, refuse, textOf, wholeOf, type Tree } from './yaml-tree'

/** Where a kind keeps its pod template, and how many pods it makes. */
export interface KindRow {
  readonly template: readonly string[]
  readonly replicas: readonly string[]
}

export const KINDS: Readonly<Record<string, KindRow>> = {
  Pod: { template: [], replicas: [] },
  Deployment: { template: ['spec', 'template'], replicas: ['spec', 'replicas'] },
  ReplicaSet: { template: ['spec', 'template'], replicas: ['spec', 'replicas'] },
  StatefulSet: { template: ['spec', 'template'], replicas: ['spec', 'replicas'] },
  DaemonSet: { template: ['spec', 'template'], replicas: [] },
  Job: { template: ['spec', 'template'], replicas: ['spec', 'parallelism'] },
  CronJob: {
    template: ['spec', 'jobTemplate', 'spec', 'template'],
    replicas: ['spec', 'jobTemplate', 'spec', 'parallelism'],
  },
}

/** The kubelet's own default. */
export const PODS_MAX = 110
/** Kinds that stand beside pods in many files and have no memory of their own. */
const WITHOUT_PODS =
  /^(?:Service|ConfigMap|Secret|Namespace|ServiceAccount|Ingress|PersistentVolumeClaim|PersistentVolume|Role|RoleBinding|ClusterRole|ClusterRoleBinding|HorizontalPodAutoscaler|PodDisruptionBudget|NetworkPolicy|StorageClass|PriorityClass)$/
const CRITICAL: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
}

export const isKubernetes = (document: Tree): boolean =>
  field(document, 'kind') !== undefined || field(document, 'apiVersion') !== undefined

/** The pods of one document. */
export function podsOf(document: Tree, notes: string[]): readonly PodSpec[] {
  const kindAt = field(document, 'kind')
  if (kindAt === undefined) return refuse(document, 'no-kind', 'The manifest has no kind.', 'Add kind: Pod.')
  const kind = textOf(kindAt)
  if (kind === 'List') return listOf(field(document, 'items')).flatMap((item) => podsOf(item, notes))
  if (WITHOUT_PODS.test(kind)) {
    notes.push(`${kind} ${nameAt(document, kind)} has no memory of its own and is passed over.`)
    return []
  }
  const known = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined
  if (known === undefined)
    return refuse(kindAt, 'not-a-pod', `A ${kind} makes no pods.`, `Give one of ${Object.keys(KINDS).join(', ')}.`)
  const name = nameAt(document, kind)
  const template = known.template.length === 0 ? document : dig(document, ...known.template)
  if (template === undefined)
    return refuse(document, 'no-template', `The ${kind} has no pod template.`, `Add ${known.template.join('.')}.`)
  if (kind === 'CronJob') notes.push(`CronJob ${name}: one run of it is started at once.`)
  const count = dig(document, ...known.replicas)
  const replicas = count === undefined || known.replicas.length === 0 ? 1 : wholeOf(count, 0, PODS_MAX)
  const base = { ...podOf(template, kind, notes), namespace: namespaceOf(document) }
  if (kind === 'Pod') return [{ ...base, name }]
  return Array.from({ length: replicas }, (_, i) => ({ ...base, name: replicas === 1 ? `${name}-0` : `${name}-${i}` }))
}

function nameAt(document: Tree, kind: string): string {
  const at = dig(document, 'metadata', 'name') ?? dig(document, 'metadata', 'generateName')
  if (at === undefined) return refuse(document, 'no-name', `The ${kind} has no name.`, 'Add metadata.name.')
  const name = textOf(at).replace(/-$/, '')
  if (/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name) && name.length <= 253) return name
  return refuse(at, 'name', `'${name}' is no name.`, 'Use lower-case letters, digits and dashes.')
}

function namespaceOf(document: Tree): string {
  const at = dig(document, 'metadata', 'namespace')
  return at === undefined ? 'default' : textOf(at)
}

function podOf(template: Tree, kind: string, notes: string[]): Omit<PodSpec, 'name' | 'namespace'> {
  const spec = field(template, 'spec')
  if (spec === undefined) return refuse(template, 'no-spec', `The ${kind} says nothing to run.`, 'Add spec.containers.')
  const containers = listOf(field(spec, 'containers'))
  if (containers.length === 0)
    return refuse(spec, 'no-containers', 'The pod has no containers.', 'Add spec.containers with at least one.')
  const workloads = dig(template, 'metadata', 'annotations')
  const all = [
    ...listOf(field(spec, 'initContainers')).map((at) => containerOf(at, 'init', workloads)),
    ...containers.map((at) => containerOf(at, 'app', workloads)),
  ]
  const seen = new Set<string>()
  for (const [i, container] of all.entries()) {
    if (seen.has(container.name))
      refuse(containers[i] ?? spec, 'twice', `Two containers are called ${container.name}.`, 'Names differ in a pod.')
    seen.add(container.name)
  }
  if (field(spec, 'overhead') !== undefined) notes.push('spec.overhead is passed over: the runtime here has none.')
  const className = field(spec, 'priorityClassName')
  const priority = field(spec, 'priority')
  const named = className === undefined ? undefined : CRITICAL[textOf(className)]
  return {
    restart: restartOf(field(spec, 'restartPolicy'), kind),
    priority: priority === undefined ? (named ?? 0) : wholeOf(priority, -2_147_483_648, 2_147_483_647),
    isCritical: className !== undefined && textOf(className) === 'system-node-critical',
    containers: all,
  }
}

/** Jobs must say that they may end; the others may only go on for ever. */
function restartOf(at: Tree | undefined, kind: string): Restart {
  const isJob = kind === 'Job' || kind === 'CronJob'
  if (at === undefined) return isJob ? 'OnFailure' : 'Always'
  const text = textOf(at)
  const accepted: readonly string[] =
    kind === 'Pod' ? ['Always', 'OnFailure', 'Never'] : isJob ? ['OnFailure', 'Never'] : ['Always']
  if (accepted.includes(text)) return text as Restart
  return refuse(at, 'restart', `A ${kind} cannot have restartPolicy ${text}.`, `Accepted: ${accepted.join(', ')}.`)
}

function containerOf(at: Tree, role: 'app' | 'init', workloads: Tree | undefined): ContainerSpec {
  const nameAt = field(at, 'name')
  if (nameAt === undefined) return refuse(at, 'no-name', 'The container has no name.', 'Add name.')
  const name = textOf(nameAt)
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name))
    refuse(
      nameAt,
      'name',
      `'${name}' is no name of a container.`,
      'Use lower-case letters, digits and dashes, 63 at most.',
    )
  const policy = field(at, 'restartPolicy')
  const isSidecar = role === 'init' && policy !== undefined && textOf(policy) === 'Always'
  if (policy !== undefined && !isSidecar)
    refuse(policy, 'restart', 'Only an init container has a policy of its own, and only Always.', 'Remove it.')
  const words = (list: string): string[] => listOf(field(at, list)).map(textOf)
  const workload = field(workloads, `pagewalk.dev/workload.${name}`) ?? field(workloads, 'pagewalk.dev/workload')
  const image = field(at, 'image')
  return {
    name,
    role: isSidecar ? 'sidecar' : role,
    image: image === undefined ? '' : textOf(image),
    argv: [...words('command'), ...words('args')],
    env: envOf(field(at, 'env')),
    resources: resourcesOf(field(at, 'resources')),
    workload: workload === undefined ? undefined : textOf(workload),
  }
}

function envOf(at: Tree | undefined): Record<string, string> {
  const env: Record<string, string> = {}
  for (const item of listOf(at)) {
    const value = field(item, 'value')
    const name = field(item, 'name')
    if (name !== undefined && value !== undefined) env[textOf(name)] = textOf(value)
  }
  return env
}

/** A limit without a request is the request too. @source k8s.io/kubernetes SetDefaults_Pod() */
function resourcesOf(at: Tree | undefined): Resources {
  if (at !== undefined) mapOf(at)
  const requestAt = dig(at, 'requests', 'memory')
  const limitAt = dig(at, 'limits', 'memory')
  const cpuRequestAt = dig(at, 'requests', 'cpu')
  const cpuLimitAt = dig(at, 'limits', 'cpu')
  const limitBytes = limitAt && memoryOf(limitAt)
  const requestBytes = requestAt === undefined ? limitBytes : memoryOf(requestAt)
  const cpuLimit = cpuLimitAt && cpuOf(cpuLimitAt)
  if (requestAt !== undefined && limitBytes !== undefined && requestBytes! > limitBytes)
    refuse(
      requestAt,
      'request',
      `The request ${requestAt.source} is above the limit ${limitAt!.source}.`,
      'Ask for at most the limit.',
    )
  return { requestBytes, limitBytes, cpuRequest: cpuRequestAt === undefined ? cpuLimit : cpuOf(cpuRequestAt), cpuLimit }
}
