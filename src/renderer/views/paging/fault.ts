/** Accesses by hand: the file that makes them as rows, a person's guess, and outcomes in words. Pure. */
import type { FaultPrediction, TouchMode } from '../../../protocol/paging'
import { formatCount, formatDuration, joinFigure } from '../../format'

export const ACCESSES: readonly { readonly mode: TouchMode; readonly title: string }[] = [
  { mode: 'read', title: 'Read' },
  { mode: 'write', title: 'Write' },
  { mode: 'exec', title: 'Execute' },
]

export interface Decision {
  readonly by: string
  readonly text: string
}

/** One access that was made, as /sys/kernel/debug/pagewalk/touch says it. */
export interface Touched {
  readonly id: number
  readonly pid: number
  readonly address: string
  readonly access: string
  /** 'none', 'minor', 'major', 'signal', 'waiting', 'killed' */
  readonly outcome: string
  readonly predicted: string
  /** 11 SIGSEGV, 7 SIGBUS; 0 none. */
  readonly signo: number
  readonly code: number
  /** Page tables made, and pages by kind: negative when they went. */
  readonly tables: number
  readonly rss: { readonly anon: number; readonly file: number; readonly shmem: number; readonly swap: number }
  readonly costNs: number
  readonly decisions: readonly Decision[]
}

/** All accesses that the file remembers, oldest first. */
export function parseTouches(text: string): readonly Touched[] {
  const touches: Touched[] = []
  let decisions: Decision[] = []
  for (const line of text.split('\n')) {
    const step = /^ {2}([^:]+): (.*)$/.exec(line)
    if (step) {
      decisions.push({ by: step[1]!, text: step[2]! })
      continue
    }
    const id = /^(\d+) /.exec(line)?.[1]
    if (id === undefined) continue
    decisions = []
    touches.push(headOf(Number(id), line, decisions))
  }
  return touches
}

function headOf(id: number, line: string, decisions: readonly Decision[]): Touched {
  const values = new Map(line.split(' ').map((word) => word.split('=', 2) as [string, string]))
  const word = (key: string): string => values.get(key) ?? ''
  const number = (key: string): number => Number(values.get(key) ?? 0)
  return {
    id,
    pid: number('pid'),
    address: word('address'),
    access: word('access'),
    outcome: word('outcome'),
    predicted: word('predicted'),
    signo: number('signo'),
    code: number('code'),
    tables: number('tables'),
    rss: { anon: number('anon'), file: number('file'), shmem: number('shmem'), swap: number('swap') },
    costNs: number('cost_ns'),
    decisions,
  }
}

/** What the file takes: the same line in a shell. */
export const touchText = (pid: number, address: string, access: TouchMode): string =>
  `pid=${pid} address=${address} access=${access}`

/** Why a line may be refused, where the kernel log says nothing. */
export const touchRefused = (text: string): string => `${text} names no access that can be made.`

export const OUTCOMES = ['none', 'minor', 'major', 'SIGSEGV', 'SIGBUS'] as const
export type Outcome = (typeof OUTCOMES)[number]
export const OUTCOME_TITLES: Readonly<Record<Outcome, string>> = {
  none: 'no fault',
  minor: 'minor fault',
  major: 'major fault',
  SIGSEGV: 'SIGSEGV',
  SIGBUS: 'SIGBUS',
}

const FILLS: Readonly<Record<string, string>> = {
  none: '',
  'zero-page': 'Only read so far: the shared zero page serves, and no frame is taken.',
  anonymous:
    'The page existed only as a promise of the mapping. This write makes the kernel keep it: one zeroed frame, no disk.',
  'huge-page': 'The mapping covers these 2 MiB as a whole: one zeroed huge page, and one entry instead of 512.',
  'pool-page': 'The mapping is of huge pages: a whole one comes from the pool, promised when the mapping was made.',
  copy: 'Somebody else sees the same frame: the write gets a copy of its own.',
  reuse: 'Nobody else has the frame any more: it becomes writable where it is.',
  'make-dirty': 'A shared page becomes writable, and its file dirty: writeback will bring it to the disk.',
  'fault-around': 'The page cache has it, and its neighbours: up to 16 pages are mapped by this one fault.',
  'page-cache': 'The page cache has it: it is mapped, no disk.',
  'file-read': 'The page cache has not got it: the task waits for the device.',
  'file-copy': 'A private mapping of a file: the write gets a copy, the file never sees it.',
  'shmem-new': 'A hole of tmpfs: one zeroed frame that belongs to the file.',
  'shmem-swap': 'The page of tmpfs was swapped out and comes back.',
  'swap-cache': 'The page is on its way out or was read ahead: the swap cache still has it, no disk.',
  'swap-read': 'The page is on the swap device: the task waits until it is read.',
  sigbus: 'The file ends before this page, or the pool of huge pages is empty.',
}

/** Heading and sentence of what an access would do. */
export function verdictOf({ outcome, fill, siginfo }: FaultPrediction): readonly [string, string] {
  const title = OUTCOME_TITLES[outcome]
  if (outcome === 'none')
    return ['No fault', 'The entry is there and allows it: the hardware is done, the kernel hears nothing.']
  const heading = `${title.charAt(0).toUpperCase()}${title.slice(1)}${outcome === 'SIGSEGV' ? `, ${codeName(siginfo?.code ?? 0)}` : ''}`
  if (outcome === 'SIGSEGV') return [heading, SEGV_WORDS[siginfo?.code ?? 0] ?? '']
  return [heading, FILLS[fill] ?? '']
}

const SEGV_MAPERR = 1
const SEGV_ACCERR = 2
const codeName = (code: number): string =>
  code === SEGV_MAPERR ? 'SEGV_MAPERR' : code === SEGV_ACCERR ? 'SEGV_ACCERR' : 'SI_KERNEL'
const SEGV_WORDS: Readonly<Record<number, string>> = {
  [SEGV_MAPERR]: 'No mapping covers the address: the process is killed, unless it catches the signal.',
  [SEGV_ACCERR]: 'The mapping does not allow this access: the process is killed, unless it catches the signal.',
  128: 'Not an address at all: the processor stops before the page tables, the kernel can only kill.',
}

/** What an access that was made came to. */
export function doneText(
  { outcome, signo, code }: Touched,
  made: FaultPrediction | undefined,
): readonly [string, string] {
  switch (outcome) {
    case 'none':
      return [
        'No fault',
        'The entry was there: the kernel heard nothing. Accessed is set now, and after a write dirty.',
      ]
    case 'signal':
      return signo === 7
        ? ['SIGBUS', 'The process dies of it when it next runs.']
        : [`SIGSEGV, ${codeName(code)}`, 'The process dies of it when it next runs.']
    case 'waiting':
      return ['Waiting for the device', 'Let the clock run: the access is made again when the page is there.']
    case 'killed':
      return ['Killed before it was done', 'The process ended while its access waited.']
    default:
      return [
        outcome === 'major' ? 'Major fault' : 'Minor fault',
        FILLS[made?.fill ?? ''] ?? 'The handler ran, and the access went through.',
      ]
  }
}

/** 'Right.' or 'Not this time: minor fault.' */
export const guessText = (guess: Outcome, truth: Outcome): string =>
  guess === truth ? `Right: ${OUTCOME_TITLES[truth]}.` : `Not this time: ${OUTCOME_TITLES[truth]}.`

const signed = (n: number): string => (n < 0 ? `\u2212${formatCount(-n)}` : `+${formatCount(n)}`)

/** What changed hands: 'RssAnon +1', '3 page tables'. Nothing: an empty list. */
export function changes(of: {
  readonly tables: number
  readonly rss: { readonly anon: number; readonly file: number; readonly shmem: number; readonly swap: number }
}): readonly string[] {
  const { tables, rss } = of
  const names = [
    ['RssAnon', rss.anon],
    ['RssFile', rss.file],
    ['RssShmem', rss.shmem],
    ['VmSwap', rss.swap],
    ['page tables', tables],
  ] as const
  return names.filter(([, n]) => n !== 0).map(([name, n]) => `${name} ${signed(n)}`)
}

/** Pages that a prediction or a touch adds to the memory cgroup. */
export const chargedText = (pages: number, cgroup: string): string =>
  pages > 0 ? `${formatCount(pages)} ${pages === 1 ? 'page' : 'pages'} charged to ${cgroup}` : 'nothing is charged'

/** Of the time that an access took: what its kind of fault always takes, and what came on top. */
export function costParts(
  costNs: number,
  handlerNs: number,
): readonly { readonly title: string; readonly ns: number; readonly text: string; readonly mark: string }[] {
  const rows = [
    { title: 'handler', ns: Math.min(handlerNs, costNs), mark: 'handler' },
    { title: 'tables, allocation', ns: costNs - Math.min(handlerNs, costNs), mark: 'around' },
  ]
  return rows.filter(({ ns }) => ns > 0).map((row) => ({ ...row, text: joinFigure(formatDuration(row.ns)) }))
}
