/** `batch`: takes memory, works on it, ends. `leak`: takes more and more until something stops it. */
import { MIB, type Bytes } from '../../util/units'
import type { Step } from '../steps'
import { amount, beat, begin, elapsedSeconds, mapRegion, pages, touchRegion, type TenantData } from './pace'
import { tenant } from './tenant'

interface GrowingData extends TenantData {
  used: Bytes
}

const create = (data: TenantData): GrowingData => ({ ...data, used: 0 })

/** Touches what is due by now and was not touched yet. */
const grow =
  (due: (d: GrowingData, seconds: number) => Bytes): Step<GrowingData> =>
  (d, view) => {
    const from = d.used
    d.used = Math.max(from, pages(due(d, elapsedSeconds(d, view))))
    return touchRegion(d, 'data', from, d.used - from)
  }

const ramp = (d: GrowingData, seconds: number): Bytes =>
  amount(d, '--size') * Math.min(1, amount(d, '--ramp') === 0 ? 1 : seconds / amount(d, '--ramp'))

export const batch = tenant<GrowingData>({
  name: 'batch',
  about: 'A job: reads its input into memory, goes over it again and again, and ends.',
  image: { totalVm: 2500, textPages: 700, anonPages: 300 },
  options: {
    '--size': { kind: 'size', fallback: 100 * MIB, says: 'memory at its peak' },
    '--ramp': { kind: 'seconds', fallback: 5, says: 'until the peak' },
    '--for': { kind: 'seconds', fallback: 20, says: 'until it ends' },
  },
  create,
  steps: [
    ...mapRegion<GrowingData>('data', (d) => amount(d, '--size')),
    begin as Step<GrowingData>,
    grow(ramp),
    // A tenth of it is worked on in each beat.
    (d, view) => {
      const part = Math.floor(d.used / 10)
      return touchRegion(d, 'data', view.random(10) * Math.floor(part / 4096) * 4096, part)
    },
    (d, view) => beat(d, view),
    (d, view) => {
      if (elapsedSeconds(d, view) < amount(d, '--for')) d.pc -= 4
      return undefined
    },
  ],
})

/** Beyond this no machine has memory: the region that a leak grows into. */
const LEAK_MAX: Bytes = 1024 * 1024 * MIB

export const leak = tenant<GrowingData>({
  name: 'leak',
  about: 'A service that keeps what it should give back.',
  image: { totalVm: 2500, textPages: 700, anonPages: 300 },
  options: {
    '--base': { kind: 'size', fallback: 30 * MIB, says: 'memory at the start' },
    '--rate': { kind: 'size', fallback: 5 * MIB, says: 'more a second' },
  },
  create,
  steps: [
    ...mapRegion<GrowingData>('data', () => LEAK_MAX),
    begin as Step<GrowingData>,
    grow((d, seconds) => amount(d, '--base') + amount(d, '--rate') * seconds),
    (d, view) => beat(d, view),
    (d) => {
      d.pc -= 3
      return undefined
    },
  ],
})
