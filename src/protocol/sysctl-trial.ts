/** What a write to a sysctl would make of the zones, asked while a person still types. All figures are pages. */
import type { Pages } from '../util/units'

export interface TrySysctl {
  readonly kind: 'trySysctl'
  /** 'vm.min_free_kbytes'; '' asks how the zones are now. */
  readonly name: string
  readonly text: string
}

export interface ZoneMarks {
  readonly min: Pages
  readonly low: Pages
  readonly high: Pages
  /** lowmem_reserve, by the zone that a request could use. */
  readonly protection: readonly Pages[]
  readonly pcpHighMin: Pages
  readonly pcpHighMax: Pages
  readonly pcpBatch: Pages
}

export interface ZoneTrial {
  readonly nid: number
  readonly zone: string
  readonly before: ZoneMarks
  readonly after: ZoneMarks
}
