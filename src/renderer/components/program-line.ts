/** A program's line as words, quotes taken off; enough for a program and its arguments, no shell. Pure. */
import type { Result } from '../../util/result'
import { ok, userError } from '../../util/result'

export function splitLine(line: string): Result<readonly string[]> {
  const words: string[] = []
  const pattern = /\s*((?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'])+)/y
  const text = line.trimEnd()
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text)
    if (!match)
      return userError(
        'program/quote',
        'program',
        'A quote is not closed.',
        'Close it, or start the line in a terminal.',
      )
    words.push(
      match[1]!.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g, (_, double, single) =>
        String(double ?? single).replace(/\\(.)/g, '$1'),
      ),
    )
  }
  if (words.length === 0)
    return userError('program/empty', 'program', 'No program is named.', 'For example: mm hog mb=200')
  const operator = words.find((word) => /^[|&;<>]+$/.test(word))
  if (operator)
    return userError(
      'program/shell',
      'program',
      `${operator} is the shell's.`,
      'Start one program here; a line of the shell goes into a terminal.',
    )
  return ok(words)
}

export interface ProgramIdea {
  readonly line: string
  readonly words: string
}

/** Programs of the machine that put memory under load. */
export const PROGRAM_IDEAS: readonly ProgramIdea[] = [
  { line: 'mm hog mb=200 rate=50 hold=-1', words: 'touches 200 MiB at 50 MiB/s and keeps them' },
  { line: 'stress --vm 1 --vm-bytes 100M --timeout 30s', words: 'takes and frees 100 MiB again and again' },
  { line: 'stress --vm 2 --vm-bytes 300M --vm-keep', words: 'two workers that keep 300 MiB each in use' },
  { line: 'python3 -c "x = [0] * (200 * 1024 * 1024 // 8)"', words: 'a list of 200 MiB, then the end' },
]
