/**
 * OOM reports in a kernel log → who asked, who died, who was weighed, and the report's layout with all that may differ
 * between two runs (numbers, names, free-list letters) made equal.
 * @spec 06 §6.5
 */
export interface OomVictim {
  readonly name: string
  readonly anonRssKib: number
  readonly adj: number
}

export interface OomReportText {
  readonly invoker: string
  readonly gfp: string
  readonly constraint: string
  /** oom-kill: line without pid and task names. */
  readonly domain: string
  /** One a kill, in order; a group kill has several. */
  readonly victims: readonly OomVictim[]
  /** Pages that the allocator still has: free and on per-CPU lists, KiB; undefined in a group's report. */
  readonly keptKib: number | undefined
  /** Names in the table of tasks. */
  readonly tasks: readonly string[]
  /** One normalised line for each printed line; rows of tasks once, the call trace as one line. */
  readonly layout: readonly string[]
}

const KILLED = /Killed process \d+ \(([^)]*)\).* anon-rss:(\d+)kB.* oom_score_adj:(-?\d+)/

export function parseOomLog(log: string): OomReportText[] {
  const reports: string[][] = []
  for (const raw of log.split('\n')) {
    const line = raw.replace(/^\[\s*\d+\.\d+\] ?/, '')
    if (/ invoked oom-killer: /.test(line)) reports.push([])
    if (line !== '') reports.at(-1)?.push(line)
  }
  return reports.map(parseReport)
}

function parseReport(lines: readonly string[]): OomReportText {
  const invoked = /^(.*) invoked oom-killer: gfp_mask=(\S+), order/.exec(lines[0]!)
  const decision = lines.find((l) => l.startsWith('oom-kill:')) ?? ''
  const kills = lines.map((l) => KILLED.exec(l)).filter((m) => m !== null)
  return {
    invoker: invoked?.[1] ?? '',
    gfp: invoked?.[2] ?? '',
    constraint: /constraint=(\w+)/.exec(decision)?.[1] ?? '',
    domain: decision.replace(/,task=.*$/, ''),
    victims: kills.map((m) => ({ name: m[1]!, anonRssKib: Number(m[2]), adj: Number(m[3]) })),
    keptKib: keptKib(lines),
    tasks: lines.map((l) => /^\[\s*\d+\]\s+\d+.*\s(\S+)$/.exec(l)?.[1]).filter((n) => n !== undefined),
    layout: layoutOf(lines),
  }
}

/** `free:1098 free_pcp:1376 free_cma:0`, in pages. */
function keptKib(lines: readonly string[]): number | undefined {
  const match = lines.map((l) => /^ free:(\d+) free_pcp:(\d+)/.exec(l)).find((m) => m !== null)
  return match === null || match === undefined ? undefined : (Number(match[1]) + Number(match[2])) * 4
}

/** Lines that a second report or a failed allocation adds do not belong to this report: it ends with the last kill. */
function layoutOf(lines: readonly string[]): string[] {
  const end = lines.findLastIndex((l) => KILLED.test(l))
  const out: string[] = []
  let inTrace = false
  for (const line of lines.slice(0, end + 1)) {
    if (line.startsWith('Tainted: [')) continue
    if (/^\s*<TASK>/.test(line)) inTrace = true
    const shape = inTrace ? ' <TASK> … </TASK>' : normalise(line)
    if (/^\s*<\/TASK>/.test(line)) inTrace = false
    if (!/^(?:task row| <TASK>)/.test(shape) || shape !== out.at(-1)) out.push(shape)
  }
  return out
}

function normalise(line: string): string {
  if (/^\[\s*\d+\]\s+\d+/.test(line)) return taskRow(line)
  return (
    line
      .replace(/^\S+ (invoked oom-killer)/, 'NAME $1')
      // A warning of the captured machine's emulator during boot taints its kernel; ours has none.
      .replace(/(?:Not tainted|Tainted: [A-Z ]+?) +(?=\d)/, 'TAINT ')
      .replace(/Comm: \S+/, 'Comm: NAME')
      .replace(/(Killed process \d+) \([^)]*\)/, '$1 (NAME)')
      .replace(/task=[^,]*/, 'task=NAME')
      .replace(/gfp_mask=\S+,/, 'gfp_mask=GFP,')
      .replace(/ \([UMEHCI]+\)/g, '')
      .replace(/0x[0-9a-f]+/g, 'X')
      .replace(/-?\d+(?:\.\d+)*/g, 'N')
      .replace(/ +N/g, ' N')
  )
}

/** Numbers are right-aligned: the columns where they end are the layout. */
function taskRow(line: string): string {
  const ends = [...line.matchAll(/-?\d+(?=[\]\s])/g)].map((m) => m.index + m[0].length)
  return `task row, numbers end in columns ${ends.join(' ')}`
}
