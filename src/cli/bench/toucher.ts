/**
 * A program that goes through a list of operations and tells what each of them cost the simulator: the bench's way into
 * the real engine, through the same door as every other program.
 */
import type { MachineConfig } from '../../engine/config'
import { createEngine } from '../../engine/index'
import type { KernelState } from '../../engine/state'
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE, type Op, type Program, type Task } from '../../engine/task'
import { programs } from '../../host/real-engine'
import { assert } from '../../util/assert'
import { cpuSeconds } from './measure'

/** What the plan has so far: the region of the last mmap, the descriptor of the last open, and the machine. */
export interface Progress {
  readonly state: KernelState
  readonly task: Task
  readonly address: number
  readonly fd: number
}

/** Makes the next operation; what it does itself is not measured. */
export type PlannedOp = (at: Progress) => Op

export const mapAnonymous =
  (bytes: number): PlannedOp =>
  () => ({ op: 'mmap', length: bytes, prot: PROT_READ | PROT_WRITE, flags: MAP_PRIVATE | MAP_ANONYMOUS })
export const noHugePages =
  (bytes: number): PlannedOp =>
  ({ address }) => ({ op: 'madvise', address, length: bytes, advice: 'nohugepage' })
export const touchAscending =
  (bytes: number): PlannedOp =>
  ({ address }) => ({ op: 'touch', address, length: bytes, mode: 'write' })
export const touchInOrder =
  (pages: readonly number[]): PlannedOp =>
  ({ address }) => ({ op: 'touchList', address, pages, mode: 'write' })
export const unmap =
  (bytes: number): PlannedOp =>
  ({ address }) => ({ op: 'munmap', address, length: bytes })

/**
 * Runs the plan as one task of a freshly booted machine, in a login session's group.
 * @returns CPU seconds of each operation
 */
export function runPlan(config: MachineConfig, plan: readonly PlannedOp[]): number[] {
  const seconds: number[] = []
  const at = { address: 0, fd: -1 }
  let running: Op['op'] | undefined
  let startedAt = 0
  const toucher: Program = {
    name: 'toucher',
    image: { path: '/usr/bin/toucher', totalVm: 700, textPages: 100, anonPages: 20 },
    start: () => ({ ok: true, data: {} }),
    next: (_, view) => {
      if (running !== undefined) {
        seconds.push(cpuSeconds() - startedAt)
        assert(view.errno === undefined, `${running}, step ${seconds.length} of the plan: ${view.errno}`)
      }
      if (running === 'mmap') at.address = view.result
      if (running === 'open') at.fd = view.result
      const op = plan[seconds.length]?.({ ...at, state, task: state.tasks[view.pid]! }) ?? { op: 'exit', status: 0 }
      running = op.op
      startedAt = cpuSeconds()
      return op
    },
  }
  const engine = createEngine({ programs: { ...programs, toucher } })
  const state = engine.boot(config, 1)
  engine.runUntil(state, state.nowNs + 1e9)
  const shell = engine.command(state, { kind: 'fork', parent: 1 })
  assert(shell.ok, 'init cannot fork')
  engine.runUntil(state, state.nowNs + 1e9)
  const spawned = engine.command(state, { kind: 'spawn', parent: shell.value.value, argv: ['toucher'] })
  assert(spawned.ok, 'the toucher cannot be started')
  while (seconds.length < plan.length) engine.runUntil(state, state.nowNs + 1e9)
  return seconds
}
