/** What a manifest asks for, and what a node makes of it. */
import { KIB, type Bytes } from '../../../util/units'

export type Restart = 'Always' | 'OnFailure' | 'Never'
export type Runtime = 'kubelet' | 'docker'

/** Amounts of one container as written; undefined: not given. */
export interface Resources {
  readonly requestBytes: Bytes | undefined
  readonly limitBytes: Bytes | undefined
  readonly cpuRequest: number | undefined
  readonly cpuLimit: number | undefined
}

export interface ContainerSpec {
  readonly name: string
  /** init: runs to its end before the others; sidecar: an init container that goes on (restartPolicy Always). */
  readonly role: 'app' | 'init' | 'sidecar'
  readonly image: string
  /** command and args in one. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly resources: Resources
  /** What stands for its code here, when the manifest says so by an annotation or label. */
  readonly workload: string | undefined
}

export interface PodSpec {
  readonly namespace: string
  readonly name: string
  readonly restart: Restart
  readonly priority: number
  readonly isCritical: boolean
  readonly containers: readonly ContainerSpec[]
}

export interface ComposeSpec {
  readonly container: ContainerSpec
  readonly restart: Restart
  /** on-failure:N; 0: no end. */
  readonly retriesMax: number
  /** Bytes; swap: −1 no limit, undefined as Docker decides. */
  readonly swapTotal: number | undefined
  readonly oomScoreAdj: number
}

/** The node, as far as limits and scores depend on it. */
export interface NodeFacts {
  /** MemTotal. */
  readonly capacityBytes: Bytes
  readonly swapBytes: Bytes
}

/** From the text of /proc/meminfo. */
export function nodeFactsOf(meminfo: string): NodeFacts {
  const bytes = (key: string): Bytes => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(meminfo)?.[1] ?? 0) * KIB
  return { capacityBytes: bytes('MemTotal'), swapBytes: bytes('SwapTotal') }
}

/** Which kubelet: feature gates that change what is written. @spec 7.9 */
export interface KubeletOptions {
  /** off: the gate is not set. Else the release whose formula holds; 'tiered' is 1.36 with TieredReservation. */
  readonly memoryQos: 'off' | '1.22' | '1.27' | '1.36' | 'tiered'
  readonly swap: 'no' | 'limited'
  /** Kubernetes before 1.28 and singleProcessOOMKill: one process dies instead of the container. */
  readonly singleProcessOomKill: boolean
}

export const KUBELET_DEFAULTS: KubeletOptions = { memoryQos: 'off', swap: 'no', singleProcessOomKill: false }

/** One file of a group; `add`: the number is added to what stands there, because several pods share the group. */
export interface GroupFile {
  readonly file: string
  readonly text: string
  readonly add?: boolean
}

export interface PlannedGroup {
  /** Below /sys/fs/cgroup. */
  readonly path: string
  readonly role: 'root' | 'class' | 'pod' | 'container'
  /** Of the pod or container; '' for shared groups. */
  readonly name: string
  readonly files: readonly GroupFile[]
}

export interface PlannedContainer {
  readonly name: string
  readonly role: ContainerSpec['role']
  /** Below /sys/fs/cgroup. */
  readonly cgroup: string
  readonly oomScoreAdj: number
  readonly argv: readonly string[]
  readonly restart: Restart
  readonly retriesMax: number
}

/** One pod, or one container of Docker: what its shim is told, and the groups that are made for it. */
export interface PlannedPod {
  readonly format: 'pagewalk-pod'
  readonly version: 1
  readonly runtime: Runtime
  readonly name: string
  readonly qos: '' | 'Guaranteed' | 'Burstable' | 'BestEffort'
  readonly priority: number
  readonly requestBytes: Bytes
  /** Its own group below /sys/fs/cgroup. */
  readonly cgroup: string
  /** Where its state is kept in the machine. */
  readonly folder: string
  readonly containers: readonly PlannedContainer[]
}

export interface Plan {
  readonly pods: readonly PlannedPod[]
  /** Parents first; shared ones once. */
  readonly groups: readonly PlannedGroup[]
  /** What had to be assumed. */
  readonly notes: readonly string[]
}
