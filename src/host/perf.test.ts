import { expect, test } from 'vitest'
import { captureConfig, staticCaptures } from '../../test/static-captures'
import { tracepointText } from '../engine/trace_print'
import { digestTree } from '../util/hash'
import { createHeadless, type Headless } from './headless'
import { programs, realEngine } from './real-engine'

function machine(series: '6.12' | '6.1' = '6.12'): Headless {
  const capture = staticCaptures().find((c) => c.name === 'static-256m-1cpu')!
  return createHeadless({ ...captureConfig(capture, 'captured'), series }, 7, { engine: realEngine(), programs })
}

async function run(m: Headless, text: string): Promise<{ out: string; err: string; status: number }> {
  let out = ''
  let err = ''
  const { status } = await m.runScript(text, { onStdout: (t) => (out += t), onStderr: (t) => (err += t) })
  return { out, err, status }
}

test('perf record -a writes what every task allocated, perf script prints it in the kernel’s format', async () => {
  const m = machine()
  const { err, status } = await run(m, 'sudo perf record -e kmem:mm_page_alloc -a mm hog mb=1 hold=0')
  expect(status).toBe(0)
  const samples = Number(
    /^\[ perf record: Captured and wrote 0\.\d{3} MB perf\.data \((\d+) samples\) \]$/m.exec(err)![1],
  )
  const { out } = await run(m, 'sudo perf script')
  const lines = out.trimEnd().split('\n')
  expect(lines).toHaveLength(samples)
  const format =
    /^ *\S+ +\d+ \[000\] +\d+\.\d{6}: kmem:mm_page_alloc: page=(0x\w+) pfn=\1 order=\d+ migratetype=[012] gfp_flags=[\w|]+$/
  expect(lines.filter((line) => !format.test(line))).toEqual([])
  const faults = lines.filter((l) =>
    /^ {14}mm .* migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE\|__GFP_COMP\|__GFP_ZERO$/.test(l),
  )
  expect(faults.length).toBeGreaterThanOrEqual(256)
  expect((await run(m, 'perf script | head -n 3')).out).toBe(`${lines.slice(0, 3).join('\n')}\n`)
})

test('without -a only the command and what it forks is recorded, from its exec on', async () => {
  const m = machine()
  await run(
    m,
    'perf record -e kmem:mm_page_alloc,kmem:mm_page_free sh -c "ls /proc > /dev/null; cat /proc/meminfo" > /dev/null',
  )
  const { out } = await run(m, 'perf script')
  expect(
    new Set(
      out
        .trimEnd()
        .split('\n')
        .map((line) => line.trim().split(' ')[0]),
    ),
  ).toEqual(new Set(['sh', 'ls', 'cat']))
  expect(out).toMatch(/^.*:  kmem:mm_page_free: page=0x\w+ pfn=0x\w+ order=0$/m)
})

test('perf stat counts the faults of a command as its own counters do', async () => {
  const m = machine()
  const { err } = await run(
    m,
    'perf stat -e page-faults,minor-faults,major-faults,kmem:mm_page_alloc mm hog mb=4 hold=0',
  )
  const count = (name: string): number =>
    Number(new RegExp(`^ +([\\d,]+) {6}${name} *$`, 'm').exec(err)![1]!.replace(/,/g, ''))
  expect(count('page-faults')).toBe(count('minor-faults') + count('major-faults'))
  expect(count('minor-faults')).toBeGreaterThan(1024)
  expect(count('minor-faults')).toBeLessThan(1124)
  expect(count('kmem:mm_page_alloc')).toBeGreaterThan(1024)
  expect(err).toMatch(
    /^\n Performance counter stats for 'mm hog mb=4 hold=0':\n\n[^]*seconds time elapsed\n\n +\d\.\d{9} seconds user\n/,
  )
})

test('perf stat counts what a command’s accesses found in the TLBs: no other task’s', async () => {
  const m = machine()
  const { err } = await run(
    m,
    'perf stat -e dTLB-loads,dTLB-load-misses,dTLB-stores,dTLB-store-misses mm fault mb=16 thp=none',
  )
  const count = (name: string): number =>
    Number(new RegExp(`^ +([\\d,]+) {6}${name} `, 'm').exec(err)![1]!.replace(/,/g, ''))
  // Three rounds of 4096 stores and one of loads; 16 MiB lie beyond the reach of 6 MiB, and each of 8192 faults walks twice.
  expect(count('dTLB-stores') - 12_288).toBeLessThan(60)
  expect(count('dTLB-loads') - 4096).toBeLessThan(60)
  expect(count('dTLB-store-misses') - 20_480).toBeGreaterThanOrEqual(0)
  expect(count('dTLB-store-misses') - 20_480).toBeLessThan(120)
  expect(err).toMatch(/dTLB-load-misses {10}#  \d+\.\d\d% of all dTLB cache accesses/)
  const all = await run(m, 'perf stat -e dTLB-stores -a mm fault mb=16 thp=none')
  expect(Number(/([\d,]+) {6}dTLB-stores/.exec(all.err)![1]!.replace(/,/g, ''))).toBeGreaterThanOrEqual(12_288)
  expect((await run(m, 'perf list')).out).toMatch(/^ {2}dTLB-load-misses +\[Hardware cache event\]$/m)
})

test('a processor without such a counter says so', async () => {
  const capture = staticCaptures().find((c) => c.name === 'static-256m-1cpu')!
  const config = { ...captureConfig(capture, 'captured'), cpuModel: 'AMD EPYC 7763 64-Core Processor' }
  const m = createHeadless(config, 7, { engine: realEngine(), programs })
  const { err } = await run(m, 'perf stat -e dTLB-loads,dTLB-stores mm fault mb=1')
  expect(err).toMatch(/^ {3}<not supported> {6}dTLB-stores/m)
  // Zen counts misses of the first level.
  expect(Number(/([\d,]+) {6}dTLB-loads/.exec(err)![1]!.replace(/,/g, ''))).toBeGreaterThan(512)
})

test.each([
  ['perf record -e dTLB-loads true', 129, 'Error:\nThe dTLB-loads event is not supported.\n'],
  [
    'perf record -e kmem:nope -a true',
    129,
    "event syntax error: 'kmem:nope'\n                     \\___ unknown tracepoint\n\nError:\tFile /sys/kernel/tracing//events/kmem/nope not found.\n",
  ],
  [
    'perf record -e kmem:*,nope true',
    129,
    "event syntax error: 'kmem:*,nope'\n                            \\___ Bad event name\n",
  ],
  ['perf record true', 129, 'Error:\nThe cycles:P event is not supported.\n'],
  ['perf record -e page-faults true', 129, 'Error:\nThe page-faults event is not supported.\n'],
  ['perf record -e kmem:* -p 99999 true', 255, 'Problems finding threads of monitor\n'],
  ['perf record -e kmem:* -a', 129, '\n Usage: perf record [<options>] [<command>]\n'],
  ['perf script', 255, "failed to open perf.data: No such file or directory  (try 'perf record' first)\n"],
  ['perf script -i /proc/meminfo', 255, 'incompatible file format (rerun with -v to learn more)\n'],
  ['perf stat ./nope', 127, 'perf: ./nope: No such file or directory\n'],
  ['perf nope', 1, "perf: 'nope' is not a perf-command. See 'perf --help'.\n"],
])('%s: %i', async (text, status, message) => {
  const m = machine()
  const got = await run(m, text)
  expect(got.status).toBe(status)
  expect(got.err.startsWith(message), got.err).toBe(true)
  expect(m.readFile('/root/perf.data').ok).toBe(false)
})

test('listening changes nothing in the machine', async () => {
  const digests: string[] = []
  for (const listens of [true, false]) {
    const m = machine()
    const stop = listens
      ? m.sys.trace(['mm_page_alloc', 'mm_page_free', 'buddy_split', 'buddy_merge'], () => {})
      : () => {}
    await run(m, 'mm hog mb=8 hold=0')
    stop()
    digests.push(digestTree(m.state()))
  }
  expect(digests[0]).toBe(digests[1])
})

test.each([
  [
    'mm_page_alloc',
    [0x2700, 0, 0x140dca, 1],
    'page=0x2700 pfn=0x2700 order=0 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO',
  ],
  [
    'mm_page_alloc_extfrag',
    [64, 0, 5, 0, 1, 1],
    'page=0x40 pfn=0x40 alloc_order=0 fallback_order=5 pageblock_order=9 alloc_migratetype=0 fallback_migratetype=1 fragmenting=1 change_ownership=1',
  ],
  [
    'mm_compaction_end',
    [4096, 8192, 9000, 65536, 0, 8],
    'zone_start=0x1000 migrate_pfn=0x2000 free_pfn=0x2328 zone_end=0x10000, mode=async status=success',
  ],
  ['mm_compaction_suitable', [0, 1, 9, 4], 'node=0 zone=DMA32    order=9 ret=continue'],
  [
    'mm_vmscan_throttled',
    [0, 100000, 20, 1],
    'nid=0 usec_timeout=100000 usect_delayed=20 reason=VMSCAN_THROTTLE_WRITEBACK',
  ],
  ['mm_vmscan_wakeup_kswapd', [0, 0, 0xcc0], 'nid=0 order=0 gfp_flags=GFP_KERNEL'],
] as const)('%s is printed as TP_printk() says', (name, args, text) => {
  expect(tracepointText(name, { args, text: '', series: '6.12' })).toBe(text)
})
