/**
 * `containerd-shim FILE`: runs the containers of one pod. Init containers one after the other, each to its end; then all
 * the others. Each has a monitor, a fork of the shim.
 * @source  containerd/cmd/containerd-shim-runc-v2; the restarting is the kubelet's or dockerd's
 */
import type { Program, ProgramData, ProgramView } from '../../engine/task'
import { runSteps, stderr, type Step, type StepData } from '../steps'
import { childSteps, createMonitor, monitorSteps } from './monitor'
import { readPodFile, type PodFile } from './pod_file'

interface ShimData extends StepData {
  readonly path: string
  pod: PodFile | undefined
  /** Container that is started next. */
  at: number
}

const GROUP = '/sys/fs/cgroup/system.slice/containerd.service/cgroup.procs'

const shimSteps: readonly Step<ShimData>[] = [
  (d) => ({ op: 'readFile', path: d.path }),
  (d, view) => {
    d.pod = view.errno === undefined ? readPodFile(view.text) : undefined
    if (d.pod !== undefined) return { op: 'writeFile', path: GROUP, text: '0' }
    d.pc = Number.MAX_SAFE_INTEGER
    d.status = 1
    return stderr(`containerd-shim: ${d.path}: no description of a pod\n`)
  },
  () => ({ op: 'writeFile', path: '/proc/self/oom_score_adj', text: '-998' }),
  (d) => {
    const pod = d.pod!
    const container = pod.containers[d.at]
    if (container === undefined) {
      d.pc += 2
      return undefined
    }
    return { op: 'fork', child: createMonitor(container, pod.folder, pod.runtime) as ProgramData }
  },
  (d, view) => {
    const isInit = d.pod!.containers[d.at]!.role === 'init'
    d.at++
    if (view.errno !== undefined || !isInit) {
      d.pc -= 2
      return undefined
    }
    return { op: 'wait', pid: view.result }
  },
  (d, view) => {
    // Only an init container is waited for here; without it the others do not start.
    if (view.result === 0) d.pc -= 3
    else d.status = 1
    return undefined
  },
  (_d, view) => (view.errno === 'ECHILD' ? undefined : { op: 'wait', pid: -1 }),
  (d, view) => {
    if (view.errno === undefined) d.pc -= 2
    return undefined
  },
]

export const shim: Program = {
  name: 'containerd-shim',
  image: { path: '/usr/bin/containerd-shim-runc-v2', totalVm: 4000, textPages: 1200, anonPages: 500 },
  isServer: true,
  start(argv) {
    const path = argv[1]
    if (path === undefined) return { ok: false, usage: 'Usage: containerd-shim POD.json\n', status: 2 }
    return { ok: true, data: { pc: 0, status: 0, path, pod: undefined, at: 0 } }
  },
  next(data: ProgramData, view: ProgramView) {
    const part = data['part']
    const steps = part === 'monitor' ? monitorSteps : part === 'child' ? childSteps : shimSteps
    return runSteps(steps as unknown as readonly Step<StepData>[], data as StepData, view)
  },
}
