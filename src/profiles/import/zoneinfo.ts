/** /proc/zoneinfo → numbers. Layout: spec 09 §9.5; 6.1, 6.12 and later ones differ only by lines that are absent. */
import { ok, userError, type Result } from '../../util/result'
import type { Pages, Pfn } from '../../util/units'

export interface ZonePageset {
  readonly cpu: number
  count: number
  high: number
  batch: number
  highMin?: number
  highMax?: number
}

export interface ZoneText {
  readonly nid: number
  readonly name: string
  free: Pages
  boost: Pages
  min: Pages
  low: Pages
  high: Pages
  /** Absent on 6.1. */
  promo?: Pages
  spanned: Pages
  present: Pages
  managed: Pages
  protection: number[]
  /** nr_* and numa_* lines of the zone. */
  counters: Record<string, number>
  /** Of the node; only in its first populated zone. */
  nodeCounters: Record<string, number>
  pagesets: ZonePageset[]
  /** Absent when the zone is not populated. */
  startPfn?: Pfn
}

const FIELDS = ['free', 'boost', 'min', 'low', 'high', 'promo', 'spanned', 'present', 'managed'] as const
const NEEDED = ['free', 'min', 'low', 'high', 'spanned', 'present', 'managed'] as const
const PAGESET_KEYS: Readonly<Record<string, 'count' | 'high' | 'batch' | 'highMin' | 'highMax'>> = {
  count: 'count',
  high: 'high',
  batch: 'batch',
  high_min: 'highMin',
  high_max: 'highMax',
}

interface Draft {
  readonly zone: ZoneText
  readonly seen: Set<string>
  readonly line: number
}

/** @param where  'capture: base/zoneinfo', for messages */
export function parseZoneinfo(text: string, where: string): Result<ZoneText[]> {
  const drafts: Draft[] = []
  const lines = text.split('\n')
  for (const [index, line] of lines.entries()) {
    const head = /^Node (\d+), zone\s+(\w+)\s*$/.exec(line)
    if (head) {
      drafts.push({ zone: emptyZone(Number(head[1]), head[2]!), seen: new Set(), line: index + 1 })
      continue
    }
    const draft = drafts.at(-1)
    if (draft) readLine(draft, line)
    else if (line.trim() !== '') {
      return userError(
        'import/zoneinfo',
        `${where}: line ${index + 1}`,
        `'${line.slice(0, 40)}' is not the start of a zoneinfo.`,
        "The first line is like 'Node 0, zone      DMA'.",
      )
    }
  }
  const torn = drafts.find((d) => missingLine(d) !== undefined)
  if (torn) {
    return userError(
      'import/truncated',
      `${where}: line ${torn.line}`,
      `Zone ${torn.zone.name} of node ${torn.zone.nid} has no '${missingLine(torn)}' line: the file is cut off or altered.`,
      'Take the capture again and copy the whole file.',
    )
  }
  if (drafts.length === 0)
    return userError(
      'import/zoneinfo',
      where,
      'There is no zone in it.',
      "The first line is like 'Node 0, zone      DMA'.",
    )
  return ok(drafts.map((d) => d.zone))
}

function emptyZone(nid: number, name: string): ZoneText {
  return {
    nid,
    name,
    free: 0,
    boost: 0,
    min: 0,
    low: 0,
    high: 0,
    spanned: 0,
    present: 0,
    managed: 0,
    protection: [],
    counters: {},
    nodeCounters: {},
    pagesets: [],
  }
}

function readLine({ zone, seen }: Draft, line: string): void {
  const cpu = /^\s+cpu: (\d+)/.exec(line)
  if (cpu) {
    zone.pagesets.push({ cpu: Number(cpu[1]), count: 0, high: 0, batch: 0 })
    return
  }
  const protection = /^\s+protection: \(([\d, ]+)\)/.exec(line)
  if (protection) {
    zone.protection = protection[1]!.split(',').map(Number)
    seen.add('protection')
    return
  }
  const pair = /^\s+(?:pages )?(\w+):?\s+(\d+)\s*$/.exec(line)
  if (!pair) return
  const key = pair[1]!
  const value = Number(pair[2])
  const pageset = zone.pagesets.at(-1)
  const pagesetKey = PAGESET_KEYS[key]
  if (pageset && pagesetKey) pageset[pagesetKey] = value
  else if (key === 'start_pfn') zone.startPfn = value
  else if ((FIELDS as readonly string[]).includes(key)) zone[key as (typeof FIELDS)[number]] = value
  else if (/^(?:nr_|numa_|pg|workingset_)/.test(key))
    (seen.has('protection') ? zone.counters : zone.nodeCounters)[key] = value
  else return
  seen.add(key)
}

function missingLine({ zone, seen }: Draft): string | undefined {
  const missing = NEEDED.find((name) => !seen.has(name))
  if (missing !== undefined) return missing
  if (!seen.has('protection')) return 'protection'
  return zone.present > 0 && zone.startPfn === undefined ? 'start_pfn' : undefined
}
