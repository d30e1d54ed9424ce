/**
 * The closed list of check kinds: each looks at files, events or the kernel log, and says what it saw. A new kind is a
 * member of the schema in lab.ts and a row here.
 */
import type { Check } from './lab'

/** What a check may look at. The host provides it; nothing here can change a machine. */
export interface LabView {
  readonly nowNs: number
  /** undefined = no such file. */
  readFile(path: string): string | undefined
  events(names: readonly string[]): readonly { readonly name: string; readonly comm: string }[]
  readonly klog: readonly { readonly atNs: number; readonly text: string }[]
}

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

const KINDS: { readonly [K in Check['kind']]: (check: CheckOf<K>, view: LabView) => CheckOutcome } = {
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
  log: (check, view) => {
    const line = view.klog.findLast((entry) => entry.text.includes(check.text))
    return {
      passed: line !== undefined,
      seen: line === undefined ? 'no such line in the kernel log' : short(line.text),
    }
  },
  event: (check, view) => {
    const found = view.events([check.name]).filter((e) => check.comm === undefined || e.comm === check.comm)
    return { passed: found.length > 0, seen: `${found.length} × ${check.name}` }
  },
}

export function runCheck(check: Check, view: LabView): CheckOutcome {
  const run = KINDS[check.kind] as (check: Check, view: LabView) => CheckOutcome
  return run(check, view)
}
