/**
 * `postgres`: a database with its own buffer pool in front of the page cache. Pages of 8 KiB are read from the data file at
 * a rate, most of them from its hot part; a miss of the pool is a buffered read(), so the file's pages are cached twice: in
 * the pool as anonymous memory and by the kernel. Connections hold private memory; a part of the reads changes its page.
 *
 * @model  the pool is direct-mapped by block number; no write-ahead log, no checkpoints, no O_DIRECT
 */
import { MIB, PAGE_SIZE } from '../../util/units'
import { stderr, type Step } from '../steps'
import { amount, beat, begin, mapRegion, perTick, TICKS_PER_S, touchRegion, type TenantData } from './pace'
import { tenant } from './tenant'

const BLOCK = 8192
const CREATE_CHUNK = 4 * MIB

interface PostgresData extends TenantData {
  fd: number
  /** Block number in each slot of the pool, +1; 0 = empty. Sparse. */
  pool: Record<string, number>
  made: number
  /** Reads left in this beat. */
  left: number
  slot: number
  used: number
}

const path = (d: PostgresData): string => String(d.options['--data'])

/** Creates the data file when it is not there, as initdb and a restore would. */
const openData: readonly Step<PostgresData>[] = [
  (d) => ({ op: 'stat', path: path(d) }),
  (d, view) => {
    d.made = view.errno === undefined ? view.result : 0
    if (d.made >= amount(d, '--size')) d.pc += 4
    return undefined
  },
  (d) => ({ op: 'open', path: path(d), write: true, create: true, append: true }),
  (d, view) => {
    d.fd = view.errno === undefined ? view.result : -1
    return undefined
  },
  (d) => {
    const length = Math.min(CREATE_CHUNK, amount(d, '--size') - d.made)
    if (d.fd < 0 || length <= 0) return undefined
    d.made += length
    d.pc--
    return { op: 'write', fd: d.fd, length }
  },
  (d) => (d.fd > 0 ? { op: 'close', fd: d.fd } : undefined),
  (d) => ({ op: 'open', path: path(d) }),
  (d, view) => {
    if (view.errno === undefined) {
      d.fd = view.result
      return undefined
    }
    d.status = 1
    d.pc = Number.MAX_SAFE_INTEGER
    return stderr(`postgres: could not open ${path(d)}\n`)
  },
]

const loop: readonly Step<PostgresData>[] = [
  (d) => {
    const bytes = Math.min(perTick(8 * MIB), amount(d, '--connections') * amount(d, '--work-mem') - d.used)
    const from = d.used
    d.used += Math.max(0, bytes)
    return touchRegion(d, 'work', from, bytes)
  },
  (d) => {
    d.left = Math.round(amount(d, '--rate') / TICKS_PER_S)
    return undefined
  },
  (d, view) => {
    if (d.left-- <= 0) {
      d.pc += 2
      return undefined
    }
    const blocks = Math.max(1, Math.floor(amount(d, '--size') / BLOCK))
    const hot = Math.max(1, Math.floor((blocks * amount(d, '--hot-part')) / 100))
    const isHot = view.random(100) < amount(d, '--hot')
    const block = view.random(isHot ? hot : blocks)
    const slots = Math.max(1, Math.floor(amount(d, '--shared-buffers') / BLOCK))
    d.slot = block % slots
    if (d.pool[d.slot] === block + 1) return undefined
    d.pool[d.slot] = block + 1
    return { op: 'read', fd: d.fd, length: BLOCK, offset: block * BLOCK }
  },
  (d, view) =>
    touchRegion(
      d,
      'buffers',
      d.slot * BLOCK,
      BLOCK,
      view.random(100) < amount(d, '--writes') || d.left % 2 === 0 ? 'write' : 'read',
    ),
  (d) => {
    d.pc -= 3
    return undefined
  },
  (d, view) => beat(d, view),
  (d) => {
    d.pc = PREPARED
    return undefined
  },
]

const prepare: readonly Step<PostgresData>[] = [
  ...openData,
  ...mapRegion<PostgresData>('buffers', (d) => amount(d, '--shared-buffers') + PAGE_SIZE),
  ...mapRegion<PostgresData>('work', (d) => amount(d, '--connections') * amount(d, '--work-mem')),
  begin as Step<PostgresData>,
]
const PREPARED = prepare.length

export const postgres = tenant<PostgresData>({
  name: 'postgres',
  about: 'A database: a buffer pool of its own, and reads through the page cache behind it.',
  image: { totalVm: 9000, textPages: 1900, anonPages: 700 },
  options: {
    '--shared-buffers': { kind: 'size', fallback: 128 * MIB, says: 'buffer pool' },
    '--data': { kind: 'path', fallback: '/var/lib/postgresql/base', says: 'data file, made when it is not there' },
    '--size': { kind: 'size', fallback: 256 * MIB, says: 'size of the data' },
    '--rate': { kind: 'number', fallback: 2000, says: 'pages of 8 KiB read a second' },
    '--hot': { kind: 'percent', fallback: 80, says: 'reads that go to the hot part' },
    '--hot-part': { kind: 'percent', fallback: 20, says: 'of the data, which is hot' },
    '--writes': { kind: 'percent', fallback: 10, says: 'reads that change their page' },
    '--connections': { kind: 'number', fallback: 20, says: 'connections' },
    '--work-mem': { kind: 'size', fallback: 2 * MIB, says: 'private memory of a connection' },
  },
  create: (data) => ({ ...data, fd: -1, pool: {}, made: 0, left: 0, slot: 0, used: 0 }),
  steps: [...prepare, ...loop],
})
