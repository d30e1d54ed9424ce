/**
 * zswap's settings: module parameters, on the kernel command line as zswap.NAME=VALUE and afterwards as files.
 * @kernel  mm/zswap.c zswap_setup(), zswap_enabled_param_set(), zswap_pool_changed()
 * @spec    05 §5.12
 */
import type { Errno } from '../../util/errno'
import { klog } from '../klog'
import type { KernelState } from '../state'
import { COMPRESSORS } from './compressors'
import { hasZswap } from './kernel_options'
import type { ZpoolKind } from './zpool'
import { usePool, type Zswap } from './zswap_state'

const ZPOOLS: readonly ZpoolKind[] = ['zbud', 'z3fold', 'zsmalloc']
const DEFAULT_COMPRESSOR = 'lzo'
const DEFAULT_ZPOOL: ZpoolKind = 'zbud'
/** What a parameter of type uint holds at most. */
const UINT_MAX = 0xffffffff

interface Param {
  readonly read: (z: Zswap) => string
  readonly write: (state: KernelState, text: string) => Errno | undefined
  /** Absent: both kernels have it. */
  readonly only?: '6.1' | '6.12'
}

/** @kernel lib/kstrtox.c kstrtobool() */
function parseBool(text: string): boolean | undefined {
  if (/^[yYtT1]/.test(text) || /^on/i.test(text)) return true
  return /^[nNfF0]/.test(text) || /^of/i.test(text) ? false : undefined
}

const bool = (
  read: (z: Zswap) => boolean,
  set: (state: KernelState, value: boolean) => Errno | undefined | void,
  only?: Param['only'],
): Param => ({
  read: (z) => (read(z) ? 'Y' : 'N'),
  write: (state, text) => {
    const value = parseBool(text)
    return value === undefined ? 'EINVAL' : (set(state, value) ?? undefined)
  },
  ...(only === undefined ? {} : { only }),
})

const uint = (read: (z: Zswap) => number, set: (z: Zswap, value: number) => void): Param => ({
  read: (z) => `${read(z)}`,
  write: (state, text) => {
    if (!/^\+?\d+$/.test(text) || Number(text) > UINT_MAX) return /^\+?\d+$/.test(text) ? 'ERANGE' : 'EINVAL'
    set(state.zswap, Number(text))
    return undefined
  },
})

const isZpool = (name: string): name is ZpoolKind => (ZPOOLS as readonly string[]).includes(name)

/**
 * The first pool, of what the parameters ask for as far as the kernel has it.
 * @kernel  zswap_setup(), __zswap_pool_create_fallback()
 */
function setUp(state: KernelState): void {
  const z = state.zswap
  if (!Object.hasOwn(COMPRESSORS, z.compressor)) {
    klog(state, `zswap: compressor ${z.compressor} not available, using default ${DEFAULT_COMPRESSOR}`)
    z.compressor = DEFAULT_COMPRESSOR
  }
  if (!isZpool(z.zpool)) {
    klog(state, `zswap: zpool ${z.zpool} not available, using default ${DEFAULT_ZPOOL}`)
    z.zpool = DEFAULT_ZPOOL
  }
  usePool(z, z.compressor, z.zpool as ZpoolKind)
  klog(state, `zswap: loaded using pool ${z.compressor}/${z.zpool}`)
}

/**
 * Pages that come from now on go to a pool of another kind; those that are stored stay where they are.
 * @returns ENOENT the kernel has no such thing
 * @kernel  zswap_pool_changed()
 */
function changePool(state: KernelState, key: 'compressor' | 'zpool', name: string): Errno | undefined {
  const z = state.zswap
  if (z[key] === name) return undefined
  if (z.isSetUp) {
    if (key === 'zpool' ? !isZpool(name) : !Object.hasOwn(COMPRESSORS, name)) {
      klog(state, `zswap: ${key} ${name} not available`)
      return 'ENOENT'
    }
    z[key] = name
    usePool(z, z.compressor, z.zpool as ZpoolKind)
  }
  z[key] = name
  return undefined
}

/** @kernel module_param_named() lines of mm/zswap.c */
const PARAMS: Readonly<Record<string, Param>> = {
  accept_threshold_percent: uint(
    (z) => z.acceptThresholdPercent,
    (z, value) => void (z.acceptThresholdPercent = value),
  ),
  compressor: { read: (z) => z.compressor, write: (state, text) => changePool(state, 'compressor', text) },
  enabled: bool(
    (z) => z.isEnabled,
    (state, value) => {
      if (value && !state.zswap.isSetUp) setUp(state)
      state.zswap.isEnabled = value
    },
  ),
  max_pool_percent: uint(
    (z) => z.maxPoolPercent,
    (z, value) => void (z.maxPoolPercent = value),
  ),
  non_same_filled_pages_enabled: bool(
    (z) => z.isNonSameFilledEnabled,
    (state, value) => void (state.zswap.isNonSameFilledEnabled = value),
    '6.1',
  ),
  same_filled_pages_enabled: bool(
    (z) => z.isSameFilledEnabled,
    (state, value) => void (state.zswap.isSameFilledEnabled = value),
    '6.1',
  ),
  shrinker_enabled: bool(
    (z) => z.isShrinkerEnabled,
    (state, value) => void (state.zswap.isShrinkerEnabled = value),
    '6.12',
  ),
  zpool: { read: (z) => z.zpool, write: (state, text) => changePool(state, 'zpool', text) },
}

const isOfSeries = (state: KernelState, { only }: Param): boolean => only === undefined || only === state.config.series

/** Names of the files below /sys/module/zswap/parameters. */
export const zswapParams = (state: KernelState): string[] =>
  hasZswap(state) ? Object.keys(PARAMS).filter((name) => isOfSeries(state, PARAMS[name]!)) : []

/** @returns undefined: this kernel has no such parameter */
export function zswapParam(state: KernelState, name: string): Pick<Param, 'read' | 'write'> | undefined {
  return zswapParams(state).includes(name) ? PARAMS[name] : undefined
}

/**
 * zswap.NAME=VALUE of the kernel command line; 6.1 makes its pool at boot in any case.
 * @kernel  kernel/params.c parse_args(), zswap_init()
 */
export function initZswap(state: KernelState): void {
  if (!hasZswap(state)) return
  const said: string[] = []
  for (const word of state.config.cmdline.split(/\s+/)) {
    const match = /^zswap\.(\w+)(?:=(.*))?$/.exec(word)
    const param = match === null ? undefined : zswapParam(state, match[1]!)
    // Pools are made with what was asked for in the end.
    if (match === null || param === undefined) continue
    if (match[1] === 'enabled') said.push(match[2] ?? 'Y')
    else param.write(state, match[2] ?? 'Y')
  }
  if (state.config.series === '6.1') setUp(state)
  for (const value of said) PARAMS['enabled']!.write(state, value)
}
