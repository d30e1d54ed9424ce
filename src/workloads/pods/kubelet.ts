/**
 * `kubelet`: the eviction manager alone. Every ten seconds it looks at memory.available and, below the hard threshold of
 * 100 Mi, takes down one pod without grace. Between two looks the kernel may be quicker: that is the race.
 * @spec    7.9
 * @source  pkg/kubelet/eviction/eviction_manager.go synchronize()
 */
import type { Program, ProgramData, ProgramView } from '../../engine/task'
import { MIB, NS_PER_S, type Bytes } from '../../util/units'
import { runSteps, stdout, type Step, type StepData } from '../steps'
import { availableBytes, inactiveFile, pickVictim, type Candidate } from './eviction'
import { readPodFile, stoppedFile, type PodFile } from './pod_file'

interface KubeletData extends StepData {
  readonly thresholdBytes: Bytes
  readonly intervalNs: number
  folders: string[]
  candidates: Candidate[]
  meminfo: string
  availableBytes: Bytes
  pod: PodFile | undefined
  current: Bytes
}

const GROUPS = '/sys/fs/cgroup'
const LIST = '/var/lib/kubelet/pods.list'
const LOOK = 2
const NEXT_POD = 7

const victimOf = (d: KubeletData): Candidate | undefined => pickVictim(d.candidates)

const steps: readonly Step<KubeletData>[] = [
  () => ({ op: 'writeFile', path: `${GROUPS}/system.slice/kubelet.service/cgroup.procs`, text: '0' }),
  () => ({ op: 'writeFile', path: '/proc/self/oom_score_adj', text: '-999' }),
  // LOOK
  (d) => ({ op: 'sleep', ns: d.intervalNs }),
  () => ({ op: 'readFile', path: '/proc/meminfo' }),
  (d, view) => {
    d.meminfo = view.text
    return { op: 'readFile', path: `${GROUPS}/memory.stat` }
  },
  (d, view) => {
    d.availableBytes = availableBytes(d.meminfo, view.text)
    d.candidates = []
    if (d.availableBytes >= d.thresholdBytes) {
      d.pc = LOOK
      return undefined
    }
    return { op: 'readFile', path: LIST }
  },
  (d, view) => {
    d.folders = view.errno === undefined ? [...new Set(view.text.split('\n').filter((line) => line !== ''))] : []
    return undefined
  },
  // NEXT_POD
  (d) => {
    const folder = d.folders.shift()
    if (folder === undefined) {
      d.pc = AFTER_PODS
      return undefined
    }
    d['folder'] = folder
    return { op: 'readFile', path: `${folder}/pod.json` }
  },
  (d, view) => {
    d.pod = view.errno === undefined ? readPodFile(view.text) : undefined
    return { op: 'stat', path: stoppedFile(String(d['folder'])) }
  },
  (d, view) => {
    if (view.errno === undefined || d.pod === undefined) {
      d.pc = NEXT_POD
      return undefined
    }
    return { op: 'readFile', path: `${GROUPS}/${d.pod.cgroup}/memory.current` }
  },
  (d, view) => {
    d.current = view.errno === undefined ? Number(view.text) : 0
    return { op: 'readFile', path: `${GROUPS}/${d.pod!.cgroup}/memory.stat` }
  },
  (d, view) => {
    const { folder, name, cgroup, priority, requestBytes } = d.pod!
    const workingSetBytes = Math.max(0, d.current - (view.errno === undefined ? inactiveFile(view.text) : 0))
    d.candidates.push({ folder, name, cgroup, priority, requestBytes, workingSetBytes })
    d.pc = NEXT_POD
    return undefined
  },
  // AFTER_PODS
  (d) => {
    const victim = victimOf(d)
    const mib = (bytes: number): string => `${Math.floor(bytes / MIB)}Mi`
    const head = `eviction manager: memory.available ${mib(d.availableBytes)} is below ${mib(d.thresholdBytes)}`
    if (victim === undefined) return stdout(`${head}: no pod can be evicted\n`)
    const { name, workingSetBytes, requestBytes } = victim
    return stdout(`${head}: evicting ${name}, which uses ${mib(workingSetBytes)} and requested ${mib(requestBytes)}\n`)
  },
  (d) => {
    const victim = victimOf(d)
    if (victim !== undefined)
      return { op: 'writeFile', path: stoppedFile(victim.folder), text: 'Evicted\n', create: true }
    d.pc = LOOK
    return undefined
  },
  (d) => ({ op: 'writeFile', path: `${GROUPS}/${victimOf(d)!.cgroup}/cgroup.kill`, text: '1' }),
  (d) => {
    d.pc = LOOK
    return undefined
  },
]
const AFTER_PODS = steps.length - 4

export const kubelet: Program = {
  name: 'kubelet',
  image: { path: '/usr/bin/kubelet', totalVm: 20_000, textPages: 6000, anonPages: 8000 },
  isServer: true,
  start(argv) {
    const option = argv[1] === undefined ? '100Mi' : /^--eviction-hard=memory\.available<(\d+Mi)$/.exec(argv[1])?.[1]
    if (option === undefined)
      return { ok: false, usage: "Usage: kubelet ['--eviction-hard=memory.available<100Mi']\n", status: 2 }
    const data: KubeletData = {
      pc: 0,
      status: 0,
      thresholdBytes: Number.parseInt(option, 10) * MIB,
      intervalNs: 10 * NS_PER_S,
      folders: [],
      candidates: [],
      meminfo: '',
      availableBytes: 0,
      pod: undefined,
      current: 0,
    }
    return { ok: true, data }
  },
  next(data: ProgramData, view: ProgramView) {
    return runSteps(steps as unknown as readonly Step<StepData>[], data as StepData, view)
  },
}
