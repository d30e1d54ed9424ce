/**
 * The closed list of check kinds: each looks at files, events or the kernel log, and says what it saw. A new kind is a
 * member of the schema in lab.ts and a row here.
 */
import type { Check, LabStep, NumberSource } from './lab'
import { numberAt } from './numbers'
import { numbersOf, quotedIn } from './quoted'
import { parseRule } from './rule'

/** What a check may look at. The host provides it; nothing here can change a machine. */
export interface LabView {
  readonly nowNs: number
  /** undefined = no such file. */
  readFile(path: string): string | undefined
  events(names: readonly string[]): readonly SeenEvent[]
  readonly klog: readonly { readonly atNs: number; readonly text: string }[]
}

export interface SeenEvent {
  readonly atNs: number
  readonly name: string
  readonly comm: string
  readonly fields: Readonly<Record<string, number>>
}

/** How the machine was when the step opened: what `was.` and `sinceStep` speak of. */
export interface Opening {
  readonly atNs: number
  /** Place of the number → its value then, when it had one; see placeOf. */
  readonly numbers: Readonly<Record<string, number>>
}

export const START: Opening = { atNs: 0, numbers: {} }

export interface CheckOutcome {
  readonly passed: boolean
  /** What was seen, for the student: a value, 'no such file', '3 lines'. */
  readonly seen: string
}

type CheckOf<K extends Check['kind']> = Extract<Check, { kind: K }>

/** `key 123` or `key: 123 kB`; the first number of the file without a key. */
export function numberIn(text: string, key: string | undefined): number | undefined {
  if (key === undefined) {
    const match = /-?\d+/.exec(text)
    return match === null ? undefined : Number(match[0])
  }
  for (const line of text.split('\n')) {
    if (!line.startsWith(key)) continue
    const match = /^[ :=\t]+(-?\d+)/.exec(line.slice(key.length))
    if (match !== null) return Number(match[1])
  }
  return undefined
}

const short = (text: string): string => {
  const line = text.trim().split('\n').slice(0, 2).join(' ')
  return line.length > 80 ? `${line.slice(0, 80)}…` : line
}

function checkValue(check: CheckOf<'value'>, view: LabView): CheckOutcome {
  const text = view.readFile(check.path)
  if (text === undefined) return { passed: false, seen: 'no such file' }
  const value = numberIn(text, check.key)
  if (value === undefined) return { passed: false, seen: short(text) || 'an empty file' }
  const passed = value >= (check.min ?? -Infinity) && value <= (check.max ?? Infinity)
  return { passed, seen: check.key === undefined ? String(value) : `${check.key} ${value}` }
}

type Numbers = Readonly<Record<string, NumberSource>>

const placeOf = (source: NumberSource): string => JSON.stringify([source.path, source.under, source.key, source.nth])

const readNumber = (source: NumberSource, view: LabView): number | undefined => {
  const text = view.readFile(source.path)
  return text === undefined ? undefined : numberAt(text, source)
}

/** What the numbers of a step are now; those that the machine does not have are left out. */
export function numbersSeen(step: LabStep, view: LabView): Readonly<Record<string, number>> {
  if (quotedIn(step.hint ?? '').length === 0) return {}
  return Object.fromEntries(
    Object.entries(numbersOf(step)).flatMap(([name, source]) => {
      const value = readNumber(source, view)
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

/** Looks at every number that the checks of a step name, so that later values can be compared with these. */
export function openingOf(checks: readonly Check[], view: LabView): Opening {
  const numbers: Record<string, number> = {}
  for (const check of checks) {
    if (check.kind !== 'rule') continue
    for (const source of Object.values(check.numbers)) {
      const value = readNumber(source, view)
      if (value !== undefined) numbers[placeOf(source)] = value
    }
  }
  return { atNs: view.nowNs, numbers }
}

export interface RuleInput {
  readonly rule: string
  readonly numbers: Numbers
  /** Numbers that no file has: the answer of a student. */
  readonly given: Readonly<Record<string, number>>
}

/** Whether the rule holds now, and the numbers it saw. The text of the rule was parsed when the lab was loaded. */
export function judgeRule({ rule, numbers, given }: RuleInput, view: LabView, opening: Opening): CheckOutcome {
  const parsed = parseRule(rule, '')
  if (!parsed.ok) return { passed: false, seen: parsed.error.message }
  const now: Record<string, number | undefined> = { ...given }
  for (const [name, source] of Object.entries(numbers)) now[name] = readNumber(source, view)
  const lookup = (name: string): number | undefined => {
    if (!name.startsWith('was.')) return now[name]
    const source = numbers[name.slice(4)]
    return source === undefined ? undefined : opening.numbers[placeOf(source)]
  }
  const absent = parsed.value.names.find((name) => lookup(name) === undefined)
  if (absent !== undefined) {
    const source = numbers[absent.replace(/^was\./, '')]
    const isThere = source !== undefined && view.readFile(source.path) !== undefined
    return { passed: false, seen: isThere ? `no ${absent} in ${source.path}` : `no file ${source?.path ?? absent}` }
  }
  const seen = parsed.value.names
    .filter((name) => !Object.hasOwn(given, name))
    .map((name) => `${name.replace(/^was\./, 'before ')} ${lookup(name)}`)
  return { passed: parsed.value.holds(lookup), seen: seen.join(', ') }
}

const KINDS: {
  readonly [K in Check['kind']]: (check: CheckOf<K>, view: LabView, opening: Opening) => CheckOutcome
} = {
  exists: (check, view) => {
    const there = view.readFile(check.path) !== undefined
    return { passed: there, seen: there ? 'it is there' : 'no such file' }
  },
  missing: (check, view) => {
    const there = view.readFile(check.path) !== undefined
    return { passed: !there, seen: there ? 'it is still there' : 'it is gone' }
  },
  contains: (check, view) => {
    const text = view.readFile(check.path)
    if (text === undefined) return { passed: false, seen: 'no such file' }
    return { passed: text.includes(check.text), seen: short(text) || 'an empty file' }
  },
  value: checkValue,
  rule: (check, view, opening) => judgeRule({ ...check, given: {} }, view, opening),
  log: (check, view, opening) => {
    const fromNs = check.sinceStep === true ? opening.atNs : 0
    const line = view.klog.findLast((entry) => entry.atNs >= fromNs && entry.text.includes(check.text))
    return {
      passed: line !== undefined,
      seen: line === undefined ? 'no such line in the kernel log' : short(line.text),
    }
  },
  event: (check, view, opening) => {
    const fromNs = check.sinceStep === true ? opening.atNs : 0
    const wanted = Object.entries(check.fields ?? {})
    const found = view
      .events([check.name])
      .filter(
        (e) =>
          e.atNs >= fromNs &&
          (check.comm === undefined || e.comm === check.comm) &&
          wanted.every(([field, value]) => e.fields[field] === value),
      )
    return { passed: found.length >= (check.min ?? 1), seen: `${found.length} × ${check.name}` }
  },
}

export function runCheck(check: Check, view: LabView, opening: Opening = START): CheckOutcome {
  const run = KINDS[check.kind] as (check: Check, view: LabView, opening: Opening) => CheckOutcome
  return run(check, view, opening)
}
