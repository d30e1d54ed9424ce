/** pagewalk conform: every case of a folder of captures, run here and compared. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ok, type Result } from '../../util/result'
import { findCases, readCase, readHarness } from './cases'
import {
  caseAgrees,
  caseTable,
  compareCase,
  isComparable,
  tableHead,
  totals,
  totalsTable,
  type CaseResult,
} from './report'
import { runCase } from './run-case'

export interface ConformRequest {
  readonly folder: string
  /** [] = every case of a kind that can be compared. */
  readonly cases: readonly string[]
  /** Where the simulated files go, under the capture's own names. */
  readonly out: string | undefined
  readonly json: boolean
  /** Also the figures that agree. */
  readonly all: boolean
}

/** @returns whether every case agrees in every figure */
export async function conform(
  request: ConformRequest,
  print: (text: string) => void,
  progress: (text: string) => void,
): Promise<Result<boolean>> {
  const names = findCases(request.folder, request.cases)
  if (!names.ok) return names
  const results: CaseResult[] = []
  const skipped: string[] = []
  if (!request.json) print(tableHead())
  for (const [i, name] of names.value.entries()) {
    progress(`${i + 1}/${names.value.length} ${name}`)
    const result = await conformCase(request, name)
    if (!result.ok) return result
    if (result.value === undefined) skipped.push(name)
    else {
      results.push(result.value)
      if (!request.json) print(caseTable(result.value, request.all))
    }
  }
  const sums = totals(results)
  if (request.json)
    print(
      JSON.stringify({ format: 'pagewalk-conform', version: 1, cases: results, totals: sums, skipped }, undefined, 2),
    )
  else {
    print(`\n${totalsTable(sums)}`)
    if (skipped.length > 0) print(`not compared yet: ${skipped.length} cases of other kinds`)
  }
  return ok(results.every(caseAgrees))
}

/** undefined: the case's kind cannot be compared and nobody asked for it by name. */
async function conformCase(request: ConformRequest, name: string): Promise<Result<CaseResult | undefined>> {
  const truth = readCase(request.folder, name)
  if (!truth.ok) return truth
  const { traits, files } = truth.value
  if (!isComparable(traits) && request.cases.length === 0) return ok(undefined)
  const harness = readHarness(request.folder, traits.scenario)
  if (!harness.ok) return harness
  const base = { name, kind: traits.kind }
  try {
    const run = await runCase(truth.value, harness.value)
    if (request.out !== undefined) writeFiles(join(request.out, name), run.files)
    const verdicts = compareCase(files, run.files, traits)
    return ok({ ...base, fault: run.fault, verdicts, simulatedNs: run.simulatedNs })
  } catch (error) {
    // A violated assertion stops this machine only; the others still have to be compared.
    const fault = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    return ok({ ...base, fault, verdicts: compareCase(files, {}, traits), simulatedNs: 0 })
  }
}

function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    const target = join(folder, path)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, text)
  }
}
