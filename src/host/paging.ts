/** Page tables as the Paging view asks for them: read through the engine's own readers; bad places are refused in words. */
import { predictFault } from '../engine/mm/fault_predict'
import type { Mm } from '../engine/mm/mm_types'
import { spaceView } from '../engine/mm/space_view'
import { spaceProfile } from '../engine/mm/table_cells'
import { parseAddress } from '../engine/mm/virtual_address'
import { TASK_SIZE_VPN, taskSize } from '../engine/mm/vma'
import { tlbView } from '../engine/mm/tlb_contents'
import { translationView } from '../engine/mm/tlb_view'
import { walkView } from '../engine/mm/walk_view'
import type { KernelState } from '../engine/state'
import type {
  FaultReply,
  GetFault,
  GetSpace,
  GetTlb,
  GetWalk,
  SpaceReply,
  TlbReply,
  WalkReply,
} from '../protocol/paging'
import { ok, userError, type Result } from '../util/result'
import { vpnToAddress } from '../util/units'

function spaceOf(state: KernelState, pid: number): Result<Mm> {
  const task = state.tasks[pid]
  const fix = 'Take a pid from the Processes view.'
  if (task === undefined) return userError('paging/process', `pid ${pid}`, 'There is no such process.', fix)
  const mm = task.mm < 0 ? undefined : state.mms[task.mm]
  if (mm === undefined || mm.pgd < 0)
    return userError('paging/process', `pid ${pid}`, `${task.comm} has no address space of its own.`, fix)
  return ok(mm)
}

function addressOf(text: string): Result<bigint> {
  const value = parseAddress(text)
  if (value !== undefined) return ok(value)
  const fix = 'Write up to 16 hexadecimal digits such as 0x7f1234567abc, or a decimal number.'
  return userError('paging/address', 'address', `"${text}" is no address.`, fix)
}

function cpuOf(state: KernelState, cpu: number): Result<number> {
  if (state.cpuNode[cpu] !== undefined) return ok(cpu)
  return userError('paging/cpu', `cpu ${cpu}`, 'There is no such CPU.', `CPUs are 0 to ${state.cpuNode.length - 1}.`)
}

export function walkReply(state: KernelState, { pid, address, cpu }: GetWalk): Result<WalkReply> {
  const mm = spaceOf(state, pid)
  if (!mm.ok) return mm
  const value = addressOf(address)
  if (!value.ok) return value
  const there = cpuOf(state, cpu)
  if (!there.ok) return there
  const walk = walkView(state, mm.value, value.value)
  if (walk.steps.length === 0) return ok({ atNs: state.nowNs, walk })
  return ok({ atNs: state.nowNs, walk, translation: translationView(state, mm.value, walk.vpn, cpu) })
}

export function tlbReply(state: KernelState, { pid, cpu }: GetTlb): Result<TlbReply> {
  const mm = spaceOf(state, pid)
  if (!mm.ok) return mm
  const there = cpuOf(state, cpu)
  return there.ok ? ok({ atNs: state.nowNs, tlb: tlbView(state, mm.value.id, cpu) }) : there
}

export function spaceReply(state: KernelState, { pid }: GetSpace): Result<SpaceReply> {
  const mm = spaceOf(state, pid)
  if (!mm.ok) return mm
  // Drawn to scale: addresses beyond 2^47 take room only when something lies there.
  const isHigh = (mm.value.vmas.at(-1)?.end ?? 0) > TASK_SIZE_VPN
  return ok({
    atNs: state.nowNs,
    space: spaceView(state, mm.value, vpnToAddress(isHigh ? taskSize(state) : TASK_SIZE_VPN)),
    profiles: spaceProfile(state, mm.value),
  })
}

export function faultReply(state: KernelState, { pid, address, access }: GetFault): Result<FaultReply> {
  const mm = spaceOf(state, pid)
  if (!mm.ok) return mm
  const value = addressOf(address)
  if (!value.ok) return value
  const { costs } = state
  return ok({
    atNs: state.nowNs,
    // Exact below 2^53; above, only the half of the address space counts.
    prediction: predictFault(state, state.tasks[pid]!, Number(value.value), access),
    costs: {
      access: costs.access,
      pageWalk: costs.pageWalk,
      zeroPageFault: costs.zeroPageFault,
      minorFault: costs.minorFault,
      anonFault: costs.anonFault,
      cowFault: costs.cowFault,
      thpFault: costs.thpFault,
    },
  })
}
