/** Memory that follows its user by itself: NUMA balancing, and tiers with a node that is memory alone. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { loadMachine, toConfig } from '../profiles/index'
import { createHeadless, type Headless } from './headless'
import { programs, realEngine } from './real-engine'

function boot(name: string, change: (text: string) => string = (text) => text): Headless {
  const profile = loadMachine(change(readFileSync(`resources/machines/${name}.json`, 'utf8')), name)
  if (!profile.ok) throw new Error(profile.error.message)
  return createHeadless(toConfig(profile.value), 3, { engine: realEngine(), programs })
}

async function run(machine: Headless, script: string): Promise<string> {
  let text = ''
  const keep = (piece: string): void => void (text += piece)
  await machine.runScript(script, { onStdout: keep, onStderr: keep })
  return text
}

const count = (text: string, name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1])
const sound = (machine: Headless): readonly string[] => machine.machine.engine.checkInvariants(machine.state())

/** A group on the CPUs of node 0; a program in it touches 16 MiB again and again, then its CPUs are those of node 1. */
const MOVED = (options: string, policy = ''): string =>
  'echo +cpuset > /sys/fs/cgroup/cgroup.subtree_control; mkdir -p /sys/fs/cgroup/a; cd /sys/fs/cgroup/a; ' +
  `echo 0-1 > cpuset.cpus; sh -c 'echo $$ > cgroup.procs; ${policy} mm hog mb=16 loops=100000000 retouch=1 ${options} ` +
  "> /dev/null &'; sleep 1; echo 2-3 > cpuset.cpus; sleep 4; numastat -p mm | tail -1; " +
  'cat /proc/vmstat; pkill mm; sleep 1'

describe('a program whose CPUs are on another node now', () => {
  const machine = boot('numa-2x4g')

  test('gets its pages after it, and no page moves twice', async () => {
    const text = await run(machine, MOVED('thp=0'))
    expect(text).toMatch(/^Total +\d\.\d\d +1[5-9]\.\d\d/m)
    expect(count(text, 'numa_pages_migrated')).toBeGreaterThanOrEqual(4000)
    expect(count(text, 'numa_pages_migrated')).toBeLessThan(4400)
    expect(count(text, 'numa_hint_faults')).toBeGreaterThanOrEqual(count(text, 'numa_hint_faults_local'))
    expect(sound(machine)).toEqual([])
  })

  test('under a policy of its own, or with balancing off, it stays where it is', async () => {
    const before = count(await run(machine, 'cat /proc/vmstat'), 'numa_pages_migrated')
    const bound = await run(machine, MOVED('', 'numactl --membind=0'))
    expect(bound).toMatch(/^Total +1[5-9]\.\d\d/m)
    const off = await run(machine, `sysctl -q kernel.numa_balancing=0; ${MOVED('')}`)
    expect(off).toMatch(/^Total +1[5-9]\.\d\d/m)
    expect(count(off, 'numa_pages_migrated') - before).toBeLessThan(100)
  })

  test('the switches refuse what the kernel refuses', async () => {
    const dir = '/sys/kernel/debug/sched/numa_balancing'
    expect(await run(machine, 'echo 5 > /proc/sys/kernel/numa_balancing')).toContain('Invalid argument')
    expect(await run(machine, `echo -1 > ${dir}/scan_size_mb; cat ${dir}/scan_size_mb`)).toMatch(/Invalid.*\n256\n/)
    expect(await run(machine, 'echo maybe > /sys/kernel/mm/numa/demotion_enabled')).toContain('Invalid argument')
  })
})

test('slow memory: hot pages are promoted, cold ones of the fast node demoted, and nobody is killed', async () => {
  const machine = boot('cxl-2g-4g', (text) => text.replace('"2G"', '"256M"').replace('"4G"', '"256M"'))
  const text = await run(
    machine,
    'cat /sys/devices/virtual/memory_tiering/memory_tier*/nodelist; echo 1 > /sys/kernel/mm/numa/demotion_enabled; ' +
      'sysctl -q kernel.numa_balancing=2; mm hog mb=200 hold=-1 thp=0 > /dev/null & ' +
      'sleep 1; mm hog mb=48 loops=100000000 retouch=1 thp=0 > /dev/null & sleep 6; numastat -p $! | tail -1; cat /proc/vmstat',
  )
  const [, fast, slow] = /^Total +([\d.]+) +([\d.]+)/m.exec(text)!
  expect(Number(fast)).toBeGreaterThan(Number(slow))
  expect(count(text, 'pgpromote_success')).toBeGreaterThan(5000)
  expect(count(text, 'pgdemote_kswapd')).toBeGreaterThan(3000)
  expect(count(text, 'oom_kill')).toBe(0)
  expect(sound(machine)).toEqual([])
})
