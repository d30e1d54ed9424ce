/**
 * Rows of /proc/sys: a number with its range and what a write sets off.
 * @kernel  kernel/sysctl.c proc_dointvec_minmax(), proc_doulongvec_minmax()
 */
import type { KernelState, Sysctl } from '../state'
import { parseInteger } from './sysctl_text'
import type { PseudoFile } from './types'

export const INT_MAX = 2147483647
export const INT_MIN = -2147483648
export type NumberKey = { [K in keyof Sysctl]: Sysctl[K] extends number ? K : never }[keyof Sysctl]

export interface SysctlRow {
  readonly file: PseudoFile
  /** Only on these kernels; undefined = all. */
  readonly since?: '6.12'
}

/** An integer with a range; `written` runs after the value was stored. */
export function integer(
  key: NumberKey,
  min: number,
  max: number,
  written?: (state: KernelState, value: number) => void,
): SysctlRow {
  return {
    file: {
      read: (state) => `${state.sysctl[key]}\n`,
      write: (state, text) => {
        const value = parseInteger(text)
        if (value === undefined || value < min || value > max) return 'EINVAL'
        state.sysctl[key] = value
        written?.(state, value)
        return undefined
      },
    },
  }
}

/**
 * An unsigned long: a negative number changes nothing and is no error.
 * @kernel      kernel/sysctl.c proc_doulongvec_minmax()
 * @simplifies  numbers above 2^53 are refused, the kernel's limit is 2^64
 */
export function unsignedLong(
  key: NumberKey,
  min: number,
  written?: (state: KernelState, value: number) => void,
): SysctlRow {
  return {
    file: {
      read: (state) => `${state.sysctl[key]}\n`,
      write: (state, text) => {
        const value = parseInteger(text)
        if (value === undefined || value > Number.MAX_SAFE_INTEGER) return 'EINVAL'
        if (value < 0) return undefined
        if (value < min) return 'EINVAL'
        state.sysctl[key] = value
        written?.(state, value)
        return undefined
      },
    },
  }
}

/** An integer whose owner stores it. */
export function owned(
  key: NumberKey,
  min: number,
  max: number,
  set: (state: KernelState, value: number) => void,
  accept = (_: number): boolean => true,
): SysctlRow {
  return {
    file: {
      read: (state) => `${state.sysctl[key]}\n`,
      write: (state, text) => {
        const value = parseInteger(text)
        if (value === undefined || value < min || value > max || !accept(value)) return 'EINVAL'
        set(state, value)
        return undefined
      },
    },
  }
}

/** Jiffies that an int holds, in seconds. @kernel INT_MAX / HZ */
const MAX_SECONDS_OF_JIFFIES = Math.floor(INT_MAX / 250)

/** Seconds that the kernel keeps as jiffies; negative ones are taken. @kernel kernel/sysctl.c proc_dointvec_jiffies() */
export const seconds = (key: NumberKey): SysctlRow => integer(key, -MAX_SECONDS_OF_JIFFIES, MAX_SECONDS_OF_JIFFIES)
