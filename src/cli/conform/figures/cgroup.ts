/** What a cgroup's files say at the end of a lab, and the kills inside it. */
import type { CaseFiles, CaseTraits, Figure } from '../figure'
import { keyed, numberIn, parseCgroupDump, type CgroupDump } from '../parse/cgroup'
import { parseOomLog } from '../parse/oom-log'
import { parseExits, parseReadPasses, parseSeries } from '../parse/tables'
import { reportFigures } from './oom'

const MIB = 1024 * 1024

export function cgroupFigures(files: CaseFiles, traits: CaseTraits): Figure[] {
  const figures: Figure[] = []
  for (const path of Object.keys(files)
    .filter((p) => /^cg[^/]*\/\w+\.txt$/.test(p))
    .sort()) {
    figures.push(...dumpFigures(parseCgroupDump(files[path]!), path.replace(/\.txt$/, '')))
  }
  for (const name of ['exit.txt', 'alive.txt']) {
    if (files[name] !== undefined)
      figures.push({ name: name.replace('.txt', ' lines'), value: parseExits(files[name]) })
  }
  if (files['read.txt'] !== undefined)
    figures.push({ name: 'bytes of each read pass', value: parseReadPasses(files['read.txt']).join(' ') })
  if (files['subtree_control'] !== undefined)
    figures.push({
      name: 'memory in subtree_control',
      value: /\bmemory\b/.test(files['subtree_control']) ? 'yes' : 'no',
    })
  if (traits.lab === 'high') figures.push(...brakeFigures(files['series.tsv'] ?? ''))
  figures.push(...reportFigures(parseOomLog(files['dmesg-oom.txt'] ?? ''), traits))
  return figures
}

function dumpFigures(dump: CgroupDump, at: string): Figure[] {
  const figures: Figure[] = []
  const add = (name: string, value: number | undefined): void => {
    if (value !== undefined) figures.push({ name: `${at} ${name}`, value })
  }
  add('memory.current', numberIn(dump, 'memory.current'))
  add('memory.peak', numberIn(dump, 'memory.peak'))
  add('memory.swap.peak', numberIn(dump, 'memory.swap.peak'))
  for (const [name, count] of Object.entries(keyed(dump.files['memory.events']))) add(`events ${name}`, count)
  for (const name of ['memory.min', 'memory.low', 'memory.high', 'memory.max', 'memory.oom.group', 'memory.swap.max']) {
    const value = dump.files[name]
    if (value !== undefined) figures.push({ name: `${at} ${name}`, value })
  }
  const stat = dump.files['memory.stat']
  if (stat !== undefined)
    figures.push({ name: `${at} memory.stat keys`, value: stat.split('\n').map((l) => l.split(' ')[0]!) })
  return figures
}

/** memory.high as a brake: how many high events it took to get as far as each usage. */
function brakeFigures(series: string): Figure[] {
  const columns = parseSeries(series)
  const usage = columns['a/memory.current'] ?? []
  const events = columns['a/memory.events:high'] ?? []
  return [54, 56, 58].flatMap((mib) => {
    const i = usage.findIndex((bytes) => bytes >= mib * MIB)
    return i < 0 ? [] : [{ name: `high events when usage passes ${mib} MiB`, value: events[i]! }]
  })
}
