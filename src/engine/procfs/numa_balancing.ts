/**
 * /sys/kernel/debug/sched/numa_balancing: how often and how much NUMA balancing scans.
 * @kernel  kernel/sched/debug.c sched_init_debug()
 * @spec    08 §8.3
 */
import { NUMA_KNOBS, type NumaKnobs } from '../mm/numa_state'
import { parseInteger } from './sysctl_text'
import type { PseudoDir, PseudoFile } from './types'

const DIR = 'numa_balancing'
const NAMES = Object.keys(NUMA_KNOBS) as (keyof NumaKnobs)[]
const UINT_MAX = 0xffffffff

const knob = (name: keyof NumaKnobs): PseudoFile => ({
  read: (state) => `${state.numa.knobs[name]}\n`,
  write: (state, text) => {
    const value = parseInteger(text)
    if (value === undefined || value < 0) return 'EINVAL'
    if (value > UINT_MAX) return 'ERANGE'
    state.numa.knobs[name] = value
    return undefined
  },
})

/** Below /sys/kernel/debug/sched. */
export const schedDebugDir: PseudoDir = {
  list: (_state, path) => (path === '' ? [DIR] : path === DIR ? [...NAMES].sort() : undefined),
  file: (_state, path) => {
    const name = NAMES.find((known) => path === `${DIR}/${known}`)
    return name === undefined ? undefined : knob(name)
  },
}
