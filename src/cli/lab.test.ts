import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Lab } from '../labs'
import { LABS, readLab, solve } from './lab'

const labOf = (name: string): Lab => {
  const loaded = readLab(join(LABS, name))
  if (!loaded.ok) throw new Error(`${loaded.error.where}: ${loaded.error.message} ${loaded.error.fix}`)
  return loaded.value
}

const CASES = readdirSync(LABS).flatMap((name) => labOf(name).document.seeds.map((seed) => [name, seed] as const))

/** What `pagewalk lab check LAB` prints. The command's bundle runs labs three to eight times as fast as this file would. */
const outputs = new Map<string, Promise<string>>()
const checked = (name: string): Promise<string> => {
  const known = outputs.get(name)
  if (known !== undefined) return known
  const output = new Promise<string>((done) => {
    execFile(process.execPath, ['scripts/pagewalk.mjs', 'lab', 'check', name], (_, stdout, stderr) => {
      done(stdout.includes('seed ') ? stdout : stderr)
    })
  })
  outputs.set(name, output)
  return output
}

/** The line of a seed and the faults that stand below it. */
const linesOf = (output: string, name: string, seed: number): string =>
  new RegExp(`^${name} seed ${seed}: .*\n(  .*\n)*`, 'm').exec(output)?.[0] ?? output

test.each(CASES)(
  '%s with seed %d solves itself: no check holds before its solution, each does after it',
  async (name, seed) => {
    expect(linesOf(await checked(name), name, seed)).toBe(`${name} seed ${seed}: solves itself\n`)
  },
)

test.each(readdirSync(LABS))('%s is called as its folder', (name) => expect(labOf(name).document.id).toBe(name))

test('a step that is done before its turn, or not by its solution, is found', async () => {
  const lab = labOf('02-oom-in-a-cgroup')
  const [why, make] = lab.document.steps
  const changed = (solution: string): Lab => ({
    ...lab,
    document: { ...lab.document, steps: [why!, { ...make!, solution }] },
  })
  expect(await solve(changed('true'), 1)).toEqual(['make-group: The group test_oom is there: seen no such file'])
  const early = { ...lab, document: { ...lab.document, setup: 'mkdir /sys/fs/cgroup/test_oom', steps: [why!, make!] } }
  expect(await solve(early, 1)).toEqual(['make-group: done before its turn'])
})
