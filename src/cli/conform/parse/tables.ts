/** The small tables that scenarios write: processes, exit lines, samples, /proc/meminfo. */

export interface ProcessRow {
  readonly pid: number
  readonly comm: string
  readonly oomScore: number
  readonly oomScoreAdj: number
}

/** procs-*.txt: 'pid comm oom_score oom_score_adj …' with a head line. */
export function parseProcesses(text: string): ProcessRow[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => /^(\d+) (\S+) (-?\d+) (-?\d+) /.exec(line))
    .filter((m) => m !== null)
    .map((m) => ({ pid: Number(m[1]), comm: m[2]!, oomScore: Number(m[3]), oomScoreAdj: Number(m[4]) }))
}

/** exit.txt and alive.txt without process numbers, sizes and copied log lines. */
export function parseExits(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !/^\d+:\[|^VmRSS|invoked oom-killer/.test(line))
    .map((line) =>
      line
        .replace(/^\d+ /, '')
        .replace(/\s*VmRSS:.*$/, '')
        .replace(/\s{2}\(137 with.*\)$/, ''),
    )
}

/** 'MemTotal:  990068 kB' → { MemTotal: 990068 } */
export function parseMeminfo(text: string): Record<string, number> {
  const out: Record<string, number> = {}
  for (const m of text.matchAll(/^(\S+):\s+(\d+)/gm)) out[m[1]!] = Number(m[2])
  return out
}

/** 'nr_free_pages 7545' → { nr_free_pages: 7545 } */
export function parseVmstat(text: string): Record<string, number> {
  const out: Record<string, number> = {}
  for (const m of text.matchAll(/^(\S+) (\d+)$/gm)) out[m[1]!] = Number(m[2])
  return out
}

/** Rows 'Node 0, zone DMA32 1 2 …' of node 0 → zone name → numbers. */
function zoneRows(text: string): Record<string, number[]> {
  const out: Record<string, number[]> = {}
  for (const m of text.matchAll(/^Node 0, zone +(\S+) (.*)$/gm)) out[m[1]!] = m[2]!.trim().split(/\s+/).map(Number)
  return out
}

/** Free blocks by order. */
export const parseBuddyinfo = zoneRows

/** Pages on the per-CPU lists of all CPUs, of a zone of node 0. */
export function parsePcpCount(zoneinfo: string, zone: string): number {
  const part = zoneinfo.split(/^Node /m).find((text) => text.trimStart().match(/^0, zone +(\S+)/)?.[1] === zone) ?? ''
  return [...part.matchAll(/^ +count: +(\d+)$/gm)].reduce((sum, m) => sum + Number(m[1]), 0)
}

/** extfrag_index and unusable_index, thousandths by order. */
export function parseIndex(text: string): Record<string, number[]> {
  const rows = zoneRows(text)
  return Object.fromEntries(Object.entries(rows).map(([zone, v]) => [zone, v.map((x) => Math.round(x * 1000))]))
}

/** series.tsv: column name → values. */
export function parseSeries(text: string): Record<string, number[]> {
  const [head = '', ...rows] = text.trimEnd().split('\n')
  const names = head.split('\t')
  const columns: Record<string, number[]> = Object.fromEntries(names.map((n) => [n, []]))
  for (const row of rows) {
    const cells = row.split('\t')
    for (const [i, name] of names.entries()) columns[name]!.push(Number(cells[i]))
  }
  return columns
}

/** 'read pass=0 bytes=268435456 ms=4136' → bytes of each pass. */
export const parseReadPasses = (text: string): number[] => [...text.matchAll(/bytes=(\d+)/g)].map((m) => Number(m[1]))
