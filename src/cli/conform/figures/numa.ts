/**
 * Memory policies: where the pages of each test lie, what was counted for them, and what zone_reclaim_mode did.
 * Test 09 asks for huge pages: only where its memory lies is compared.
 */
import type { CaseFiles, CaseTraits, Figure } from '../figure'

/** More is touched than the first node holds: amounts depend on what was free, see the table of bands. */
const SPILLS = /^(?:10|11|20|21)-/
const HUGE = /^09-/

const COUNTERS = ['numa_hit', 'numa_miss', 'numa_foreign', 'interleave_hit', 'other_node'] as const

export function numaFigures(files: CaseFiles, _traits: CaseTraits): Figure[] {
  const tests = Object.keys(files)
    .map((path) => /^numa\/((?:0|1|2)\d-[\w-]+)\.txt$/.exec(path)?.[1])
    .filter((name) => name !== undefined)
    .sort()
  const nodes = [...(files['nodes-start.txt'] ?? '').matchAll(/^== node(\d+)/gm)].map((m) => Number(m[1]))
  return [...tests.flatMap((name) => testFigures(files, name, nodes)), ...zoneReclaimFigures(files)]
}

function testFigures(files: CaseFiles, name: string, nodes: readonly number[]): Figure[] {
  const text = files[`numa/${name}.txt`] ?? ''
  const figures: Figure[] = [
    { name: `${name} says`, value: linesOf(text, name) },
    { name: `${name} nodes in use`, value: nodesInUse(text) },
  ]
  const place = SPILLS.test(name) ? 'spilled pages' : 'pages'
  for (const part of text.matchAll(/^(\w+) pages_per_node:(.*)$/gm)) {
    for (const nid of nodes)
      figures.push({ name: `${name} ${part[1]} ${place} N${nid}`, value: pagesOn(part[2]!, nid) })
  }
  if (HUGE.test(name)) return figures
  const delta = files[`numa/${name}.numastat-delta.txt`] ?? ''
  const value = (nid: number, counter: string): number =>
    Number(new RegExp(`^node${nid} ${counter} (-?\\d+)$`, 'm').exec(delta)?.[1] ?? 0)
  const kind = SPILLS.test(name) ? 'spilled calls' : 'calls'
  for (const nid of nodes) {
    for (const counter of COUNTERS)
      figures.push({ name: `${name} ${kind} N${nid} ${counter}`, value: value(nid, counter) })
  }
  return figures
}

const pagesOn = (perNode: string, nid: number): number => Number(new RegExp(` N${nid}=(\\d+)`).exec(perNode)?.[1] ?? 0)

/** Everything a test prints but addresses, counts by node and the age of pages. */
function linesOf(text: string, name: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !/pages_per_node/.test(line) && !(HUGE.test(name) && / first16: /.test(line)))
    .map((line) =>
      line
        .replace(/^numa_maps: [0-9a-f]+/, 'numa_maps: ADDRESS')
        .replace(/ active=\d+/, '')
        .replace(/ N\d+=\d+/g, ''),
    )
}

const nodesInUse = (text: string): string =>
  [...text.matchAll(/pages_per_node:(.*) absent/g)]
    .map((m) => [...m[1]!.matchAll(/ (N\d+)=/g)].map((n) => n[1]).join(' '))
    .join(' then ')

/** What test 21 added to the counters of reclaim. */
function zoneReclaimFigures(files: CaseFiles): Figure[] {
  const before = files['numa/zr1-vmstat-before.txt']
  const after = files['numa/zr1-vmstat-after.txt']
  if (before === undefined || after === undefined) return []
  const read = (text: string, counter: string): number =>
    Number(new RegExp(`^${counter} (\\d+)$`, 'm').exec(text)?.[1] ?? 0)
  const added = (counter: string): number => read(after, counter) - read(before, counter)
  const success = added('zone_reclaim_success')
  return [
    { name: 'zone_reclaim_success', value: success },
    { name: 'zone_reclaim_failed', value: added('zone_reclaim_failed') },
    { name: 'zone_reclaim pages a success', value: success === 0 ? 0 : added('pgsteal_direct') / success },
    { name: 'zone_reclaim pages scanned in vain', value: added('pgscan_direct') - added('pgsteal_direct') },
    { name: 'zone_reclaim pageoutrun', value: added('pageoutrun') },
  ]
}
