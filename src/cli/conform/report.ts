/** Results of conform: kinds, totals, the table, the stable JSON. */
import { cgroupFigures } from './figures/cgroup'
import { faultFigures } from './figures/fault'
import { fragFigures } from './figures/frag'
import { numaFigures } from './figures/numa'
import { oomFigures } from './figures/oom'
import { pressureFigures } from './figures/pressure'
import { staticFigures } from './figures/static'
import { compareFigures, type Verdict } from './compare'
import type { CaseFiles, CaseTraits, Figure } from './figure'

type FiguresOf = (files: CaseFiles, traits: CaseTraits) => Figure[]

/** Kinds of cases that can be compared: one line each. */
const KINDS: Readonly<Record<string, FiguresOf>> = {
  '1-static': staticFigures,
  '3-fault': faultFigures,
  '4-cgroup': cgroupFigures,
  '5-pressure': pressureFigures,
  '6-oom': oomFigures,
  '7-frag': fragFigures,
  '8-numa': numaFigures,
}

export const isComparable = (traits: CaseTraits): boolean => KINDS[traits.kind] !== undefined

export interface CaseResult {
  readonly name: string
  readonly kind: string
  /** Why the case could not be run to its end, '' when it could. */
  readonly fault: string
  readonly verdicts: readonly Verdict[]
  readonly simulatedNs: number
}

export function compareCase(real: CaseFiles, simulated: CaseFiles, traits: CaseTraits): Verdict[] {
  const figuresOf = KINDS[traits.kind]
  return figuresOf ? compareFigures(figuresOf(real, traits), figuresOf(simulated, traits), traits) : []
}

export interface Total {
  readonly kind: string
  readonly cases: number
  readonly casesAgreeing: number
  readonly figures: number
  readonly figuresAgreeing: number
}

export const caseAgrees = (result: CaseResult): boolean =>
  result.fault === '' && result.verdicts.length > 0 && result.verdicts.every((v) => v.agrees)

export function totals(results: readonly CaseResult[]): Total[] {
  const kinds = [...new Set(results.map((r) => r.kind))].sort()
  return kinds.map((kind) => {
    const own = results.filter((r) => r.kind === kind)
    const verdicts = own.flatMap((r) => r.verdicts)
    return {
      kind,
      cases: own.length,
      casesAgreeing: own.filter(caseAgrees).length,
      figures: verdicts.length,
      figuresAgreeing: verdicts.filter((v) => v.agrees).length,
    }
  })
}

const COLUMNS = ['case', 'figure', 'real', 'simulated', 'band', 'verdict'] as const

/** Rows of one case. Agreeing figures of a case are one line unless `all` are asked for. */
export function caseTable(result: CaseResult, all: boolean): string {
  const rows: string[][] = []
  if (result.fault !== '') rows.push([result.name, 'run', 'complete', result.fault, '0', 'DIFFERS'])
  for (const v of result.verdicts) {
    if (all || !v.agrees)
      rows.push([result.name, v.figure, v.real, v.simulated, v.band, v.agrees ? 'agrees' : 'DIFFERS'])
  }
  const agreeing = result.verdicts.filter((v) => v.agrees).length
  if (!all) rows.push([result.name, `${agreeing} of ${result.verdicts.length} figures agree`, '', '', '', ''])
  return alignRows(rows)
}

export const tableHead = (): string => alignRows([[...COLUMNS]])

const WIDTHS = [28, 40, 24, 24, 16, 0]
const CELL_MAX = 72

const cut = (cell: string): string => (cell.length > CELL_MAX ? `${cell.slice(0, CELL_MAX - 1)}…` : cell)

function alignRows(rows: readonly (readonly string[])[]): string {
  return rows
    .map((row) =>
      row
        .map((cell, i) => cut(cell).padEnd(WIDTHS[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export function totalsTable(list: readonly Total[]): string {
  return list
    .map(
      (t) =>
        `${t.kind.padEnd(14)} ${t.casesAgreeing} of ${t.cases} cases, ${t.figuresAgreeing} of ${t.figures} figures agree`,
    )
    .join('\n')
}
