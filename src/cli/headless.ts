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

const LOOK_NS = 100_000_000

/** Lets simulated time pass until the shell has finished its line. */
export async function untilDone(headless: Headless, work: Promise<number>): Promise<number> {
  let status: number | undefined
  let failure: unknown
  work.then(
    (value) => (status = value),
    (error: unknown) => (failure = error),
  )
  while (status === undefined && failure === undefined && headless.state().panicked === '') {
    await headless.advanceTo(headless.state().nowNs + LOOK_NS)
  }
  if (failure !== undefined) throw failure
  return status ?? 255
}
