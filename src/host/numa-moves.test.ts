/** Memory that moves between nodes: migratepages, cpusets, weighted interleaving; and the kernel's answers to bad input. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { loadMachine, toConfig } from '../profiles/index'
import { createHeadless, type Headless } from './headless'
import { programs, realEngine } from './real-engine'

function boot(name: string): Headless {
  const profile = loadMachine(readFileSync(`resources/machines/${name}.json`, 'utf8'), name)
  if (!profile.ok) throw new Error(profile.error.message)
  return createHeadless(toConfig(profile.value), 3, { engine: realEngine(), programs })
}

const machine = boot('numa-2x4g')

async function run(script: string): Promise<string> {
  let text = ''
  const keep = (piece: string): void => void (text += piece)
  await machine.runScript(script, { onStdout: keep, onStderr: keep })
  return text
}

const sound = (): readonly string[] => machine.machine.engine.checkInvariants(machine.state())
/** Pages of a process by node, files and shared libraries included. */
const WHERE =
  'awk \'{for (i = 3; i <= NF; i++) if ($i ~ /^N[0-9]+=/) { split($i, a, "="); n[a[1]] += a[2] }} END {print n["N0"]+0, n["N1"]+0}\''

describe('migratepages', () => {
  test('carries everything over, shared pages and page cache too, and the counters follow', async () => {
    const text = await run(
      `mm hog mb=32 cpu=0 hold=-1 > /dev/null & sleep 1; ${WHERE} /proc/$!/numa_maps; migratepages $! 0 1; ` +
        `${WHERE} /proc/$!/numa_maps; kill $!; wait $! 2> /dev/null`,
    )
    const [before, after] = text.trim().split('\n')
    expect(Number(before!.split(' ')[0])).toBeGreaterThan(8192)
    // The vdso is part of the kernel's image and stays.
    expect(after).toMatch(/^1 8\d\d\d$/)
    expect(sound()).toEqual([])
  })

  test.each([
    ['99999 0 1', 'migrate_pages: No such process\n1\n'],
    ['$$ 0 5', '<5> is invalid\n1\n'],
    ['$$ x 1', '<x> is invalid\n1\n'],
    ['$$ 0', 'usage: migratepages pid from-nodes to-nodes'],
  ])('migratepages %s is refused', async (args, said) => {
    expect(await run(`migratepages ${args} 2>&1; echo $?`)).toContain(said)
  })
})

const GROUP = '/sys/fs/cgroup/cs'
const MAKE = `echo +cpuset +memory > /sys/fs/cgroup/cgroup.subtree_control; mkdir -p ${GROUP}`

describe('cpusets', () => {
  test('a group without settings has all of its parent; what it asks for is cut down to that', async () => {
    expect(
      await run(
        `${MAKE}; cd ${GROUP}; cat cpuset.cpus cpuset.mems cpuset.cpus.effective cpuset.mems.effective; ` +
          'echo 2-3 > cpuset.cpus; echo 1 > cpuset.mems; cat cpuset.cpus.effective cpuset.mems.effective',
      ),
    ).toBe('\n\n0-3\n0-1\n2-3\n1\n')
  })

  test.each([
    ['cpuset.cpus', '9', 'Invalid argument'],
    ['cpuset.cpus', '3-1', 'Invalid argument'],
    ['cpuset.mems', 'x', 'Invalid argument'],
    ['cpuset.mems', '9999', 'Numerical result out of range'],
  ])('%s refuses %s: %s', async (file, value, said) => {
    expect(await run(`${MAKE}; echo ${value} > ${GROUP}/${file}`)).toContain(said)
  })

  test('its programs run and lie where it says, and a change of nodes moves them', async () => {
    const text = await run(
      `${MAKE}; echo 2-3 > ${GROUP}/cpuset.cpus; echo 1 > ${GROUP}/cpuset.mems; ` +
        `sh -c 'echo $$ > ${GROUP}/cgroup.procs; mm hog mb=16 hold=-1 > /dev/null & echo $! > /tmp/p; wait' & sleep 1; ` +
        'p=$(cat /tmp/p); grep allowed_list /proc/$p/status; cat /proc/$p/cpuset; grep -c N0= /proc/$p/numa_maps; ' +
        `echo 0 > ${GROUP}/cpuset.mems; sleep 1; ${WHERE} /proc/$p/numa_maps; grep Mems /proc/$p/status; ` +
        `echo > ${GROUP}/cpuset.mems; kill $p; wait 2> /dev/null`,
    )
    const lines = text.split('\n')
    expect(lines[0]).toBe('Cpus_allowed_list:\t2-3')
    expect(lines[1]).toBe('Mems_allowed_list:\t1')
    expect(lines[2]).toBe('/cs')
    expect(lines[4]).toMatch(/^4\d\d\d 0$/)
    expect(lines[5]).toBe('Mems_allowed_list:\t0')
    expect(text).toContain('No space left on device')
    expect(sound()).toEqual([])
  })
})

test('weighted interleaving deals pages out by the weights of sysfs', async () => {
  const dir = '/sys/kernel/mm/mempolicy/weighted_interleave'
  expect(await run(`cat ${dir}/node0; echo 3 > ${dir}/node0; echo 256 > ${dir}/node1`)).toMatch(
    /^1\n.*Invalid argument/,
  )
  expect(await run('numactl --weighted-interleave=0,1 mm numa mb=16 | grep after_touch')).toContain('N0=3072 N1=1024')
})
