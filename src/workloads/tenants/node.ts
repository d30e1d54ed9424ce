/**
 * `node`: a server whose requests make garbage. New objects go round in a small young space; a tenth of them is promoted
 * to the old space, which a full collection cuts back to what lives once it has grown to twice that; the pages above go
 * back to the machine. So its memory is a saw-tooth between one and two times what lives.
 *
 * @model  V8 or Go in outline: young and old space, one limit (--heap), no fragmentation
 */
import { MIB } from '../../util/units'
import { stderr, type Step } from '../steps'
import {
  amount,
  beat,
  begin,
  dropRegion,
  elapsedSeconds,
  mapRegion,
  pages,
  perTick,
  touchRegion,
  type TenantData,
} from './pace'
import { tenant } from './tenant'

interface NodeData extends TenantData {
  young: number
  old: number
  live: number
}

const PROMOTED = 10

const loop: readonly Step<NodeData>[] = [
  (d) => {
    const size = amount(d, '--young')
    const bytes = Math.min(perTick(amount(d, '--alloc')), size)
    if (d.young + bytes > size) d.young = 0
    const from = d.young
    d.young += bytes
    return touchRegion(d, 'young', from, bytes)
  },
  (d) => {
    const bytes = Math.min(pages(perTick(amount(d, '--alloc')) / PROMOTED), amount(d, '--heap') - d.old)
    const from = d.old
    d.old += Math.max(0, bytes)
    return touchRegion(d, 'old', from, bytes)
  },
  (d, view) => {
    const leaked = amount(d, '--leak') * elapsedSeconds(d, view)
    d.live = pages(Math.min(amount(d, '--live'), d.old) + leaked)
    if (d.live >= amount(d, '--heap')) {
      d.status = 134
      d.pc = Number.MAX_SAFE_INTEGER
      return stderr('FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n')
    }
    if (d.old < Math.min(amount(d, '--heap'), 2 * d.live)) {
      d.pc++
      return undefined
    }
    // Marking looks at everything that lives.
    return touchRegion(d, 'old', 0, d.live)
  },
  (d) => {
    const from = d.live
    const bytes = d.old - from
    d.old = Math.min(d.old, from)
    return dropRegion(d, 'old', from, bytes)
  },
  (d, view) => beat(d, view),
  (d) => {
    d.pc = PREPARED
    return undefined
  },
]

const prepare: readonly Step<NodeData>[] = [
  ...mapRegion<NodeData>('young', (d) => amount(d, '--young')),
  ...mapRegion<NodeData>('old', (d) => amount(d, '--heap')),
  begin as Step<NodeData>,
]
const PREPARED = prepare.length

export const node = tenant<NodeData>({
  name: 'node',
  about: 'A garbage-collected server: a young space, and an old one that is cut back now and then.',
  image: { totalVm: 9000, textPages: 3000, anonPages: 2500 },
  options: {
    '--live': { kind: 'size', fallback: 40 * MIB, says: 'what lives' },
    '--alloc': { kind: 'size', fallback: 40 * MIB, says: 'allocated a second; a tenth outlives the young space' },
    '--young': { kind: 'size', fallback: 16 * MIB, says: 'young space' },
    '--heap': { kind: 'size', fallback: 512 * MIB, says: 'largest old space' },
    '--leak': { kind: 'size', fallback: 0, says: 'more that lives, a second' },
  },
  create: (data) => ({ ...data, young: 0, old: 0, live: 0 }),
  steps: [...prepare, ...loop],
})
