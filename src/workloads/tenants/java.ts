/**
 * `java`: a virtual machine with a moving collector. Objects are laid one after the other into the heap; when what is
 * committed is full, the living part is copied to its bottom and the pages above stay resident, because the JVM gives
 * little back. Committed memory grows to -Xmx when more than 70 % of it lives. Beside the heap: metaspace that fills
 * in the first ten seconds, a stack and buffers for each thread, and native memory that no option of the heap limits.
 *
 * @model  HotSpot's serial collector in outline; no generations, no concurrent phases, no class data sharing
 */
import { KIB, MIB, PAGE_SIZE, type Bytes } from '../../util/units'
import { stderr, type Step } from '../steps'
import { amount, beat, begin, elapsedSeconds, mapRegion, perTick, touchRegion, type TenantData } from './pace'
import { tenant } from './tenant'

interface JavaData extends TenantData {
  heapMax: Bytes
  committed: Bytes
  /** Where the next object goes. */
  top: Bytes
  live: Bytes
  metaspace: Bytes
  native: Bytes
  group: string
  limit: Bytes
}

const STACK_TOUCHED = 64 * KIB
const METASPACE_SECONDS = 10
const FULL = 0.7
const whole = (bytes: number): Bytes => Math.floor(bytes / PAGE_SIZE) * PAGE_SIZE

/** The container's limit, or the machine's memory: what MaxRAMPercentage is a part of. */
const findLimit: readonly Step<JavaData>[] = [
  () => ({ op: 'readFile', path: '/proc/self/cgroup' }),
  (d, view) => {
    d.group = /^0::(.*)$/m.exec(view.text)?.[1] ?? ''
    return { op: 'readFile', path: `/sys/fs/cgroup${d.group}/memory.max` }
  },
  (d, view) => {
    d.limit = view.errno === undefined && /^\d+/.test(view.text) ? Number(view.text) : Infinity
    return { op: 'readFile', path: '/proc/meminfo' }
  },
  (d, view) => {
    const total = Number(/^MemTotal:\s+(\d+)/.exec(view.text)?.[1] ?? 0) * KIB
    const given = amount(d, '-Xmx')
    const part = (Math.min(total, d.limit) * amount(d, '-XX:MaxRAMPercentage')) / 100
    d.heapMax = Math.max(8 * MIB, whole(given > 0 ? given : part))
    d.committed = Math.min(d.heapMax, Math.max(4 * MIB, whole(amount(d, '-Xms') || d.heapMax / 4)))
    d.live = 0
    return undefined
  },
]

const fill: readonly Step<JavaData>[] = [
  begin as Step<JavaData>,
  // Each thread has used the top of its stack.
  (d) => touchRegion(d, 'stacks', 0, amount(d, '--threads') * STACK_TOUCHED),
]

/** What lives grows to its share in the first seconds, and by the leak for ever. */
function liveNow(d: JavaData, seconds: number): Bytes {
  const settled = (d.heapMax * amount(d, '--live')) / 100
  return whole(settled * Math.min(1, seconds / METASPACE_SECONDS) + amount(d, '--leak') * seconds)
}

const loop: readonly Step<JavaData>[] = [
  (d, view) => {
    const due = whole(amount(d, '-XX:MaxMetaspaceSize') * Math.min(1, elapsedSeconds(d, view) / METASPACE_SECONDS))
    const from = d.metaspace
    d.metaspace = Math.max(from, due)
    return touchRegion(d, 'metaspace', from, d.metaspace - from)
  },
  (d, view) => {
    const due = whole(amount(d, '--native') * Math.min(1, elapsedSeconds(d, view) / METASPACE_SECONDS))
    const from = d.native
    d.native = Math.max(from, due)
    return touchRegion(d, 'native', from, d.native - from)
  },
  (d) => {
    const bytes = Math.min(perTick(amount(d, '--alloc')), d.committed - d.top)
    const from = d.top
    d.top += bytes
    return touchRegion(d, 'heap', from, bytes)
  },
  (d, view) => {
    if (d.top < d.committed) return undefined
    d.live = liveNow(d, elapsedSeconds(d, view))
    if (d.live > FULL * d.committed) d.committed = Math.min(d.heapMax, whole(d.live / FULL) + 4 * MIB)
    if (d.live >= d.heapMax) {
      d.status = 3
      d.pc = Number.MAX_SAFE_INTEGER
      return stderr('Terminating due to java.lang.OutOfMemoryError: Java heap space\n')
    }
    d.top = d.live
    // Every living object is read and laid down again.
    return touchRegion(d, 'heap', 0, d.live)
  },
  (d, view) => beat(d, view),
  (d) => {
    d.pc = PREPARED
    return undefined
  },
]

const prepare: readonly Step<JavaData>[] = [
  ...findLimit,
  ...mapRegion<JavaData>('heap', (d) => d.heapMax),
  ...mapRegion<JavaData>('metaspace', (d) => amount(d, '-XX:MaxMetaspaceSize')),
  ...mapRegion<JavaData>('native', (d) => amount(d, '--native')),
  ...mapRegion<JavaData>('stacks', (d) => amount(d, '--threads') * STACK_TOUCHED),
  ...fill,
]
const PREPARED = prepare.length

export const java = tenant<JavaData>({
  name: 'java',
  about: 'A Java virtual machine: heap with a collector, metaspace, threads and native memory.',
  image: { totalVm: 12_000, textPages: 4800, anonPages: 3000 },
  options: {
    '-Xmx': { kind: 'size', fallback: 0, says: 'largest heap; else MaxRAMPercentage of the limit' },
    '-Xms': { kind: 'size', fallback: 0, says: 'heap that is committed at first; else a quarter of it' },
    '-Xss': { kind: 'size', fallback: MIB, says: 'size of a thread stack; only 64 KiB of it are used' },
    '-XX:MaxRAMPercentage': { kind: 'percent', fallback: 25, says: "heap as a part of the container's limit" },
    '-XX:MaxMetaspaceSize': { kind: 'size', fallback: 64 * MIB, says: 'metaspace, full after ten seconds' },
    '--threads': { kind: 'number', fallback: 50, says: 'threads' },
    '--native': { kind: 'size', fallback: 40 * MIB, says: 'code cache and direct buffers, outside of the heap' },
    '--live': { kind: 'percent', fallback: 50, says: 'part of the largest heap that lives' },
    '--alloc': { kind: 'size', fallback: 100 * MIB, says: 'allocated a second' },
    '--leak': { kind: 'size', fallback: 0, says: 'more that lives, a second' },
  },
  create: (data) => ({
    ...data,
    heapMax: 0,
    committed: 0,
    top: 0,
    live: 0,
    metaspace: 0,
    native: 0,
    group: '',
    limit: 0,
  }),
  steps: [...prepare, ...loop],
})
