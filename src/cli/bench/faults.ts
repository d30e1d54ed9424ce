/** Page faults and accesses of the real engine against the real kernel of this machine. */
import { median, type Figure } from './figure'
import { benchMachine } from './machine'
import { createRandom, medianCpuSeconds, shuffledIndices } from './measure'
import { runNative, type NativeResult } from './native'
import { mapAnonymous, noHugePages, runPlan, touchAscending, touchInOrder, unmap, type PlannedOp } from './toucher'

const MIB = 1024
const BYTES = MIB << 20
const PAGES = BYTES / 4096
const ROUNDS = 7
/** The first rounds run before the compiler has seen the whole path. */
const WARM_UP = 2
const SEED = 12345

type Kind = 'ascending' | 'random' | 'resident-ascending' | 'resident-random' | 'in-a-row' | 'hits' | 'unmap'

/** Accesses to a page before the next one. */
const IN_A_ROW = 64
/** Within the reach of the second level of the TLB: 1536 pages. */
const HIT_PAGES = 1024

/** Pages a second of CPU time, by kind. */
function measureEngine(): Readonly<Record<Kind, number>> {
  const order = shuffledIndices(PAGES, SEED)
  const inARow = order.map((_, i) => Math.floor(i / IN_A_ROW))
  const hits = order.map((page) => page % HIT_PAGES)
  const round: readonly (readonly [Kind | '', PlannedOp])[] = [
    ['', mapAnonymous(BYTES)],
    ['', noHugePages(BYTES)],
    ['ascending', touchAscending(BYTES)],
    ['resident-ascending', touchAscending(BYTES)],
    ['resident-random', touchInOrder(order)],
    ['in-a-row', touchInOrder(inARow)],
    ['hits', touchInOrder(hits)],
    ['unmap', unmap(BYTES)],
    ['', mapAnonymous(BYTES)],
    ['', noHugePages(BYTES)],
    ['random', touchInOrder(order)],
    ['', unmap(BYTES)],
  ]
  const rounds = Array.from({ length: ROUNDS }, () => round).flat()
  const seconds = runPlan(
    benchMachine('laptop-16g'),
    rounds.map(([, op]) => op),
  )
  const skipped = WARM_UP * round.length
  const rate = (kind: Kind): number => PAGES / median(seconds.filter((_, i) => i >= skipped && rounds[i]![0] === kind))
  return {
    ascending: rate('ascending'),
    random: rate('random'),
    'resident-ascending': rate('resident-ascending'),
    'resident-random': rate('resident-random'),
    'in-a-row': rate('in-a-row'),
    hits: rate('hits'),
    unmap: rate('unmap'),
  }
}

/** Reads and writes of random words of 16 MiB: what this JavaScript can do at all. */
function calibrate(): number {
  const words = new Int32Array(1 << 22)
  const accesses = 1 << 22
  const seconds = medianCpuSeconds(5, () => {
    const random = createRandom(SEED)
    for (let i = 0; i < accesses; i++) words[random() & (words.length - 1)]! += i
  })
  return accesses / seconds
}

export function faults(): Figure[] {
  const engine = measureEngine()
  const kernel = runNative('faults', [String(MIB), String(ROUNDS - WARM_UP)])
  const loop = { what: 'random words of 16 MiB in JavaScript', value: calibrate() }
  return [
    {
      id: 'faults-ascending',
      title: 'anonymous page faults, ascending',
      value: engine.ascending,
      unit: 'faults/s',
      ...against(kernel, 'ascending', 'this kernel'),
      aim: { kind: 'ratio', at: 8 },
    },
    {
      id: 'faults-random',
      title: 'anonymous page faults, random order',
      value: engine.random,
      unit: 'faults/s',
      ...against(kernel, 'random', 'this kernel'),
      aim: { kind: 'ratio', at: 3 },
    },
    { id: 'unmap', title: 'pages unmapped and freed', value: engine.unmap, unit: 'pages/s' },
    {
      id: 'accesses-ascending',
      title: 'accesses of resident pages, ascending',
      value: engine['resident-ascending'],
      unit: 'accesses/s',
      ...against(kernel, 'resident-ascending', 'a touch loop in C'),
      note: 'one access a page, and each of them a walk',
    },
    {
      id: 'accesses-in-a-row',
      title: `accesses, ${IN_A_ROW} in a row to each page`,
      value: engine['in-a-row'],
      unit: 'accesses/s',
      aim: { kind: 'value', at: 100e6 },
    },
    {
      id: 'accesses-hits',
      title: 'accesses in random order that hit the TLB',
      value: engine.hits,
      unit: 'accesses/s',
      aim: { kind: 'value', at: 15e6 },
    },
    {
      id: 'accesses-random',
      title: 'accesses of resident pages, random order',
      value: engine['resident-random'],
      unit: 'accesses/s',
      ...against(kernel, 'resident-random', 'a touch loop in C'),
    },
    {
      id: 'accesses-walks',
      title: 'accesses in random order, each of them a walk',
      value: engine['resident-random'],
      unit: 'accesses/s',
      aim: { kind: 'value', at: 4e6 },
    },
    {
      id: 'accesses-random-calibrated',
      title: 'accesses of resident pages, random order',
      value: engine['resident-random'],
      unit: 'accesses/s',
      against: loop,
    },
  ]
}

function against(native: NativeResult, word: Kind, what: string): Pick<Figure, 'against' | 'skipped'> {
  if (!native.ok) return { skipped: native.why }
  return { against: { what, value: median(native.numbers[word] ?? []) } }
}
