/** A machine of the command line: resolved, checked, booted. */
import { createHeadless, type Headless } from '../host/headless'
import type { MachineOptions } from '../host/machine'
import { programs, realEngine } from '../host/real-engine'
import { toConfig, type MachineProfile } from '../profiles'

export const bootProfile = (profile: MachineProfile, seed: number, record?: MachineOptions): Headless =>
  createHeadless(toConfig(profile), seed, {
    engine: realEngine(),
    programs,
    ...(record === undefined ? {} : { record }),
  })
