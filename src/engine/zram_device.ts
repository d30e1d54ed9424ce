/**
 * zram devices as an administrator meets them: made when the module is loaded, set up by writing to /sys/block, gone with
 * a reset. What they hold is in mm/zram.ts.
 * @kernel      drivers/block/zram/zram_drv.c
 * @simplifies  rmmod resets the devices and leaves their names; no writeback or recompression
 * @spec    05 §5.12
 */
import type { Errno } from '../util/errno'
import { PAGE_SIZE, type Bytes } from '../util/units'
import type { BlockDevice } from './fs_types'
import { createAt } from './fs/vfs'
import { klog } from './klog'
import { COMPRESSORS } from './mm/compressors'
import { ZRAM_COMPRESSORS, createZram, zramReset, type Zram } from './mm/zram'
import type { KernelState } from './state'

/** Name in /dev and /sys/block → index of the device. */
export const zramIndex = (state: KernelState, name: string): number =>
  state.devices.findIndex((device) => device.zram !== undefined && device.path === `/dev/${name}`)

export const zramNames = (state: KernelState): readonly string[] =>
  state.devices.flatMap(({ zram, path }) => (zram === undefined ? [] : [path.slice('/dev/'.length)]))

const deviceOf = (path: string, zram: Zram): BlockDevice => ({
  path,
  sizeBytes: zram.pages * PAGE_SIZE,
  readNs: 0,
  writeNs: 0,
  perPageNs: COMPRESSORS[zram.compressor]!.decompressNs,
  rotational: false,
  rootIno: 0,
  isSwapFormatted: false,
  busyUntilNs: 0,
  readBytes: 0,
  writtenBytes: 0,
  inflight: [],
  zram,
})

/** The module's init. @kernel zram_init(), zram_add() */
export function addZramDevices(state: KernelState, count: number): void {
  for (let i = 0; i < count; i++) {
    const path = `/dev/zram${i}`
    if (zramIndex(state, `zram${i}`) >= 0) continue
    state.devices.push(deviceOf(path, createZram(0, ZRAM_COMPRESSORS[state.config.series][0]!)))
    const node = createAt(state, path, 'file')
    if (typeof node === 'string') continue
    node.kind = 'device'
    node.device = state.devices.length - 1
    klog(state, `zram: Added device: zram${i}`)
  }
}

export const isInUse = (state: KernelState, index: number): boolean =>
  state.swapAreas.some((area) => area.device === index)

/**
 * @returns EBUSY it has a size already; EINVAL none is given
 * @kernel  disksize_store()
 */
export function setDisksize(state: KernelState, index: number, bytes: Bytes): Errno | undefined {
  const { zram, path } = state.devices[index]!
  if (zram!.pages > 0) return 'EBUSY'
  if (!(bytes > 0)) return 'EINVAL'
  const made = createZram(Math.ceil(bytes / PAGE_SIZE), zram!.compressor)
  made.memLimit = zram!.memLimit
  state.devices[index] = deviceOf(path, made)
  klog(state, `${path.slice('/dev/'.length)}: detected capacity change from 0 to ${Math.ceil(bytes / PAGE_SIZE) * 8}`)
  return undefined
}

/** @returns EBUSY the device has a size; EINVAL no such algorithm. @kernel comp_algorithm_store() */
export function setCompressor(state: KernelState, index: number, name: string): Errno | undefined {
  const { zram } = state.devices[index]!
  if (!ZRAM_COMPRESSORS[state.config.series].includes(name)) return 'EINVAL'
  if (zram!.pages > 0) return 'EBUSY'
  zram!.compressor = name
  return undefined
}

/** How much memory the pool may have; 0 takes the limit away. @kernel mem_limit_store() */
export function setMemLimit(state: KernelState, index: number, bytes: Bytes): undefined {
  state.devices[index]!.zram!.memLimit = Math.ceil(bytes / PAGE_SIZE)
}

/** The most that the pool had is counted anew. @returns EINVAL anything but 0. @kernel mem_used_max_store() */
export function resetMemUsedMax(state: KernelState, index: number, value: number): Errno | undefined {
  if (value !== 0) return 'EINVAL'
  const { zram } = state.devices[index]!
  zram!.poolMax = zram!.pool.frames.length
  return undefined
}

/** @returns EBUSY somebody swaps to it. @kernel reset_store() */
export function resetZram(state: KernelState, index: number): Errno | undefined {
  if (isInUse(state, index)) return 'EBUSY'
  const { zram, path } = state.devices[index]!
  zramReset(state, zram!)
  state.devices[index] = deviceOf(path, createZram(0, zram!.compressor))
  return undefined
}
