/** `mm fault`, `mm malloc`, `mm cow`, `mm mapfile`: phases of memory accesses with their fault counts. */
import type { Advice, Op } from '../../engine/task'
import { stdout, type Step } from '../steps'
import { MB, PG, alignedRegionSteps, commonSteps, createData, longOption, option, type MmData } from './options'
import { phaseSteps } from './phase'

type S = Step<MmData>
const RW = 3
const PRIVATE_ANON = 0x22

const mode = (d: MmData): string => option(d.args, 'mode', 'write')
const advise = (d: MmData, advice: Advice): Op => ({ op: 'madvise', address: d.address, length: d.bytes, advice })
const write = (d: MmData): Op => ({ op: 'touch', address: d.address, length: d.bytes, mode: 'write' })
const read = (d: MmData): Op => ({ op: 'touch', address: d.address, length: d.bytes, mode: 'read' })
const phase = (name: string | ((d: MmData) => string)): readonly S[] => phaseSteps<MmData>(name, true)
const begin = phaseSteps<MmData>('', false)

/** The steps run only when the condition holds at their start. */
function when(condition: (d: MmData) => boolean, steps: readonly S[]): readonly S[] {
  return [
    (d) => {
      if (!condition(d)) d.pc += steps.length
      return undefined
    },
    ...steps,
  ]
}

const mapFlags = (d: MmData): number =>
  PRIVATE_ANON | (mode(d) === 'populate' ? 0x8000 : mode(d) === 'maplocked' ? 0x2000 : 0)
const isPlainMap = (d: MmData): boolean => mapFlags(d) !== PRIVATE_ANON || longOption(d.args, 'align', 1) === 0

const plainRegion: readonly S[] = [
  (d) => ({ op: 'mmap', length: d.bytes, prot: RW, flags: mapFlags(d) }),
  (d, view) => {
    if (view.errno === undefined) {
      d.address = view.result
      return undefined
    }
    d.status = 3
    d.pc = Number.MAX_SAFE_INTEGER
    return stdout('mmap failed errno=12\n')
  },
]

const is =
  (name: string) =>
  (d: MmData): boolean =>
    mode(d) === name
const firstTouch: readonly S[] = [
  ...when(is('readfirst'), [read, ...phase('read_all'), write, ...phase('write_all')]),
  ...when(is('mlock'), [
    (d) => ({ op: 'mlock', address: d.address, length: d.bytes }),
    ...phase('mlock'),
    write,
    ...phase('write_all'),
    (d) => ({ op: 'munlock', address: d.address, length: d.bytes }),
    ...phase('munlock'),
  ]),
  ...when(is('populate_write'), [
    (d) => advise(d, 'populate_write'),
    ...phase('madv_populate_write'),
    write,
    ...phase('write_all'),
  ]),
  ...when((d) => !['readfirst', 'mlock', 'populate_write'].includes(mode(d)), [write, ...phase('write_all')]),
]

const lazyFree: readonly S[] = when(is('free'), [
  (d) => advise(d, 'free'),
  ...phase('madv_free'),
  read,
  ...phase('read_after_free'),
  write,
  ...phase('write_after_free'),
])

const coldAndOut: readonly S[] = when(is('cold'), [
  (d) => advise(d, 'cold'),
  ...phase('madv_cold'),
  read,
  ...phase('read_after_cold'),
  (d) => advise(d, 'pageout'),
  ...phase('madv_pageout'),
  read,
  ...phase('read_after_pageout'),
  write,
  ...phase('write_after_pageout'),
])

const dontneed: readonly S[] = when(
  (d) => mode(d) !== 'mlock' && mode(d) !== 'maplocked',
  [(d) => advise(d, 'dontneed'), ...phase('madv_dontneed'), write, ...phase('write_after_dontneed')],
)

const mprotect: readonly S[] = when(is('mprotect'), [
  (d) => ({ op: 'mprotect', address: d.address, length: d.bytes, prot: 1 }),
  ...phase('mprotect_ro'),
  (d) => ({ op: 'mprotect', address: d.address, length: d.bytes, prot: RW }),
  ...phase('mprotect_rw'),
  write,
  ...phase('write_after_mprotect'),
])

export const faultSteps: readonly S[] = [
  ...commonSteps,
  (d) => {
    d.bytes = longOption(d.args, 'mb', 100) * MB
    return stdout(
      `# fault mb=${d.bytes / MB} mode=${mode(d)} thp=${option(d.args, 'thp', 'default')} align=${longOption(d.args, 'align', 1)}\n`,
    )
  },
  ...phase('warmup'),
  ...phase('empty_phase'),
  ...when(isPlainMap, plainRegion),
  ...when((d) => !isPlainMap(d), alignedRegionSteps),
  (d) => (option(d.args, 'thp', 'default') === 'huge' ? advise(d, 'hugepage') : undefined),
  (d) => (option(d.args, 'thp', 'default') === 'nohuge' ? advise(d, 'nohugepage') : undefined),
  ...phase('mmap'),
  ...firstTouch,
  write,
  ...phase('write_again'),
  read,
  ...phase('read_again'),
  ...lazyFree,
  ...coldAndOut,
  ...dontneed,
  ...mprotect,
  (d) => ({ op: 'munmap', address: d.address, length: d.bytes }),
  ...phase('munmap'),
]

const mallocTouch: readonly S[] = [
  (d) => ({ op: 'malloc', length: d.bytes }),
  (d, view) => {
    d.address = view.result
    return undefined
  },
]

/** One access a page, starting where the data starts. */
const touchData = (d: MmData): Op => ({ op: 'touch', address: d.address, length: d.bytes - PG + 1, mode: 'write' })
const free = (d: MmData): Op => ({ op: 'free', address: d.address })

export const mallocSteps: readonly S[] = [
  ...commonSteps,
  (d) => {
    d.bytes = longOption(d.args, 'mb', 100) * MB
    return stdout(`# malloc mb=${d.bytes / MB}\n`)
  },
  ...phase('warmup'),
  ...phase('empty_phase'),
  ...mallocTouch,
  (d) => stdout(`malloc offset in page: ${d.address % PG}, in 2MB: ${d.address % (2 * MB)}\n`),
  ...begin,
  touchData,
  ...phase('touch'),
  touchData,
  ...phase('touch_again'),
  free,
  ...phase('free'),
  ...mallocTouch,
  touchData,
  ...phase('malloc_touch_2nd'),
  free,
  ...phase('free_2nd'),
]

interface MapFileData extends MmData {
  fd: number
  /** Buffer of mincore(). */
  vector?: number
}
const isPrivate = (d: MmData): boolean => longOption(d.args, 'private', 0) !== 0
const mapMode = (d: MmData): string => option(d.args, 'mode', 'seq')

/** xorshift64 of the C program on 32-bit halves, then Fisher–Yates from the end. */
export function shuffledPages(count: number): number[] {
  let state = 88172645463325252n
  const pages = Array.from({ length: count }, (_, i) => i)
  const mask = (1n << 64n) - 1n
  for (let i = count - 1; i > 0; i--) {
    state ^= (state << 13n) & mask
    state ^= state >> 7n
    state ^= (state << 17n) & mask
    const j = Number(state % BigInt(i + 1))
    const t = pages[i]!
    pages[i] = pages[j]!
    pages[j] = t
  }
  return pages
}

/** mincore() into a buffer of one byte a page: malloc() gives the freed one again, unless a shuffle holds it. */
const incore: readonly Step<MapFileData>[] = [
  (d) => (d.vector === undefined || mapMode(d) === 'rand' ? { op: 'malloc', length: d.bytes / PG } : undefined),
  (d, view) => {
    if (d.vector === undefined || mapMode(d) === 'rand') d.vector = view.result
    return { op: 'touch', address: d.vector, length: d.bytes / PG, mode: 'write' }
  },
  (d) => ({ op: 'mincore', address: d.address, length: d.bytes }),
]

/**
 * The order of a shuffled pass: four bytes a page. malloc() gives it the buffer that mincore() had, at the top of the
 * heap, and grows it.
 */
const shuffle: readonly Step<MapFileData>[] = [
  (d) => (mapMode(d) === 'rand' ? { op: 'malloc', length: (d.bytes / PG) * 3 } : undefined),
  (d) =>
    mapMode(d) === 'rand' ? { op: 'touch', address: d.vector!, length: (d.bytes / PG) * 4, mode: 'write' } : undefined,
  ...(begin as readonly Step<MapFileData>[]),
]

function firstPass(d: MmData): Op {
  if (mapMode(d) === 'rand')
    return { op: 'touchList', address: d.address, pages: shuffledPages(d.bytes / PG), mode: 'read' }
  return mapMode(d) === 'write' ? write(d) : read(d)
}

export const mapfileSteps: readonly Step<MapFileData>[] = [
  ...commonSteps,
  (d) => {
    d.bytes = longOption(d.args, 'mb', 16) * MB
    return { op: 'open', path: option(d.args, 'file', ''), write: mapMode(d) === 'write' }
  },
  (d, view) => {
    if (view.errno !== undefined) {
      d.status = 1
      d.pc = Number.MAX_SAFE_INTEGER
      return stdout(`open ${option(d.args, 'file', '')} errno 2\n`)
    }
    d['fd'] = view.result
    const prot = 1 | (mapMode(d) === 'write' || isPrivate(d) ? 2 : 0)
    return { op: 'mmap', length: d.bytes, prot, flags: isPrivate(d) ? 2 : 1, fd: view.result, offset: 0 }
  },
  (d, view) => {
    d.address = view.result
    const advice = option(d.args, 'advice', 'normal')
    return advice === 'random' ? advise(d, 'random') : advice === 'seq' ? advise(d, 'sequential') : undefined
  },
  ...incore,
  (d, view) =>
    stdout(
      `# mapfile mb=${d.bytes / MB} mode=${mapMode(d)} advice=${option(d.args, 'advice', 'normal')} private=${isPrivate(d) ? 1 : 0}\nincore_before=${view.result}\n`,
    ),
  ...phase('warmup'),
  ...phase('empty_phase'),
  ...shuffle,
  firstPass,
  ...phase('first_pass'),
  ...incore,
  (_d, view) => stdout(`incore_after=${view.result}\n`),
  ...begin,
  read,
  ...phase('second_pass'),
  ...when(isPrivate, [write, ...phase('private_write(cow)')]),
  (d) => ({ op: 'munmap', address: d.address, length: d.bytes }),
  ...phase('munmap'),
] as readonly Step<MapFileData>[]

export const createRegion = (args: readonly string[]): MmData => createData(args)
