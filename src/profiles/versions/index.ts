/**
 * One upgrade a file, one line here. Version 1 of each format is the first that was published, so there is none yet;
 * a change of meaning adds versions/<format>-<n>.ts, its line, and the last sample of the old version to the tests.
 */
import type { Upgrade } from '../load'

export const MACHINE_UPGRADES: readonly Upgrade[] = []
export const SCENARIO_UPGRADES: readonly Upgrade[] = []
export const SESSION_UPGRADES: readonly Upgrade[] = []
