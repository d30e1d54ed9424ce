/** Numbers that a hint quotes: `{free}` stands for what the step's number `free` is when the hint is read. Pure. */
import type { LabStep, NumberSource } from './lab'

const QUOTED = /\{([a-z][A-Za-z0-9]*)\}/g

/** The numbers that a step speaks of, by name: its own, and those of its rules. */
export const numbersOf = (step: LabStep): Readonly<Record<string, NumberSource>> =>
  Object.assign({}, step.numbers, ...(step.checks ?? []).map((check) => (check.kind === 'rule' ? check.numbers : {})))

/** Names between braces, in order. */
export const quotedIn = (hint: string): string[] => [...hint.matchAll(QUOTED)].map(([, name]) => name!)

/** @param seen  numbers by name; one that the machine does not have yet is an ellipsis */
export const quote = (hint: string, seen: Readonly<Record<string, number>>): string =>
  hint.replace(QUOTED, (_, name: string) => (seen[name] === undefined ? '…' : String(seen[name])))
