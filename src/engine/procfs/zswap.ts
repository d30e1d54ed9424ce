/**
 * zswap's files: parameters below /sys/module, what it counts below debugfs.
 * @kernel  mm/zswap.c module_param_named(), zswap_debugfs_init()
 */
import { PAGE_SIZE } from '../../util/units'
import type { KernelSeries } from '../config'
import { zswapParam, zswapParams } from '../mm/zswap_params'
import { zswapPages, type Zswap } from '../mm/zswap_state'
import type { KernelState } from '../state'
import type { PseudoDir, PseudoFile } from './types'

/** /sys/module/zswap: it is built in, so that only its parameters are there. */
export const zswapModuleDir: PseudoDir = {
  list: (state, path) => {
    const params = zswapParams(state)
    if (params.length === 0) return undefined
    return path === '' ? ['parameters'] : path === 'parameters' ? params : undefined
  },
  file: (state, path): PseudoFile | undefined => {
    const [dir, name = '', more] = path.split('/')
    const param = dir === 'parameters' && more === undefined ? zswapParam(state, name) : undefined
    return param && { read: (s) => `${param.read(s.zswap)}\n`, write: (s, text) => param.write(s, text.trim()) }
  },
}

interface Counter {
  readonly read: (z: Zswap) => number
  readonly only?: KernelSeries
}

const COUNTERS: Readonly<Record<string, Counter>> = {
  duplicate_entry: { read: (z) => z.counts.duplicateEntry, only: '6.1' },
  pool_limit_hit: { read: (z) => z.counts.poolLimitHit },
  pool_total_size: { read: (z) => zswapPages(z) * PAGE_SIZE },
  reject_alloc_fail: { read: (z) => z.counts.rejectAllocFail },
  reject_compress_fail: { read: (z) => z.counts.rejectCompressFail, only: '6.12' },
  reject_compress_poor: { read: (z) => z.counts.rejectCompressPoor },
  reject_kmemcache_fail: { read: (z) => z.counts.rejectKmemcacheFail },
  reject_reclaim_fail: { read: (z) => z.counts.rejectReclaimFail },
  same_filled_pages: { read: (z) => z.sameFilled, only: '6.1' },
  stored_pages: { read: (z) => z.stored },
  written_back_pages: { read: (z) => z.counts.writtenBackPages },
}

const isThere = (state: KernelState, name: string): boolean =>
  Object.hasOwn(COUNTERS, name) && (COUNTERS[name]!.only === undefined || COUNTERS[name]!.only === state.config.series)

/** /sys/kernel/debug/zswap, there as soon as zswap has a pool. */
export const zswapDebugDir: PseudoDir = {
  list: (state, path) =>
    path === '' && state.zswap.isSetUp ? Object.keys(COUNTERS).filter((name) => isThere(state, name)) : undefined,
  file: (state, path) =>
    state.zswap.isSetUp && isThere(state, path) ? { read: (s) => `${COUNTERS[path]!.read(s.zswap)}\n` } : undefined,
}
