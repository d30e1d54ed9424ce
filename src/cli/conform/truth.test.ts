import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readCase, readHarness } from './cases'
import { compareCase } from './report'
import { runCase } from './run-case'

const TRUTH = 'test/captures/truth'

/** Kinds that have to agree in every figure; repeats of one case would run the same simulation again. */
const CASES = readdirSync(TRUTH).filter(
  (name) => /^(?:static-|cg-oom|cg-oomgroup|cg-adj|oom-|numa-)/.test(name) && !/-r\d$/.test(name),
)

test('there is a case of each of these kinds', () => {
  expect(CASES.length).toBeGreaterThanOrEqual(31)
})

describe('the script of a captured case does here what it did on the real kernel', () => {
  test.each(CASES)(
    '%s',
    async (name) => {
      const truth = readCase(TRUTH, name)
      if (!truth.ok) throw new Error(truth.error.message)
      const harness = readHarness(TRUTH, truth.value.traits.scenario)
      if (!harness.ok) throw new Error(harness.error.message)
      const run = await runCase(truth.value, harness.value)
      expect(run.fault).toBe('')
      const verdicts = compareCase(truth.value.files, run.files, truth.value.traits)
      const differing = verdicts.filter((v) => !v.agrees)
      expect(differing.map((v) => `${v.figure}: real ${v.real}, simulated ${v.simulated}, band ${v.band}`)).toEqual([])
    },
    240_000,
  )
})
