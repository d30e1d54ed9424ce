/**
 * The files by which shims, kubelet and the commands of the shell know of a pod: `pod.json`, what is to run; `NAME.state`,
 * what became of a container; `stopped`, that it is not to come back, and why.
 */
import type { Bytes, Ns } from '../../util/units'

export interface PodContainer {
  readonly name: string
  readonly role: 'app' | 'init' | 'sidecar'
  /** Below /sys/fs/cgroup. */
  readonly cgroup: string
  readonly oomScoreAdj: number
  readonly argv: readonly string[]
  readonly restart: 'Always' | 'OnFailure' | 'Never'
  /** 0: no end. */
  readonly retriesMax: number
}

export interface PodFile {
  readonly format: 'pagewalk-pod'
  readonly version: 1
  readonly runtime: 'kubelet' | 'docker'
  readonly name: string
  readonly qos: string
  readonly priority: number
  readonly requestBytes: Bytes
  /** Below /sys/fs/cgroup. */
  readonly cgroup: string
  readonly folder: string
  readonly containers: readonly PodContainer[]
}

/** The pod of a pod.json; undefined when the text is none. */
export function readPodFile(text: string): PodFile | undefined {
  try {
    const pod = JSON.parse(text) as PodFile
    return pod.format === 'pagewalk-pod' && pod.version === 1 && Array.isArray(pod.containers) ? pod : undefined
  } catch {
    return undefined
  }
}

export interface ContainerState {
  readonly state: 'Waiting' | 'Running' | 'Terminated'
  /** CrashLoopBackOff, OOMKilled, Error, Completed, Evicted, Deleted, or ''. */
  readonly reason: string
  readonly restarts: number
  readonly pid: number
  /** Of the run that ended last: −1, and its reason '', when none has. */
  readonly exitCode: number
  readonly lastReason: string
  readonly startedNs: Ns
  readonly finishedNs: Ns
  readonly oomKills: number
}

export const stateFile = (folder: string, container: string): string => `${folder}/${container}.state`
export const stoppedFile = (folder: string): string => `${folder}/stopped`

export const formatState = (state: ContainerState): string => `${JSON.stringify(state)}\n`

export function readState(text: string): ContainerState | undefined {
  try {
    return JSON.parse(text) as ContainerState
  } catch {
    return undefined
  }
}
