/** Pods and compose services → groups with their files, and containers that a shim can run. @spec 7.9 */
import { containerFiles, oomScoreAdjOf, podSum, qosOf, reservation, type Qos } from './kubelet'
import { tenantOf } from './tenants'
import type {
  ComposeSpec,
  GroupFile,
  KubeletOptions,
  NodeFacts,
  Plan,
  PlannedGroup,
  PlannedPod,
  PodSpec,
} from './types'

const CONTROL: GroupFile = { file: 'cgroup.subtree_control', text: '+memory' }

/** Where the runtime's own processes live. */
const runtimeGroups = (...services: readonly string[]): PlannedGroup[] => [
  { path: '', role: 'root', name: '', files: [CONTROL] },
  { path: 'system.slice', role: 'class', name: '', files: [CONTROL] },
  ...services.map((name): PlannedGroup => ({
    path: `system.slice/${name}.service`,
    role: 'class',
    name: '',
    files: [],
  })),
]

/** Hexadecimal digits that stand for a name: container ids and pod uids without chance. FNV-1a. */
export function idOf(name: string, digits: number): string {
  let text = ''
  for (let round = 0; text.length < digits; round++) {
    let hash = 0x811c9dc5 ^ round
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
    text += ((hash ^ (hash >>> 15)) >>> 0).toString(16).padStart(8, '0')
  }
  return text.slice(0, digits)
}

/** Data that a workload would share with others of its kind lies in its pod's folder, as an emptyDir does. */
function withVolume(argv: readonly string[], folder: string, container: string): readonly string[] {
  const option = argv[0] === 'postgres' ? '--data' : argv[0] === 'redis-server' ? '--dump' : ''
  if (option === '' || argv.some((word) => word.startsWith(`${option}=`))) return argv
  return [...argv, `${option}=${folder}/${container}.data`]
}

/** A uid as systemd's names of slices have it: with underscores. */
function uidOf(pod: PodSpec): string {
  const hex = idOf(`${pod.namespace}/${pod.name}`, 32)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('_')
}

const CLASS_SLICE: Readonly<Record<Qos, string>> = {
  Guaranteed: 'kubepods',
  Burstable: 'kubepods-burstable',
  BestEffort: 'kubepods-besteffort',
}

/** The groups above a pod, parents first. */
function classGroups(pod: PodSpec, node: NodeFacts, options: KubeletOptions): PlannedGroup[] {
  const qos = qosOf(pod)
  const request = podSum(pod, 'requestBytes', false) ?? 0
  const reserved = reservation(request, qos, options, { add: true })
  const root: PlannedGroup = { path: '', role: 'root', name: '', files: [CONTROL] }
  const capacity: GroupFile = { file: 'memory.max', text: String(node.capacityBytes) }
  const top: PlannedGroup = { path: 'kubepods.slice', role: 'class', name: '', files: [capacity, ...reserved, CONTROL] }
  if (qos === 'Guaranteed') return [root, top]
  return [
    root,
    top,
    { path: `${top.path}/${CLASS_SLICE[qos]}.slice`, role: 'class', name: '', files: [...reserved, CONTROL] },
  ]
}

function planPod(
  pod: PodSpec,
  node: NodeFacts,
  options: KubeletOptions,
  notes: string[],
): [PlannedPod, PlannedGroup[]] {
  const qos = qosOf(pod)
  const name = pod.namespace === 'default' ? pod.name : `${pod.namespace}_${pod.name}`
  const folder = `/var/lib/kubelet/pods/${name}`
  const above = classGroups(pod, node, options)
  const path = `${above.at(-1)!.path}/${CLASS_SLICE[qos]}-pod${uidOf(pod)}.slice`
  const limit = podSum(pod, 'limitBytes', true)
  const requestBytes = podSum(pod, 'requestBytes', false) ?? 0
  const group: PlannedGroup = {
    path,
    role: 'pod',
    name: pod.name,
    files: [
      ...(limit ? [{ file: 'memory.max', text: String(limit) }] : []),
      ...reservation(requestBytes, qos, options),
      CONTROL,
    ],
  }
  const groups = [...above, group]
  const containers = pod.containers.map((container) => {
    const cgroup = `${path}/cri-containerd-${idOf(`${pod.namespace}/${pod.name}/${container.name}`, 12)}.scope`
    groups.push({
      path: cgroup,
      role: 'container',
      name: container.name,
      files: containerFiles(pod, container, node, options),
    })
    const { argv, note } = tenantOf(container)
    if (note !== '' && !notes.includes(note)) notes.push(note)
    return {
      name: container.name,
      role: container.role,
      cgroup,
      oomScoreAdj: oomScoreAdjOf(pod, container, node),
      argv: withVolume(argv, folder, container.name),
      restart: container.role === 'sidecar' ? ('Always' as const) : pod.restart,
      retriesMax: 0,
    }
  })
  const { priority } = pod
  const rest = { name, qos, priority, requestBytes, cgroup: path, folder, containers }
  return [{ format: 'pagewalk-pod', version: 1, runtime: 'kubelet', ...rest }, groups]
}

/** Shared groups once; what is added to their files, summed up. */
function mergeGroups(lists: readonly (readonly PlannedGroup[])[]): PlannedGroup[] {
  const merged = new Map<string, PlannedGroup>()
  for (const group of lists.flat()) {
    const before = merged.get(group.path)
    if (before === undefined) {
      merged.set(group.path, group)
      continue
    }
    const files = [...before.files]
    for (const file of group.files) {
      const at = files.findIndex((other) => other.file === file.file)
      if (at < 0) files.splice(-1, 0, file)
      else if (file.add) files[at] = { ...file, text: String(Number(files[at]!.text) + Number(file.text)) }
    }
    merged.set(group.path, { ...before, files })
  }
  return [...merged.values()]
}

export function planPods(
  pods: readonly PodSpec[],
  node: NodeFacts,
  options: KubeletOptions,
  notes: readonly string[],
): Plan {
  const said = [...notes]
  const planned = pods.map((pod) => planPod(pod, node, options, said))
  return {
    pods: planned.map(([pod]) => pod),
    groups: mergeGroups([runtimeGroups('containerd', 'kubelet'), ...planned.map(([, groups]) => groups)]),
    notes: said,
  }
}

/** @spec 7.9: --memory, --memory-reservation, --memory-swap */
function dockerFiles(spec: ComposeSpec, node: NodeFacts): GroupFile[] {
  const { limitBytes, requestBytes } = spec.container.resources
  const swap =
    spec.swapTotal === -1 || limitBytes === undefined
      ? undefined
      : spec.swapTotal === undefined
        ? limitBytes
        : spec.swapTotal - limitBytes
  return [
    ...(requestBytes ? [{ file: 'memory.low', text: String(requestBytes) }] : []),
    ...(limitBytes ? [{ file: 'memory.max', text: String(limitBytes) }] : []),
    ...(swap !== undefined && node.swapBytes > 0 ? [{ file: 'memory.swap.max', text: String(swap) }] : []),
  ]
}

export function planCompose(specs: readonly ComposeSpec[], node: NodeFacts, notes: readonly string[]): Plan {
  const said = [...notes]
  const groups: PlannedGroup[][] = [runtimeGroups('containerd')]
  const pods = specs.map((spec): PlannedPod => {
    const { name, role, resources } = spec.container
    const cgroup = `system.slice/docker-${idOf(name, 12)}.scope`
    groups.push([{ path: cgroup, role: 'container', name, files: dockerFiles(spec, node) }])
    const { argv, note } = tenantOf(spec.container)
    if (note !== '' && !said.includes(note)) said.push(note)
    const { oomScoreAdj, restart, retriesMax } = spec
    const folder = `/var/lib/docker/containers/${name}`
    const container = { name, role, cgroup, oomScoreAdj, argv: withVolume(argv, folder, name), restart, retriesMax }
    const requestBytes = resources.requestBytes ?? 0
    const rest = { qos: '', priority: 0, requestBytes, cgroup, folder, containers: [container] } as const
    return { format: 'pagewalk-pod', version: 1, runtime: 'docker', name, ...rest }
  })
  return { pods, groups: mergeGroups(groups), notes: said }
}
