/** The C programs of bench/: compiled with this machine's compiler into a temporary folder, run, and thrown away. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { benchFile } from './machine'

export type NativeResult =
  | { readonly ok: true; readonly numbers: Readonly<Record<string, readonly number[]>> }
  | { readonly ok: false; readonly why: string }

/**
 * Runs bench/<name>.c, which prints lines of a word and a number.
 * @returns all numbers by word, or why there are none
 */
export function runNative(name: string, args: readonly string[] = []): NativeResult {
  const source = benchFile(`${name}.c`)
  if (!existsSync(source)) return { ok: false, why: `${source} is not in this installation` }
  const folder = mkdtempSync(join(tmpdir(), 'pagewalk-bench-'))
  try {
    const program = join(folder, name)
    const compiled = spawnSync('cc', ['-O2', '-o', program, source], { encoding: 'utf8' })
    if (compiled.error !== undefined) return { ok: false, why: `no C compiler: ${compiled.error.message}` }
    if (compiled.status !== 0) return { ok: false, why: `cc: ${compiled.stderr.trim().split('\n')[0] ?? ''}` }
    const ran = spawnSync(program, [...args], { encoding: 'utf8' })
    if (ran.status !== 0) return { ok: false, why: `${name}: ${ran.stderr.trim() || `status ${ran.status}`}` }
    return { ok: true, numbers: parseNumbers(ran.stdout) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** 'ascending 512345.6' lines → { ascending: [512345.6, …] }. */
export function parseNumbers(text: string): Record<string, number[]> {
  const numbers: Record<string, number[]> = {}
  for (const line of text.split('\n')) {
    const match = /^(\S+) (\S+)$/.exec(line)
    if (match !== null) (numbers[match[1]!] ??= []).push(Number(match[2]))
  }
  return numbers
}
