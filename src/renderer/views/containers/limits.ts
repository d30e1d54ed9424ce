/** Limits as people type them and as the kernel's files take them. Pure. */
import type { CgroupFrame } from '../../../protocol/messages'
import type { Bytes } from '../../../util/units'
import { KIB, MIB } from '../../../util/units'

export type LimitFile = 'memory.min' | 'memory.low' | 'memory.high' | 'memory.max' | 'memory.swap.max'

export const LIMIT_FILES: readonly LimitFile[] = [
  'memory.min',
  'memory.low',
  'memory.high',
  'memory.max',
  'memory.swap.max',
]

export const limitOf = (group: CgroupFrame, file: LimitFile): Bytes =>
  ({
    'memory.min': group.min,
    'memory.low': group.low,
    'memory.high': group.high,
    'memory.max': group.max,
    'memory.swap.max': group.swapMax,
  })[file]

/** A limit in MiB beside its unit; −1 is 'max'. */
export function limitField(bytes: Bytes): { value: string; unit: string } {
  if (bytes < 0) return { value: 'max', unit: '' }
  return { value: String(Number((bytes / MIB).toFixed(3))), unit: 'MiB' }
}

/** What goes into the file: a bare number is in MiB, as the field says; anything else is the kernel's to judge. */
export function limitTyped(text: string): string {
  const typed = text.trim()
  if (/^\d+$/.test(typed)) return typed === '0' ? '0' : `${typed}M`
  if (/^\d+\.\d+$/.test(typed)) return String(Math.round(Number(typed) * MIB))
  return typed
}

/** The shortest spelling that the kernel reads as the same number. */
export const spellLimit = (bytes: Bytes): string => {
  if (bytes < 0) return 'max'
  if (bytes > 0 && bytes % MIB === 0) return `${bytes / MIB}M`
  return bytes > 0 && bytes % KIB === 0 ? `${bytes / KIB}K` : String(bytes)
}

export const cgroupDir = (path: string): string => `/sys/fs/cgroup${path === '/' ? '' : path}`
export const cgroupFile = (path: string, file: string): string => `${cgroupDir(path)}/${file}`
export const writeLine = (path: string, file: string, text: string): string =>
  `echo ${text} > ${cgroupFile(path, file)}`
