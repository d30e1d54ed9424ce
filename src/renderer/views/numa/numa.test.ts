import { describe, expect, test } from 'vitest'
import type { NumaNode, NumaProcess, NumaReply } from '../../../protocol/numa'
import { addTraffic, linePoints, listText, pressureText, ratesOf, remoteShare } from './numa'

const node = (nid: number, free: number): NumaNode => ({
  nid,
  cpus: [nid],
  tier: 4,
  distances: [10, 20],
  order: [nid, 1 - nid],
  total: 10_000,
  free,
  anon: 0,
  file: 0,
  slab: 0,
  zones: [{ name: 'Normal', free, min: 100, low: 125, high: 150 }],
  hit: 0,
  miss: 0,
  foreign: 0,
  interleaveHit: 0,
  local: 100 * (nid + 1),
  other: 0,
  kswapdRuns: false,
  demoted: 0,
  promoted: 0,
})

const process = (part: Partial<NumaProcess>): NumaProcess => ({
  pid: 7,
  comm: 'db',
  cpu: 0,
  nid: 0,
  policy: 'default',
  ownPolicies: 0,
  mems: [0, 1],
  bound: [],
  pages: [300, 100],
  preferredNid: -1,
  scanPeriodMs: 0,
  faults: 0,
  migrated: 0,
  ...part,
})

const reply = (part: Partial<NumaReply> = {}): NumaReply => ({
  atNs: 1e9,
  nodes: [node(0, 120), node(1, 9000)],
  processes: [],
  balancing: { mode: 1, pteUpdates: 0, hintFaults: 0, hintFaultsLocal: 0, pagesMigrated: 0, migrateFailed: 0 },
  zoneReclaimMode: 0,
  demotionEnabled: false,
  ...part,
})

describe('free memory and yet pressure', () => {
  test.each([
    ['a node above its mark is not short', reply(), 1, /^$/],
    ['it spills', reply(), 0, /spill to node 1, as numa_miss there/],
    ['a policy holds it', reply({ processes: [process({ bound: [0] })] }), 0, /db \(7\) is bound here/],
    ['a cpuset holds it', reply({ processes: [process({ mems: [0] })] }), 0, /kept here by cpuset.mems/],
    ['the sysctl reclaims first', reply({ zoneReclaimMode: 1 }), 0, /zone_reclaim_mode is 1/],
    ['a mask of all nodes confines nobody', reply({ processes: [process({ bound: [0, 1] })] }), 0, /spill/],
  ])('%s', (_name, of, nid, wanted) => {
    expect(pressureText(of, nid)).toMatch(wanted)
  })
})

describe('traffic', () => {
  test('rates are calls between two looks over their time', () => {
    const later = reply({ atNs: 3e9, nodes: [{ ...node(0, 1), local: 300 }, node(1, 1)] })
    const samples = addTraffic(addTraffic([], reply()), later)
    expect(ratesOf(samples)).toEqual([{ atNs: 3e9, local: [100, 0], other: [0, 0], miss: [0, 0] }])
  })

  test('a look from the past starts anew, the same look twice is one', () => {
    const samples = addTraffic([], reply())
    expect(addTraffic(samples, reply())).toBe(samples)
    expect(addTraffic(samples, reply({ atNs: 5 }))).toHaveLength(1)
  })

  test('a line needs two values', () => {
    expect(linePoints([1], 1)).toBe('')
    expect(linePoints([0, 2], 2)).toBe('0.0000,1.0000 1.0000,0.0000')
  })
})

test('remote is what does not lie where the process runs', () => {
  expect(remoteShare(process({}))).toBe(0.25)
  expect(remoteShare(process({ pages: [0, 0] }))).toBe(0)
  expect(listText([0, 1, 3])).toBe('0-1,3')
})
