import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readCase, readHarness } from './cases'
import { compareCase } from './report'
import { runCase } from './run-case'

const TRUTH = 'test/captures/truth'

/** Kinds that have to agree in every figure; repeats of one case would run the same simulation again. */
const CASES = readdirSync(TRUTH).filter(
  (name) =>
    /^(?:static-|fault-|cg-oom|cg-oomgroup|cg-adj|oom-|numa-|frag-|pressure-)/.test(name) && !/-r\d$/.test(name),
)

/**
 * Figures that differ, with the reason. A figure that comes to agree fails here too, so that its line goes.
 * frag-1g-keep2-hpfirst: in the capture kcompactd worked while the files were read (compact_daemon_migrate_scanned, which
 *   it adds when a run ends, is 51712 in the next stage): from buddyinfo to pagetypeinfo, which is read next, 256 single
 *   pages are gone, and when unusable_index is read there is a block of order 10.
 * frag-1g-keep4-pipes: 10.7k pages are left beside 300 huge ones, and 14k still wait on per-CPU lists, which give up an
 *   eighth a second. The captured machine, twenty times slower (12.6–29 µs a first write), had had those seconds: 4.4k.
 *   With seven more of them before compact_memory 157 blocks of order 10 come of it here; the capture has 158.
 */
const DIFFERS: Readonly<Record<string, readonly string[]>> = {
  'frag-1g-keep2-hpfirst': ['3-hugepages-direct: unusable_index follows from buddyinfo'],
  'frag-1g-keep4-pipes': ['huge pages: stalls'],
  // Where in kswapd's saw-tooth of 4000 pages the hog ends; the course of both is the same.
  'pressure-nr-file-only': ['pages stolen'],
}

test('there is a case of each of these kinds', () => {
  expect(CASES.length).toBeGreaterThanOrEqual(42)
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
      const unknown = differing.filter((v) => DIFFERS[name]?.includes(v.figure) !== true)
      expect(unknown.map((v) => `${v.figure}: real ${v.real}, simulated ${v.simulated}, band ${v.band}`)).toEqual([])
      expect(differing.map((v) => v.figure)).toEqual(DIFFERS[name] ?? [])
    },
    240_000,
  )
})
