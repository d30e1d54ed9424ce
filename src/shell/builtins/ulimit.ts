/**
 * ulimit: shows the shell's resource limits, and sets those of the shell and of all that it starts from then on, as
 * bash 5.2 does. What is shown comes out of /proc/<pid>/limits.
 */
import type { Rlimit } from '../../engine/rlimit'
import type { Proc } from '../process'
import { writeTo } from '../stream'
import { refuse, say } from './say'

interface Row {
  readonly letter: string
  readonly title: string
  /** What a number on the command line counts. */
  readonly unit: string
  readonly factor: number
  /** Row of /proc/<pid>/limits; '' = what is shown never changes. */
  readonly file: string
  readonly fixed?: string
  /** Absent: this machine has no such limit to set. */
  readonly limit?: Rlimit
}

/** In bash's order. @kernel include/uapi/asm-generic/resource.h */
const ROWS: readonly Row[] = [
  { letter: 'R', title: 'real-time non-blocking time', unit: 'microseconds', factor: 1, file: 'Max realtime timeout' },
  { letter: 'c', title: 'core file size', unit: 'blocks', factor: 1024, file: 'Max core file size', limit: 'core' },
  { letter: 'd', title: 'data seg size', unit: 'kbytes', factor: 1024, file: 'Max data size', limit: 'data' },
  { letter: 'e', title: 'scheduling priority', unit: '', factor: 1, file: 'Max nice priority' },
  { letter: 'f', title: 'file size', unit: 'blocks', factor: 1024, file: 'Max file size', limit: 'fsize' },
  { letter: 'i', title: 'pending signals', unit: '', factor: 1, file: 'Max pending signals' },
  {
    letter: 'l',
    title: 'max locked memory',
    unit: 'kbytes',
    factor: 1024,
    file: 'Max locked memory',
    limit: 'memlock',
  },
  { letter: 'm', title: 'max memory size', unit: 'kbytes', factor: 1024, file: 'Max resident set', limit: 'rss' },
  { letter: 'n', title: 'open files', unit: '', factor: 1, file: 'Max open files', limit: 'nofile' },
  { letter: 'p', title: 'pipe size', unit: '512 bytes', factor: 1, file: '', fixed: '8' },
  { letter: 'q', title: 'POSIX message queues', unit: 'bytes', factor: 1, file: 'Max msgqueue size' },
  { letter: 'r', title: 'real-time priority', unit: '', factor: 1, file: 'Max realtime priority' },
  { letter: 's', title: 'stack size', unit: 'kbytes', factor: 1024, file: 'Max stack size', limit: 'stack' },
  { letter: 't', title: 'cpu time', unit: 'seconds', factor: 1, file: 'Max cpu time', limit: 'cpu' },
  { letter: 'u', title: 'max user processes', unit: '', factor: 1, file: 'Max processes', limit: 'nproc' },
  { letter: 'v', title: 'virtual memory', unit: 'kbytes', factor: 1024, file: 'Max address space', limit: 'as' },
  { letter: 'x', title: 'file locks', unit: '', factor: 1, file: 'Max file locks' },
]

const USAGE = 'ulimit: usage: ulimit [-SHabcdefiklmnpqrstuvxPRT] [limit]'

/** Soft and hard value of a row as the file has them: bytes or 'unlimited'. */
function valuesOf(proc: Proc, row: Row): { readonly soft: string; readonly hard: string } {
  if (row.fixed !== undefined) return { soft: row.fixed, hard: row.fixed }
  const read = proc.sys.read(proc.pid, `/proc/${proc.pid}/limits`)
  const line = (read.ok ? read.value : '').split('\n').find((text) => text.startsWith(row.file.padEnd(25))) ?? ''
  const [soft = '', hard = ''] = line.slice(26).trim().split(/\s+/)
  return { soft, hard }
}

const shown = (row: Row, value: string): string =>
  value === 'unlimited' ? value : String(Math.floor(Number(value) / row.factor))

/** `stack size                  (kbytes, -s) ` */
function heading({ title, unit, letter }: Row): string {
  const bracket = unit === '' ? `(-${letter}) ` : `(${unit}, -${letter}) `
  return `${title.padEnd(20)} ${bracket.padStart(20)}`
}

/** What a word asks for, in the limit's own unit; undefined: no number. */
function wanted(proc: Proc, row: Row, word: string): number | 'unlimited' | undefined {
  if (word === 'unlimited') return word
  if (word === 'hard' || word === 'soft') {
    const value = valuesOf(proc, row)[word]
    return value === 'unlimited' ? value : Number(value)
  }
  return /^\d+$/.test(word) ? Number(word) * row.factor : undefined
}

interface Asked {
  readonly rows: readonly Row[]
  readonly words: readonly string[]
  readonly isSoft: boolean
  readonly isHard: boolean
  readonly isAll: boolean
}

/** @returns the option that is none */
function parse(args: readonly string[]): Asked | string {
  const rows: Row[] = []
  const words: string[] = []
  let [isSoft, isHard, isAll] = [false, false, false]
  for (const arg of args) {
    if (!arg.startsWith('-') || arg === '-') {
      words.push(arg)
      continue
    }
    for (const letter of arg.slice(1)) {
      const row = ROWS.find((r) => r.letter === letter)
      if (letter === 'S') isSoft = true
      else if (letter === 'H') isHard = true
      else if (letter === 'a') isAll = true
      else if (row === undefined) return `-${letter}`
      else rows.push(row)
    }
  }
  return { rows: rows.length === 0 ? ROWS.filter((r) => r.letter === 'f') : rows, words, isSoft, isHard, isAll }
}

async function set(proc: Proc, row: Row, word: string, { isSoft, isHard }: Asked): Promise<number> {
  const value = wanted(proc, row, word)
  if (value === undefined) return refuse(proc, `ulimit: ${word}: invalid number`)
  if (row.limit === undefined) return refuse(proc, `ulimit: ${row.title}: cannot be limited on this machine`)
  const both = isSoft === isHard
  const done = proc.sys.command({
    kind: 'setRlimit',
    pid: proc.pid,
    limit: row.limit,
    ...(both || isSoft ? { soft: value } : {}),
    ...(both || isHard ? { hard: value } : {}),
  })
  if (done.ok) return 0
  const why = done.error.errno === 'EPERM' ? 'Operation not permitted' : 'Invalid argument'
  return refuse(proc, `ulimit: ${row.title}: cannot modify limit: ${why}`)
}

export async function ulimit(proc: Proc, args: readonly string[]): Promise<number> {
  const asked = parse(args)
  if (typeof asked === 'string') {
    await refuse(proc, `ulimit: ${asked}: invalid option`)
    await writeTo(proc, proc.fds.get(2), `${USAGE}\n`)
    return 2
  }
  const kind = asked.isHard && !asked.isSoft ? 'hard' : 'soft'
  const rows = asked.isAll ? ROWS : asked.rows
  const [word] = asked.words
  if (word !== undefined && !asked.isAll) {
    for (const row of rows) {
      const status = await set(proc, row, word, asked)
      if (status !== 0) return status
    }
    return 0
  }
  const isLong = rows.length > 1
  for (const row of rows) await say(proc, `${isLong ? heading(row) : ''}${shown(row, valuesOf(proc, row)[kind])}\n`)
  return 0
}
