/**
 * `replay FILE`: has as much memory at every moment as a recorded service had: touches more when the curve rises, gives
 * back when it falls, and works on a part of what it has, so that its pages are not idle.
 *
 * @model  all of it is private memory; what was page cache in the record is anonymous here
 */
import { PAGE_SIZE, type Bytes } from '../../util/units'
import { stderr, type Step } from '../steps'
import { curveAt, parseCurve, type Curve } from './curve'
import { amount, beat, begin, dropRegion, elapsedSeconds, mapRegion, pages, touchRegion, type TenantData } from './pace'
import { tenant } from './tenant'

interface ReplayData extends TenantData {
  curve: Curve
  used: Bytes
}

const steps: readonly Step<ReplayData>[] = [
  (d) => ({ op: 'readFile', path: String(d.options['--curve']) }),
  (d, view) => {
    const curve = view.errno === undefined ? parseCurve(view.text) : 'there is no such file'
    if (typeof curve !== 'string') {
      d.curve = curve
      return undefined
    }
    d.status = 2
    d.pc = Number.MAX_SAFE_INTEGER
    return stderr(`replay: ${d.options['--curve']}: ${curve}\n`)
  },
  ...mapRegion<ReplayData>('data', (d) => d.curve.bytes.reduce((most, bytes) => Math.max(most, bytes), PAGE_SIZE)),
  begin as Step<ReplayData>,
  (d, view) => {
    const at = elapsedSeconds(d, view) * amount(d, '--speed')
    if (at > d.curve.seconds.at(-1)!) d.pc = Number.MAX_SAFE_INTEGER
    const from = d.used
    d.used = pages(curveAt(d.curve, at))
    return d.used >= from ? touchRegion(d, 'data', from, d.used - from) : dropRegion(d, 'data', d.used, from - d.used)
  },
  (d) => touchRegion(d, 'data', 0, (d.used * amount(d, '--active')) / 100),
  (d, view) => beat(d, view),
  (d) => {
    d.pc -= 4
    return undefined
  },
]

export const replay = tenant<ReplayData>({
  name: 'replay',
  about: 'A recorded curve of memory: CSV with TIME,BYTES, or a range query of Prometheus.',
  image: { totalVm: 2500, textPages: 700, anonPages: 300 },
  options: {
    '--curve': { kind: 'path', fallback: 'curve.csv', says: 'the record' },
    '--speed': { kind: 'number', fallback: 1, says: 'seconds of the record in one second' },
    '--active': { kind: 'percent', fallback: 20, says: 'of its memory that it works on all the time' },
  },
  create: (data) => ({ ...data, curve: { seconds: [], bytes: [] }, used: 0 }),
  steps,
})
