/**
 * Pipes between a program's own descriptors: a ring of 16 pages that belong to the kernel until they are read. They show
 * what unmovable memory does, because compaction cannot move them.
 * @kernel  fs/pipe.c
 * @spec    11 §7, §9 "pipes"
 */
import { assert } from '../util/assert'
import { PAGE_SIZE, type Bytes, type Pfn } from '../util/units'
import { taskMemcg } from './cgroup'
import { charge, currentTask, isSuspended, suspend } from './exec'
import { hooks } from './hooks'
import { GFP_BIT_ACCOUNT, GFP_BIT_HIGHMEM, GFP_KERNEL_ACCOUNT, GFP_USER } from './mm/gfp'
import { folioNid } from './mm/lruvec'
import { PG_KERNEL, clearFlag, pageMemcg, setFlag, setPageMemcg } from './mm/memmap'
import { MEMCG_STAT_KERNEL } from './mm/memcg_stat'
import { memcgCharge, memcgUncharge, modMemcgState } from './mm/memcontrol'
import { allocPages } from './mm/page_alloc'
import { freeUnrefPage } from './mm/pcp'
import type { KernelState } from './state'

/** @kernel PIPE_DEF_BUFFERS */
const PIPE_BUFFERS = 16
/** @kernel GFP_HIGHUSER | __GFP_ACCOUNT: for anybody's data, but not movable */
const GFP_PIPE = GFP_USER | GFP_BIT_HIGHMEM | GFP_BIT_ACCOUNT

/** One page of the ring: what is left of it to read. */
interface PipeBuffer {
  readonly pfn: Pfn
  offset: Bytes
  length: Bytes
}

export interface Pipe {
  readonly buffers: PipeBuffer[]
  /** Descriptors of each end. */
  readers: number
  writers: number
  /** pids that wait for data or for room. */
  readonly waiters: number[]
}

export type PipeEnd = 'read' | 'write'

/** @returns number of the pipe @kernel alloc_pipe_info() */
export function createPipe(state: KernelState): number {
  let id = state.pipes.indexOf(undefined)
  if (id < 0) id = state.pipes.length
  state.pipes[id] = { buffers: [], readers: 0, writers: 0, waiters: [] }
  return id
}

function pipeAt(state: KernelState, id: number): Pipe {
  const pipe = state.pipes[id]
  assert(pipe !== undefined, `pipe ${id} does not exist`)
  return pipe
}

export function openPipeEnd(state: KernelState, id: number, end: PipeEnd): void {
  const pipe = pipeAt(state, id)
  if (end === 'read') pipe.readers++
  else pipe.writers++
}

/** The last descriptor takes the pages with it. @kernel pipe_release(), free_pipe_info() */
export function closePipeEnd(state: KernelState, id: number, end: PipeEnd): void {
  const pipe = pipeAt(state, id)
  if (end === 'read') pipe.readers--
  else pipe.writers--
  wakeWaiters(state, pipe)
  if (pipe.readers + pipe.writers > 0) return
  for (const buffer of pipe.buffers) freeBuffer(state, buffer.pfn)
  state.pipes[id] = undefined
}

function wakeWaiters(state: KernelState, pipe: Pipe): void {
  for (const pid of pipe.waiters.splice(0)) hooks.wakeTask(state, pid)
}

function waitOn(state: KernelState, pipe: Pipe, channel: 'pipe_read' | 'pipe_write'): 'wait' {
  const pid = currentTask(state)?.pid ?? 0
  if (!pipe.waiters.includes(pid)) pipe.waiters.push(pid)
  suspend(state, Infinity, channel)
  return 'wait'
}

/** @returns 0 = no memory, charge refused, or waiting */
function allocBuffer(state: KernelState): Pfn {
  const pfn = allocPages(state, GFP_PIPE, 0)
  if (pfn === 0) return 0
  const task = currentTask(state)
  const memcg = task === undefined ? 1 : taskMemcg(state, task)
  if (memcgCharge(state, memcg, 1, GFP_KERNEL_ACCOUNT) !== 'ok' || isSuspended(state)) {
    freeUnrefPage(state, pfn, 0)
    return 0
  }
  setFlag(state.memmap, pfn, PG_KERNEL)
  setPageMemcg(state.memmap, pfn, memcg)
  modMemcgState(state, memcg, MEMCG_STAT_KERNEL, 1, folioNid(state, pfn))
  return pfn
}

function freeBuffer(state: KernelState, pfn: Pfn): void {
  const memcg = pageMemcg(state.memmap, pfn)
  modMemcgState(state, memcg, MEMCG_STAT_KERNEL, -1, folioNid(state, pfn))
  clearFlag(state.memmap, pfn, PG_KERNEL)
  setPageMemcg(state.memmap, pfn, 0)
  freeUnrefPage(state, pfn, 0)
  memcgUncharge(state, memcg, 1)
}

/**
 * Puts one page or less into the ring, into the last page if it fits.
 * @returns bytes written; 'wait' = the ring is full; EPIPE nobody reads; ENOMEM, or waiting for memory (isSuspended)
 * @kernel  pipe_write()
 */
export function pipeWrite(state: KernelState, id: number, wanted: Bytes): Bytes | 'wait' | 'EPIPE' | 'ENOMEM' {
  const pipe = pipeAt(state, id)
  if (pipe.readers === 0) return 'EPIPE'
  const length = Math.min(wanted, PAGE_SIZE)
  const last = pipe.buffers.at(-1)
  if (last !== undefined && length < PAGE_SIZE && last.offset + last.length + length <= PAGE_SIZE) {
    last.length += length
  } else {
    if (pipe.buffers.length >= PIPE_BUFFERS) return waitOn(state, pipe, 'pipe_write')
    const pfn = allocBuffer(state)
    if (pfn === 0) return 'ENOMEM'
    pipe.buffers.push({ pfn, offset: 0, length })
  }
  charge(state, state.costs.copyPage)
  wakeWaiters(state, pipe)
  return length
}

/**
 * Takes what is there, up to `wanted`; pages that are read to their end go back.
 * @returns bytes read, 0 = nobody writes any more; 'wait' = empty
 * @kernel  pipe_read()
 */
export function pipeRead(state: KernelState, id: number, wanted: Bytes): Bytes | 'wait' {
  const pipe = pipeAt(state, id)
  let got = 0
  while (got < wanted && pipe.buffers.length > 0) {
    const buffer = pipe.buffers[0]!
    const part = Math.min(buffer.length, wanted - got)
    buffer.offset += part
    buffer.length -= part
    got += part
    charge(state, state.costs.copyPage)
    if (buffer.length > 0) break
    pipe.buffers.shift()
    freeBuffer(state, buffer.pfn)
  }
  if (got > 0) wakeWaiters(state, pipe)
  else if (pipe.writers > 0 && wanted > 0) return waitOn(state, pipe, 'pipe_read')
  return got
}
