import { describe, expect, test } from 'vitest'
import { plainMachine, zoneState } from '../../test/zone-state'
import { GIB } from '../util/units'
import { digestTree } from '../util/hash'
import { writeSysctl } from './procfs/sysctl'
import type { KernelState } from './state'
import { TRIAL_SYSCTLS, trySysctl, type ZoneTrial } from './sysctl_trial'

const machine = (series: '6.1' | '6.12' = '6.12'): KernelState => zoneState(plainMachine(6 * GIB, 4, series))
const trial = (state: KernelState, name: string, text: string): readonly ZoneTrial[] => {
  const zones = trySysctl(state, name, text)
  if (typeof zones === 'string') throw new Error(zones)
  return zones
}
const WRITES: readonly (readonly [string, string])[] = [
  ['vm.min_free_kbytes', '180000'],
  ['vm.watermark_scale_factor', '250'],
  ['vm.lowmem_reserve_ratio', '64 128 16'],
  ['vm.percpu_pagelist_high_fraction', '16'],
]

describe.each(['6.1', '6.12'] as const)('on %s', (series) => {
  test.each(WRITES)(
    '%s: what is foretold is what the write then does, and foretelling changes nothing',
    (name, text) => {
      const state = machine(series)
      const before = digestTree(state)
      const foretold = trial(state, name, text)
      expect(digestTree(state)).toBe(before)
      expect(foretold.some((zone) => JSON.stringify(zone.before) !== JSON.stringify(zone.after))).toBe(true)
      writeSysctl(state, name, text)
      const now = trial(state, '', '')
      expect(now.map((zone) => zone.before)).toEqual(foretold.map((zone) => zone.after))
    },
  )
})

test('every sysctl that can be tried is tried here', () => {
  expect(WRITES.map(([name]) => name)).toEqual(TRIAL_SYSCTLS)
})

test('a value that the file would refuse is refused with the same errno', () => {
  const state = machine()
  expect(trySysctl(state, 'vm.watermark_scale_factor', '3001')).toBe('EINVAL')
  expect(trySysctl(state, 'vm.percpu_pagelist_high_fraction', '7')).toBe('EINVAL')
  expect(trySysctl(state, 'vm.min_free_kbytes', 'lots')).toBe('EINVAL')
  expect(trySysctl(state, 'vm.drop_caches', '1')).toBe('ENOENT')
})
