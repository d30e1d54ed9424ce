/** The scripts that ran on the captured machines run here unchanged, over a machine of tables. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parseScript } from './parse'
import { testSession, type TestSession } from './testing/session'

const ROOT = fileURLToPath(new URL('../../test/captures/truth/harness', import.meta.url))
const text = (name: string): string => readFileSync(`${ROOT}/${name}`, 'utf8')
const scenarios = readdirSync(`${ROOT}/scn`).filter((name) => name.endsWith('.sh'))

test.each(['init', 'fn.sh', ...scenarios.map((name) => `scn/${name}`)])('%s parses', (name) => {
  expect(parseScript(text(name)).ok).toBe(true)
})

const PROC = ['vmstat', 'zoneinfo', 'buddyinfo', 'pagetypeinfo', 'slabinfo', 'iomem', 'cmdline', 'version', 'swaps']

function machine(): TestSession {
  const s = testSession({}, { name: 'sh', interactive: false, cwd: '/' })
  const add = s.machine.addFile
  for (const name of PROC) add(`/proc/${name}`, `${name} 1\n`)
  add('/proc/meminfo', 'MemTotal: 1000 kB\nMemFree: 500 kB\n')
  add('/proc/cpuinfo', 'processor\t: 0\nprocessor\t: 1\n')
  for (const [name, value] of Object.entries({
    min_free_kbytes: '67584',
    watermark_scale_factor: '10',
    swappiness: '60',
    stat_refresh: '0',
    lowmem_reserve_ratio: '256\t256\t32\t0\t0',
    panic_on_oom: '0',
    compact_memory: '0',
    nr_hugepages: '0',
    zone_reclaim_mode: '0',
    drop_caches: '0',
  }))
    add(`/proc/sys/vm/${name}`, `${value}\n`)
  add('/sys/kernel/slab/dentry/object_size', '192\n')
  add('/sys/kernel/slab/vm_area', '', { kind: 'symlink', target: 'dentry' })
  for (const name of ['cpulist', 'distance', 'numastat', 'meminfo'])
    add(`/sys/devices/system/node/node0/${name}`, `${name} 1\n`)
  add('/sys/devices/system/node/online', '0\n')
  add('/sys/kernel/mm/transparent_hugepage/enabled', '[always] madvise never\n')
  add('/sys/kernel/mm/transparent_hugepage/hugepages-2048kB/stats/anon', '1\n')
  add('/sys/kernel/mm/lru_gen/enabled', '0x0007\n')
  add('/sys/fs/cgroup/cgroup.subtree_control', 'memory\n')
  add('/dev/kmsg', '[    0.000000] boot\n')
  add('/dev/vda', '', { kind: 'device' })
  add('/fn.sh', text('fn.sh'))
  for (const name of scenarios) add(`/scn/${name}`, text(`scn/${name}`))
  return s
}

async function boot(s: TestSession, parameters: string): Promise<(path: string) => string> {
  await s.run(`export ${parameters}`)
  await s.run(text('init'))
  return (path) => s.machine.files.get(path)?.content ?? `(no ${path})`
}

describe('init with a scenario', () => {
  test('static: snapshots and one variant after the other', async () => {
    const s = machine()
    const out = await boot(s, 'scn=static variants=wsf:50,mfk:8192,lrr:256-32-0-0-0')
    expect(out('/out/base/vmstat')).toBe('vmstat 1\n')
    expect(out('/out/base/ncpus')).toBe('(no /out/base/ncpus)')
    expect(out('/out/base/ncpu')).toBe('2\n')
    expect(out('/out/base/sysctl-vm.txt')).toContain('min_free_kbytes = 67584\n')
    expect(out('/out/base/sysctl-vm.txt')).toContain('lowmem_reserve_ratio = 256 256 32 0 0\n')
    expect(out('/out/base/slab-attrs.tsv')).toMatch(
      /^name\tobject_size\tslab_size\t.*\tlinks\ndentry\t192\t.*\n# aliases\nvm_area -> dentry\n$/,
    )
    expect(out('/out/base/mm-params.txt')).toBe(
      '/sys/kernel/mm/lru_gen/enabled = 0x0007\n/sys/kernel/mm/transparent_hugepage/enabled = [always] madvise never\n',
    )
    expect(out('/out/base/nodes.txt')).toContain('== node0\n-- cpulist\ncpulist 1\n')
    expect(out('/out/variant-wsf-50/what.txt')).toBe('watermark_scale_factor: 10 -> 50 (now: 50)\n')
    expect(out('/out/variant-lrr-256-32-0-0-0/what.txt')).toBe(
      'lowmem_reserve_ratio: 256 256 32 0 0 -> 256 32 0 0 0 (now: 256 32 0 0 0)\n',
    )
    expect(out('/proc/sys/vm/min_free_kbytes')).toBe('67584\n')
    expect(out('/out/scenario.log')).toContain('watermark_scale_factor: 10 -> 50')
    expect(s.seen()).toContain('===SCN static END===')
    expect(s.shell.hasExited).toBe(true)
  })

  test('cglab oom: a sampler in the background, a hog, its status', async () => {
    const s = machine()
    const out = await boot(s, 'scn=cglab lab=oom max=100 hog=200')
    expect(out('/sys/fs/cgroup/a/memory.max')).toBe('104857600\n')
    expect(out('/out/exit.txt')).toBe('hog exit status 0\n')
    expect(out('/out/cg/a.txt')).toContain('# memory.max\n104857600\n')
    expect(
      s.machine.log.some((line) => line.startsWith('spawn mm hog cg=/sys/fs/cgroup/a mb=200 rate=50 rand=1')),
    ).toBe(true)
    expect(
      s.machine.log.some((line) =>
        line.startsWith('spawn mm sample /out/series.tsv 100 0 /sys/fs/cgroup/a/memory.current'),
      ),
    ).toBe(true)
    expect([...s.machine.tasks.values()].filter((task) => task.alive).map((task) => task.name)).toEqual(['bash'])
  })

  test('cglab adj: triples are cut and every hog waited for', async () => {
    const s = machine()
    const out = await boot(s, 'scn=cglab lab=adj trip=big:60:-500,mid:30:0 max=100')
    expect(s.machine.log.filter((line) => line.startsWith('spawn mm hog'))).toEqual([
      'spawn mm hog cg=/sys/fs/cgroup/a mb=60 rate=40 rand=1 hold=-1 name=big oomadj=-500',
      'spawn mm hog cg=/sys/fs/cgroup/a mb=30 rate=40 rand=1 hold=-1 name=mid oomadj=0',
    ])
    expect(out('/out/exit.txt')).toMatch(/^big exit 137 .*\nmid exit 137 /)
    expect(out('/out/procs-after.txt')).toMatch(/^pid comm oom_score .*\n100 bash 0 0 1000/)
  })

  test('oom: a loop that snapshots in the background until it is killed', async () => {
    const s = machine()
    const out = await boot(s, 'scn=oom trip=a:10:0 hog=900')
    expect(out('/out/exit.txt')).toMatch(/^hog exit 0\na dead\n/)
    expect(out('/out/procs-last.txt')).toContain('pid comm oom_score')
  })

  test('frag: two sides that wait for each other through files', async () => {
    const s = machine()
    const out = await boot(s, 'scn=frag hp=100')
    expect(out('/out/scenario.log')).toContain('hugepages asked 100 got 100 (after compact_memory)')
    expect(out('/out/6-end/vmstat')).toBe('vmstat 1\n')
  })

  test.each(['scn=pressure base=10 hog=100 sysctls=swappiness:10 nosw=1', 'scn=fault mb=10', 'scn=numa mb=10'])(
    '%s runs to its end',
    async (parameters) => {
      const s = machine()
      const out = await boot(s, parameters)
      expect(out('/out/after/vmstat')).toBe('vmstat 1\n')
      expect(s.seen()).toContain('END===')
    },
  )
})

test("the course's Lab 2 runs as written", async () => {
  const s = testSession({
    python3: () => [{ raise: 9 }],
  })
  s.machine.addFile('/dev/kmsg', '[    5.000000] Memory cgroup out of memory: Killed process 7 (python3)\n')
  s.machine.addFile('/proc/7/oom_score', '900\n')
  s.machine.addFile('/proc/7/comm', 'victim\n')
  s.machine.addFile('/sys/fs/cgroup', '', { kind: 'dir' })
  const printed = await s.run(`sudo mkdir /sys/fs/cgroup/test_oom
echo 104857600 | sudo tee /sys/fs/cgroup/test_oom/memory.max
sudo bash -c 'echo $$ > /sys/fs/cgroup/test_oom/cgroup.procs && \\
              python3 -c "x = [0] * (200 * 1024 * 1024 // 8)"'
sudo dmesg | tail -20
for pid in $(ls /proc | grep -E '^[0-9]+$'); do
    if [ -f /proc/$pid/oom_score ]; then
        echo "$pid $(cat /proc/$pid/oom_score 2>/dev/null) $(cat /proc/$pid/comm 2>/dev/null)"
    fi
done | sort -nk2 | tail -20
sudo rmdir /sys/fs/cgroup/test_oom`)
  expect(printed).toMatch(
    /^104857600\nKilled\n\[ {4}5\.000000\] Memory cgroup out of memory.*\n(\d+ 0 \w+\n)+7 900 victim\n$/,
  )
  expect(s.machine.log).toContain('spawn python3 -c x = [0] * (200 * 1024 * 1024 // 8)')
  expect(s.machine.files.has('/sys/fs/cgroup/test_oom')).toBe(false)
})
