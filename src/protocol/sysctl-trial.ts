/** What a write to a sysctl would make of the zones, asked while a person still types. All figures are pages. */

export type { ZoneMarks, ZoneTrial } from '../engine/sysctl_trial'

export interface TrySysctl {
  readonly kind: 'trySysctl'
  /** 'vm.min_free_kbytes'; '' asks how the zones are now. */
  readonly name: string
  readonly text: string
}
