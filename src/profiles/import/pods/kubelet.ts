/**
 * What the kubelet computes from a pod: its class, its containers' scores, and the numbers in their groups' files.
 * @spec    7.9, 7.10 E8
 * @source  pkg/kubelet/qos/policy.go, pkg/kubelet/kuberuntime/kuberuntime_container_linux.go
 */
import { PAGE_SIZE, type Bytes } from '../../../util/units'
import type { ContainerSpec, GroupFile, KubeletOptions, NodeFacts, PodSpec } from './types'

export type Qos = 'Guaranteed' | 'Burstable' | 'BestEffort'

/** Zero amounts count as not given. */
export function qosOf(pod: PodSpec): Qos {
  const all = pod.containers.map((container) => container.resources)
  if (all.every((r) => !r.requestBytes && !r.limitBytes && !r.cpuRequest && !r.cpuLimit)) return 'BestEffort'
  const isGuaranteed = all.every(
    (r) => r.limitBytes && r.cpuLimit && r.requestBytes === r.limitBytes && r.cpuRequest === r.cpuLimit,
  )
  return isGuaranteed ? 'Guaranteed' : 'Burstable'
}

const GUARANTEED_ADJ = -997
const BEST_EFFORT_ADJ = 1000

/** Burstable: who asked for more of the node is spared longer. */
function burstableAdj(requestBytes: Bytes, capacityBytes: Bytes): number {
  const adj = 1000 - Math.floor((1000 * requestBytes) / capacityBytes)
  if (adj < 1000 + GUARANTEED_ADJ) return 1000 + GUARANTEED_ADJ
  return adj === BEST_EFFORT_ADJ ? adj - 1 : adj
}

/** A sidecar is never easier to kill than the easiest of the containers that it serves. */
export function oomScoreAdjOf(pod: PodSpec, container: ContainerSpec, node: NodeFacts): number {
  if (pod.isCritical) return GUARANTEED_ADJ
  const qos = qosOf(pod)
  if (qos === 'Guaranteed') return GUARANTEED_ADJ
  if (qos === 'BestEffort') return BEST_EFFORT_ADJ
  const own = burstableAdj(container.resources.requestBytes ?? 0, node.capacityBytes)
  if (container.role !== 'sidecar') return own
  const served = pod.containers
    .filter((other) => other.role === 'app')
    .map((other) => other.resources.requestBytes ?? 0)
  return Math.min(own, burstableAdj(Math.min(...served), node.capacityBytes))
}

/**
 * What a pod asks for or may have as a whole: its containers and sidecars together, or what an init container needs while
 * it runs beside the sidecars before it. undefined when a container that counts has no such amount and `mustAll`.
 * @source k8s.io/component-helpers/resource PodRequests(), PodLimits()
 */
export function podSum(pod: PodSpec, which: 'requestBytes' | 'limitBytes', mustAll: boolean): Bytes | undefined {
  if (mustAll && pod.containers.some((c) => !c.resources[which])) return undefined
  const of = (container: ContainerSpec): number => container.resources[which] ?? 0
  let sum = 0
  for (const container of pod.containers) if (container.role !== 'init') sum += of(container)
  let most = 0
  let sidecars = 0
  for (const container of pod.containers) {
    if (container.role === 'sidecar') most = Math.max(most, (sidecars += of(container)))
    if (container.role === 'init') most = Math.max(most, sidecars + of(container))
  }
  return Math.max(sum, most)
}

/** memory.high of MemoryQoS; undefined: none is written. */
export function memoryHigh(container: ContainerSpec, node: NodeFacts, options: KubeletOptions): Bytes | undefined {
  const { requestBytes = 0, limitBytes } = container.resources
  if (options.memoryQos === 'off' || (limitBytes !== undefined && limitBytes === requestBytes)) return undefined
  const most = limitBytes ?? node.capacityBytes
  // Tenths, because 0.8 and 0.9 are no binary fractions.
  const high =
    options.memoryQos === '1.22'
      ? Math.floor((most * 8) / 10)
      : requestBytes + Math.floor((9 * Math.max(0, most - requestBytes)) / 10)
  const floor = Math.floor(high / PAGE_SIZE) * PAGE_SIZE
  return floor > requestBytes ? floor : undefined
}

/** What MemoryQoS reserves for an amount that was asked for: nothing, memory.min, or for Burstable memory.low. */
export function reservation(
  requestBytes: Bytes,
  qos: Qos,
  options: KubeletOptions,
  extra: { readonly add?: boolean } = {},
): readonly GroupFile[] {
  const { memoryQos } = options
  if (requestBytes <= 0 || memoryQos === 'off' || memoryQos === '1.36' || qos === 'BestEffort') return []
  const file = memoryQos === 'tiered' && qos === 'Burstable' ? 'memory.low' : 'memory.min'
  return [{ file, text: String(requestBytes), ...extra }]
}

/** @spec 7.9: NodeSwap, LimitedSwap */
function swapMax(pod: PodSpec, container: ContainerSpec, node: NodeFacts, options: KubeletOptions): Bytes {
  const { requestBytes = 0, limitBytes } = container.resources
  if (options.swap === 'no' || qosOf(pod) !== 'Burstable' || requestBytes === limitBytes || pod.isCritical) return 0
  return Math.floor((requestBytes / node.capacityBytes) * node.swapBytes)
}

/** The files of a container's group, in the order in which runc writes them. */
export function containerFiles(
  pod: PodSpec,
  container: ContainerSpec,
  node: NodeFacts,
  options: KubeletOptions,
): readonly GroupFile[] {
  const { limitBytes, requestBytes = 0 } = container.resources
  const high = memoryHigh(container, node, options)
  return [
    ...(node.swapBytes > 0 ? [{ file: 'memory.swap.max', text: String(swapMax(pod, container, node, options)) }] : []),
    ...(limitBytes ? [{ file: 'memory.max', text: String(limitBytes) }] : []),
    ...reservation(requestBytes, qosOf(pod), options),
    ...(high === undefined ? [] : [{ file: 'memory.high', text: String(high) }]),
    ...(options.singleProcessOomKill ? [] : [{ file: 'memory.oom.group', text: '1' }]),
  ]
}
