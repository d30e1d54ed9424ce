/**
 * /sys/block: zram devices, which are set up there.
 * @kernel      drivers/block/zram/zram_drv.c
 * @simplifies  no files of other devices; of zram those that matter for memory
 */
import type { Errno } from '../../util/errno'
import { PAGE_SIZE } from '../../util/units'
import { ZRAM_COMPRESSORS, type Zram } from '../mm/zram'
import type { KernelState } from '../state'
import {
  resetMemUsedMax,
  resetZram,
  setCompressor,
  setDisksize,
  setMemLimit,
  zramIndex,
  zramNames,
} from '../zram_device'
import type { PseudoDir, PseudoFile } from './types'

const KIB = 1024
const SUFFIXES = 'KMGTPE'

/** '256M' → bytes. @kernel lib/cmdline.c memparse() */
function memparse(text: string): number {
  const match = /^(\d+)([kmgtpe]?)/i.exec(text.trim())
  if (match === null) return 0
  const power = match[2] === '' ? 0 : SUFFIXES.indexOf(match[2]!.toUpperCase()) + 1
  let bytes = Number(match[1])
  for (let i = 0; i < power; i++) bytes *= KIB
  return bytes
}

const pad = (value: number): string => String(value).padStart(8)

/** @kernel mm_stat_show() */
const mmStat = (zram: Zram): string =>
  `${[
    zram.stored * PAGE_SIZE,
    zram.storedBytes,
    zram.pool.frames.length * PAGE_SIZE,
    zram.memLimit * PAGE_SIZE,
    zram.poolMax * PAGE_SIZE,
    zram.samePages,
    0,
    zram.hugePages,
    zram.hugeEver,
  ]
    .map(pad)
    .join(' ')}\n`

type ZramFile = {
  readonly read?: (zram: Zram, state: KernelState) => string
  readonly write?: (state: KernelState, index: number, text: string) => Errno | undefined
}

const FILES: Readonly<Record<string, ZramFile>> = {
  comp_algorithm: {
    read: (zram, { config }) =>
      `${ZRAM_COMPRESSORS[config.series].map((name) => (name === zram.compressor ? `[${name}]` : name)).join(' ')} \n`,
    write: (state, index, text) => setCompressor(state, index, text.trim()),
  },
  disksize: {
    read: (zram) => `${zram.pages * PAGE_SIZE}\n`,
    write: (state, index, text) => setDisksize(state, index, memparse(text)),
  },
  initstate: { read: (zram) => `${zram.pages > 0 ? 1 : 0}\n` },
  mem_limit: { write: (state, index, text) => setMemLimit(state, index, memparse(text)) },
  mem_used_max: { write: (state, index, text) => resetMemUsedMax(state, index, Number(text)) },
  mm_stat: { read: mmStat },
  reset: { write: (state, index, text) => (Number(text) === 1 ? resetZram(state, index) : 'EINVAL') },
  size: { read: (zram) => `${zram.pages * 8}\n` },
}

export const blockDir: PseudoDir = {
  list: (state, path) => {
    if (path === '') return [...zramNames(state)]
    return zramIndex(state, path) >= 0 ? Object.keys(FILES) : undefined
  },
  file: (state, path): PseudoFile | undefined => {
    const [name = '', key = ''] = path.split('/')
    const index = zramIndex(state, name)
    const file = Object.hasOwn(FILES, key) ? FILES[key] : undefined
    if (index < 0 || file === undefined) return undefined
    return {
      ...(file.read === undefined ? {} : { read: (s: KernelState) => file.read!(s.devices[index]!.zram!, s) }),
      ...(file.write === undefined
        ? {}
        : { write: (s: KernelState, text: string) => file.write!(s, zramIndex(s, name), text) }),
    }
  },
}
