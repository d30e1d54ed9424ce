/**
 * What all tenants share: regions of private memory, and a beat. Every tenth of a second a tenant does what is due; when
 * memory makes it late the beats run together and nothing is made up for, as a server under load does not.
 */
import { PAGE_SIZE, type Bytes, type Ns } from '../../util/units'
import type { Op, ProgramView } from '../../engine/task'
import { stderr, type Step, type StepData } from '../steps'
import type { OptionValues } from './options'

export const TICK_NS: Ns = 100_000_000
export const TICKS_PER_S = 10
const RW = 3
const PRIVATE_ANON = 0x22
const NORESERVE = 0x4000

export interface TenantData extends StepData {
  readonly options: OptionValues
  /** Addresses of regions by name. */
  readonly regions: Record<string, number>
  startNs: Ns
  nextNs: Ns
}

export const createTenant = (options: OptionValues): TenantData => ({
  pc: 0,
  status: 0,
  options,
  regions: {},
  startNs: 0,
  nextNs: 0,
})

export const amount = (d: TenantData, key: string): number => Number(d.options[key])

/** Bytes of a rate that are due in one beat, in whole pages. */
export const perTick = (bytesPerSecond: Bytes): Bytes =>
  Math.round(bytesPerSecond / TICKS_PER_S / PAGE_SIZE) * PAGE_SIZE

export const pages = (bytes: Bytes): Bytes => Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE

/** mmap of a private anonymous region that `touchRegion` then writes; a program that cannot have it leaves. */
export function mapRegion<D extends TenantData>(name: string, bytes: (d: D) => Bytes): readonly Step<D>[] {
  return [
    (d) => ({ op: 'mmap', length: Math.max(PAGE_SIZE, pages(bytes(d))), prot: RW, flags: PRIVATE_ANON | NORESERVE }),
    (d, view) => {
      if (view.errno === undefined) {
        d.regions[name] = view.result
        return undefined
      }
      d.status = 1
      d.pc = Number.MAX_SAFE_INTEGER
      return stderr(`mmap: Cannot allocate memory (${name}, ${bytes(d)} bytes)\n`)
    },
  ]
}

/** One write to every page of a piece of a region; undefined when it is empty. */
export function touchRegion(
  d: TenantData,
  name: string,
  from: Bytes,
  bytes: Bytes,
  mode: 'read' | 'write' = 'write',
): Op | undefined {
  const length = Math.floor(bytes / PAGE_SIZE) * PAGE_SIZE
  return length <= 0 ? undefined : { op: 'touch', address: d.regions[name]! + from, length, mode }
}

/** Gives a piece of a region back. */
export function dropRegion(d: TenantData, name: string, from: Bytes, bytes: Bytes): Op | undefined {
  const length = Math.floor(bytes / PAGE_SIZE) * PAGE_SIZE
  return length <= 0 ? undefined : { op: 'madvise', address: d.regions[name]! + from, length, advice: 'dontneed' }
}

export const begin: Step<TenantData> = (d, view) => {
  d.startNs = view.nowNs
  d.nextNs = view.nowNs + TICK_NS
  return undefined
}

/** Sleeps until the next beat, or not at all when it is late. */
export function beat(d: TenantData, view: ProgramView): Op | undefined {
  const ahead = d.nextNs - view.nowNs
  d.nextNs = (ahead > 0 ? d.nextNs : view.nowNs) + TICK_NS
  return ahead > 0 ? { op: 'sleep', ns: ahead } : undefined
}

export const elapsedSeconds = (d: TenantData, view: ProgramView): number => (view.nowNs - d.startNs) / 1e9
