/** Machines of several small nodes, for tests of memory policies. */
import type { MachineConfig } from '../src/engine/config'
import type { Mempolicy } from '../src/engine/mm/mm_types'
import type { KernelState } from '../src/engine/state'
import type { Task } from '../src/engine/task'
import { GIB, MIB } from '../src/util/units'
import { machineConfig, zoneState } from './zone-state'

/** Nodes of 64 MiB above 4 GiB, one CPU each, distances 10·(1+|i−j|) as on the captured four-node machine. */
export function nodesMachine(count: number): KernelState {
  const nodes = Array.from({ length: count }, (_, nid) => ({
    nid,
    ranges: [{ start: 4 * GIB + nid * 64 * MIB, end: 4 * GIB + (nid + 1) * 64 * MIB }],
    cpus: [nid],
  }))
  const distances = nodes.map((_, i) => nodes.map((__, j) => 10 * (1 + Math.abs(i - j))))
  const reservations: MachineConfig['reservations'] = nodes.map(({ nid }) => ({
    nid,
    zone: 'Normal',
    managed: 16384,
    returnedLate: 0,
  }))
  return zoneState(machineConfig({ nodes, distances, reservations }))
}

/** Makes the machine run a task with this policy on a CPU. */
export function runTask(state: KernelState, cpu: number, mempolicy?: Mempolicy): Task {
  const task = { pid: 7, retry: { noProgressLoops: -1 }, ...(mempolicy ? { mempolicy } : {}) } as unknown as Task
  state.exec.pid = 7
  state.exec.cpu = cpu
  Object.assign(state, { tasks: { 7: task } })
  return task
}
