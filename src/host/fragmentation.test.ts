import { describe, expect, test } from 'vitest'
import { VM_512M } from '../../test/support/session'
import { loadMachine, toConfig } from '../profiles/index'
import { createHeadless } from './headless'
import { programs, realEngine } from './real-engine'

/**
 * Free memory in single pages: a program takes nearly all, keeps every second page, and no block of 2 MiB is left once
 * the last few are taken. kcompactd is told to leave it alone.
 */
const FRAGMENT = `
sysctl -q -w vm.compaction_proactiveness=0
mm frag mb=400 keep=2 dir=/tmp > /dev/null &
owner=$!
while [ ! -f /tmp/frag.touched ]; do sleep 0.05; done
touch /tmp/frag.go
while [ ! -f /tmp/frag.freed ]; do sleep 0.05; done
pages=/sys/kernel/debug/pagewalk/pages
owned() { awk '/^(VmRSS|VmSwap):/ { sum += $2 } END { print sum }' /proc/$owner/status; }
take() { n=0; while echo "alloc order=9 gfp=GFP_TRANSHUGE_LIGHT" > $pages; do n=$((n + 1)); done; echo "$1 $n"; }
look() {
  echo "$1 free $(grep MemFree /proc/meminfo)"
  echo "$1 index $(grep DMA32 /sys/kernel/debug/extfrag/extfrag_index)"
}
`
const RESCUE = `${FRAGMENT}
take first
look failing
before=$(owned)
echo 1 > /proc/sys/vm/compact_memory
look compacted
take second
[ "$before" = "$(owned)" ] && echo owned same
grep -E 'pgmigrate_success|compact_stall|compact_daemon_wake' /proc/vmstat
`

const HUGE = `${FRAGMENT}
take first
echo 60 > /proc/sys/vm/nr_hugepages
echo got $(cat /proc/sys/vm/nr_hugepages)
grep -E 'compact_success|htlb_buddy_alloc_fail' /proc/vmstat
`

interface Outcome {
  readonly lines: readonly string[]
  readonly broken: readonly string[]
}

async function run(script: string, series: string, seed: number): Promise<Outcome> {
  const profile = loadMachine(VM_512M.replace('"6.12"', `"${series}"`), 'vm-512m.json')
  if (!profile.ok) throw new Error(profile.error.message)
  expect(profile.value.kernel.series).toBe(series)
  const headless = createHeadless(toConfig(profile.value), seed, { engine: realEngine(), programs })
  let out = ''
  const { stopped } = await headless.runScript(script, { onStdout: (text) => (out += text), untilNs: 60e9 })
  expect(stopped).toBe('')
  return { lines: out.trim().split('\n'), broken: realEngine().checkInvariants(headless.state()) }
}

const number = (lines: readonly string[], start: string): number => {
  const line = lines.find((l) => l.startsWith(start)) ?? ''
  return Number(/(\d+)(?: kB)?$/.exec(line)?.[1] ?? NaN)
}
/** extfrag_index of DMA32 for order 9. */
const index9 = (lines: readonly string[], stage: string): number =>
  Number(
    lines
      .find((l) => l.startsWith(`${stage} index`))!
      .trim()
      .split(/\s+/)
      .at(-2),
  )

const MACHINES = [
  { series: '6.12', seed: 1 },
  { series: '6.12', seed: 7 },
  { series: '6.1', seed: 1 },
  { series: '6.1', seed: 23 },
]

describe('a request of order 9 fails in the midst of free memory, and compaction rescues it', () => {
  test.each(MACHINES)(
    '%j',
    async ({ series, seed }) => {
      const { lines, broken } = await run(RESCUE, series, seed)
      expect(number(lines, 'failing free')).toBeGreaterThan(150_000)
      expect(index9(lines, 'failing')).toBeGreaterThan(0.9)
      expect(index9(lines, 'compacted')).toBe(-1)
      expect(number(lines, 'second')).toBeGreaterThan(40)
      expect(number(lines, 'pgmigrate_success')).toBeGreaterThan(10_000)
      expect(number(lines, 'compact_stall')).toBe(0)
      expect(lines).toContain('owned same')
      expect(broken).toEqual([])
    },
    60_000,
  )
})

test.each(['6.12', '6.1'])(
  '%s: requests that may wait make their huge pages themselves',
  async (series) => {
    const { lines, broken } = await run(HUGE, series, 7)
    const got = number(lines, 'got')
    expect(got).toBeGreaterThan(40)
    expect(number(lines, 'compact_success')).toBeGreaterThan(20)
    // The first request that fails ends it.
    expect(number(lines, 'htlb_buddy_alloc_fail')).toBe(got < 60 ? 1 : 0)
    expect(broken).toEqual([])
  },
  60_000,
)
