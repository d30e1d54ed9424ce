/**
 * Page faults: what every measured phase of the lab program counted, and what it made of the process.
 * Sizes are compared as changes since the program's empty phase: its own image lies at random addresses and has a real
 * C library in it. A child of `mm cow` is not compared in its file pages: which windows of its text it runs again
 * depends on how the compiler laid the functions out.
 * @spec 11 §3
 */
import type { CaseFiles, CaseTraits, Figure } from '../figure'

const SIZES = ['RssAnon_kB', 'RssFile_kB', 'RssShmem_kB', 'VmPTE_kB'] as const
const COUNTERS = /^(pgmajfault|pglazyfree|pgpgin|unevictable_pgs_\w+|thp_\w+) (-?\d+)$/gm

/** The split of a cold, shuffled first pass depends on when read-ahead ends: only its total is stable (index, notes). */
const SPLIT_VARIES = /^22-/

export function faultFigures(files: CaseFiles, _traits: CaseTraits): Figure[] {
  const tests = Object.keys(files)
    .map((path) => /^fault\/(\d\d-[\w-]+)\.txt$/.exec(path)?.[1])
    .filter((name) => name !== undefined)
    .sort()
  return tests.flatMap((name) => [
    ...printedFigures(files[`fault/${name}.txt`]!, name),
    ...counterFigures(files[`fault/${name}.vmstat-delta.txt`] ?? '', name),
  ])
}

interface Phase {
  readonly name: string
  readonly values: Readonly<Record<string, number>>
}

const PHASE = /^(\S+)\s+minflt=\d+ /

function parsePhase(line: string): Phase {
  const values: Record<string, number> = {}
  for (const [, key, value] of line.matchAll(/(\w+)=(-?[\d.]+)/g)) values[key!] = Number(value)
  return { name: PHASE.exec(line)![1]!, values }
}

function printedFigures(text: string, test: string): Figure[] {
  const lines = text.split('\n').filter((line) => line !== '')
  const phases = lines.filter((line) => PHASE.test(line)).map(parsePhase)
  const empty = phases.find((p) => p.name === 'empty_phase')
  const from = empty === undefined ? 0 : phases.indexOf(empty) + 1
  const said = lines.filter((line) => !PHASE.test(line)).map(withoutChance)
  return [
    { name: `${test} says`, value: test === '00-noop' ? said.slice(1) : said },
    // Parent and child write to one file from two CPUs: the order within each is theirs, between them it is chance.
    { name: `${test} phases`, value: phases.filter((p) => !isChild(p.name)).map((p) => p.name) },
    ...(phases.some((p) => isChild(p.name))
      ? [{ name: `${test} phases of children`, value: phases.filter((p) => isChild(p.name)).map((p) => p.name) }]
      : []),
    ...phases.slice(from).flatMap((phase) => phaseFigures(phase, empty!, test)),
  ]
}

const isChild = (phase: string): boolean => phase.startsWith('child')

/** Times, and where in its 2 MiB malloc's region begins: random on real machines. */
const withoutChance = (line: string): string => line.replace(/ ms=.*/, '').replace(/, in 2MB: \d+/, '')

function phaseFigures({ name, values }: Phase, empty: Phase, test: string): Figure[] {
  const at = `${test} ${name}`
  const value = (key: string): number => values[key] ?? -1
  const counts: Figure[] =
    SPLIT_VARIES.test(test) && name === 'first_pass'
      ? [{ name: `${at} faults`, value: value('minflt') + value('majflt') }]
      : [
          { name: `${at} minflt`, value: value('minflt') },
          { name: `${at} majflt`, value: value('majflt') },
        ]
  const sizes = SIZES.filter((key) => !(isChild(name) && /File|Shmem/.test(key)))
  return [
    ...counts,
    ...sizes.map((key) => ({ name: `${at} ${key.replace('_kB', '')} change`, value: value(key) - empty.values[key]! })),
    { name: `${at} AnonHuge`, value: value('AnonHuge_kB') },
    { name: `${at} VmLck`, value: value('VmLck_kB') },
  ]
}

const counterFigures = (delta: string, test: string): Figure[] =>
  [...delta.matchAll(COUNTERS)].map((m) => ({ name: `${test} counts ${m[1]}`, value: Number(m[2]) }))
