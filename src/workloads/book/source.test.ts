import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TaskMachine } from '../../../test/task-machine'
import { PROGRAMS } from '..'
import { BOOK } from '.'
import { define, format, printf } from './source'

const SOURCE = `#define MEBIBYTES 100
  printf("%-8s %6ld of %d%%\\n", a, b, c);
  printf("%p and %zu\\n", p, n);`

test('sizes and lines come out of the source', () => {
  expect(define(SOURCE, 'MEBIBYTES')).toBe(100)
  expect(() => define(SOURCE, 'PAGES')).toThrow('the source has no #define PAGES')
  expect(format(SOURCE, 1)).toBe('%p and %zu\n')
  expect(printf(SOURCE, 0, 'touched', 12, 50)).toEqual({ op: 'write', fd: 1, text: 'touched      12 of 50%\n' })
  expect(printf(SOURCE, 1, 0, 7)).toEqual({ op: 'write', fd: 1, text: '(nil) and 7\n' })
  expect(() => format(SOURCE, 2)).toThrow('the source has no printf number 2')
})

/** Runs a program of the book as it stands in the table. */
function simulated(name: string): { text: string; status: number } {
  const m = new TaskMachine({ mib: 512, programs: PROGRAMS })
  m.output = ''
  const status = m.waitFor(m.run([`${name}.c`]))
  return { text: m.output, status }
}

const hasCompiler = spawnSync('gcc', ['--version']).status === 0

/** What a line says without its numbers: those are the machine's. */
const shape = (text: string): string[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/ *\d+/g, ' N'))

describe.runIf(hasCompiler)('a source compiles without a warning, and prints what the simulated program prints', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pagewalk-book-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test.each(BOOK.map((b) => b.name))('%s', (name) => {
    const { source } = BOOK.find((b) => b.name === name)!
    writeFileSync(join(folder, `${name}.c`), source)
    execFileSync('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', name, `${name}.c`], { cwd: folder })
    const real = spawnSync(`./${name}`, { cwd: folder, encoding: 'utf8' })
    const ours = simulated(name)
    // What it complains of goes to stderr; the machine's output is both.
    expect(shape(ours.text)).toEqual(shape(real.stdout + real.stderr))
    const signals: Readonly<Record<string, number>> = { SIGSEGV: 139, SIGBUS: 135 }
    expect(ours.status).toBe(real.signal === null ? real.status : signals[real.signal])
  })
})

const faults = (text: string): number[] => [...text.matchAll(/minor faults: +(\d+)/g)].map((m) => Number(m[1]))

test('malloc of 100 MiB costs the fault of its header, and the other pages come with the first write', () => {
  const [before, allocated, touched, freed] = faults(simulated('fault_test').text)
  expect([allocated! - before!, touched! - allocated!, freed! - touched!]).toEqual([1, 25599, 0])
})

test('a child copies what it writes, not what it reads; its parent takes the pages back without a copy', () => {
  const counts = [...simulated('cow_test').text.matchAll(/(\d+) minor faults/g)].map((m) => Number(m[1]))
  expect(counts).toEqual([16384, 1, 16384, 0, 16384])
})

test('locked memory is there before the first write', () => {
  const [mapped, locked, written, unlocked] = faults(simulated('mlock_test').text)
  expect([locked! - mapped!, written! - locked!, unlocked! - written!]).toEqual([4096, 0, 0])
})

test('recursion ends within 8 MiB', () => {
  expect(simulated('stack_overflow').text.trimEnd().split('\n').at(-1)).toBe(' 112 frames,  7168 KiB of stack')
})

test('a write is free where pages are only aged, and a fault each where they went to swap or away', () => {
  const lines = simulated('advice_test').text.trimEnd().split('\n')
  const faults = lines.map((line) => Number(/written again: +(\d+)/.exec(line)![1]))
  // This machine has no swap: MADV_PAGEOUT finds no place for anonymous pages.
  expect(faults).toEqual([0, 0, 0, 0, 2048])
  expect(lines[3]).toContain('lazily free   8192 kB')
})
