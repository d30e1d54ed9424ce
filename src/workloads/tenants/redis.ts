/**
 * `redis-server`: a cache in private memory that is overwritten at a rate and saved by a forked child, as BGSAVE does.
 * While the child writes its snapshot every page that the parent changes is copied first, so that at worst the dataset is
 * there twice: the container that was sized for the data is killed during a save.
 *
 * @model  pages are overwritten at random places; the child reads all pages and writes as much to the dump file
 */
import { MIB, NS_PER_S, PAGE_SIZE } from '../../util/units'
import { stderr, type Step } from '../steps'
import { amount, beat, begin, mapRegion, perTick, touchRegion, type TenantData } from './pace'
import { tenant } from './tenant'

interface RedisData extends TenantData {
  loaded: number
  child: number
  savedNs: number
  /** Of the child: bytes saved. */
  at: number
  fd: number
}

const SAVE_CHUNK = 4 * MIB

const loop: readonly Step<RedisData>[] = [
  // Loading: the dataset is there after --load seconds.
  (d) => {
    const size = amount(d, '--dataset')
    const bytes = Math.min(perTick(size / Math.max(0.1, amount(d, '--load'))), size - d.loaded)
    const from = d.loaded
    d.loaded += Math.max(0, bytes)
    return touchRegion(d, 'data', from, bytes)
  },
  (d, view) => {
    const count = Math.floor(perTick(amount(d, '--writes')) / PAGE_SIZE)
    const loaded = Math.floor(d.loaded / PAGE_SIZE)
    if (count <= 0 || loaded <= 0) return undefined
    const pages = Array.from({ length: count }, () => view.random(loaded))
    return { op: 'touchList', address: d.regions['data']!, pages, mode: 'write' }
  },
  (d, view) => {
    const isDue = amount(d, '--save') > 0 && (view.nowNs - d.savedNs) / 1e9 >= amount(d, '--save')
    if (!isDue || d.loaded < amount(d, '--dataset')) {
      d.pc += 2
      return undefined
    }
    d.savedNs = view.nowNs
    // The save before this one has long ended; its zombie is taken away.
    return d.child > 0 ? { op: 'wait', pid: d.child } : undefined
  },
  (d) => ({ op: 'fork', child: { ...d, part: 'save', pc: 0, at: 0 } }),
  (d, view) => {
    d.child = view.errno === undefined ? view.result : 0
    return view.errno === undefined ? undefined : stderr("Can't save in background: fork: Cannot allocate memory\n")
  },
  (d, view) => beat(d, view),
  (d) => {
    d.pc = PREPARED
    return undefined
  },
]

const save: readonly Step<RedisData>[] = [
  (d) => ({ op: 'open', path: String(d.options['--dump']), write: true, create: true, truncate: true }),
  (d, view) => {
    d.fd = view.errno === undefined ? view.result : -1
    return undefined
  },
  (d) => {
    if (d.at >= d.loaded || d.fd < 0) {
      d.pc += 3
      return undefined
    }
    return touchRegion(d, 'data', d.at, Math.min(SAVE_CHUNK, d.loaded - d.at), 'read')
  },
  // Packing what was read takes the child's own time.
  (d) => ({ op: 'compute', ns: Math.round((SAVE_CHUNK / amount(d, '--save-rate')) * NS_PER_S) }),
  (d) => {
    const length = Math.min(SAVE_CHUNK, d.loaded - d.at)
    d.at += length
    return { op: 'write', fd: d.fd, length }
  },
  (d) => {
    d.pc -= 4
    return undefined
  },
  (d) => (d.fd < 0 ? undefined : { op: 'fsync', fd: d.fd }),
]

const prepare: readonly Step<RedisData>[] = [
  ...mapRegion<RedisData>('data', (d) => amount(d, '--dataset')),
  begin as Step<RedisData>,
  (d, view) => {
    d.savedNs = view.nowNs
    return undefined
  },
]
const PREPARED = prepare.length

export const redis = tenant<RedisData>({
  name: 'redis-server',
  about: 'A cache in memory that is saved by a forked child now and then.',
  image: { totalVm: 4000, textPages: 900, anonPages: 600 },
  options: {
    '--dataset': { kind: 'size', fallback: 100 * MIB, says: 'data' },
    '--load': { kind: 'seconds', fallback: 5, says: 'until it is loaded' },
    '--writes': { kind: 'size', fallback: 10 * MIB, says: 'overwritten a second, page by page' },
    '--save': { kind: 'seconds', fallback: 30, says: 'between two snapshots; 0 for none' },
    '--save-rate': { kind: 'size', fallback: 100 * MIB, says: 'packed a second by the child' },
    '--dump': { kind: 'path', fallback: '/var/lib/redis/dump.rdb', says: 'snapshot' },
  },
  create: (data) => ({ ...data, loaded: 0, child: 0, savedNs: 0, at: 0, fd: -1 }),
  steps: [...prepare, ...loop],
  parts: { save },
})
