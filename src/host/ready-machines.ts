/** Ready machines and profiles as text: what a request names, and what the first screen lists. */
import { loadMachine, toConfig, totalSize, type MachineProfile } from '../profiles/index'
import type { MachineSummary } from '../protocol/messages'
import { userError, type Result } from '../util/result'
import type { ReadyMachine } from './session-state'

/** A profile's JSON text, or the name of a ready machine. */
export function profileOf(machines: readonly ReadyMachine[], profile: string): Result<MachineProfile> {
  if (/^\s*[{[]/.test(profile)) return loadMachine(profile, 'profile')
  const ready = machines.find((m) => m.id === profile)
  if (ready !== undefined) return loadMachine(ready.text, `${ready.id}.json`)
  const names = machines.map((m) => m.id).join(', ')
  return userError(
    'host/no-such-machine',
    'profile',
    `There is no ready machine "${profile}".`,
    `Ready machines: ${names}.`,
  )
}

/** Nothing when the file is broken: a test boots every one. */
export function machineSummary({ id, text }: ReadyMachine): MachineSummary[] {
  const loaded = loadMachine(text, `${id}.json`)
  if (!loaded.ok) return []
  const config = toConfig(loaded.value)
  return [
    {
      id,
      title: loaded.value.name,
      description: loaded.value.description ?? '',
      memoryBytes: totalSize(loaded.value),
      cpus: config.nodes.reduce((sum, n) => sum + n.cpus.length, 0),
      nodes: config.nodes.length,
      profile: text,
    },
  ]
}
