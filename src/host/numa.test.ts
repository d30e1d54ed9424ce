/** NUMA as a user meets it: numactl, numastat, /proc and the lab program on a machine of two nodes. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { machineConfig } from '../../test/zone-state'
import { layoutZones } from '../engine/machine_layout'
import { loadMachine, toConfig } from '../profiles/index'
import { MIB } from '../util/units'
import { oomReports } from './oom'
import { createHeadless, type Headless } from './headless'
import { programs, realEngine } from './real-engine'

const MACHINE = readFileSync('resources/machines/numa-2x4g.json', 'utf8')

function boot(): Headless {
  const profile = loadMachine(MACHINE, 'numa-2x4g.json')
  if (!profile.ok) throw new Error(profile.error.message)
  return createHeadless(toConfig(profile.value), 3, { engine: realEngine(), programs })
}

const machine = boot()

async function run(script: string): Promise<{ text: string; status: number }> {
  let text = ''
  const keep = (piece: string): void => void (text += piece)
  const result = await machine.runScript(script, { onStdout: keep, onStderr: keep })
  return { text, status: result.status }
}

const numbersHidden = (text: string): string => text.replace(/\d+ MB/g, 'N MB')

describe('numactl', () => {
  test('--hardware: CPUs, sizes and distances', async () => {
    expect(numbersHidden((await run('numactl --hardware')).text)).toBe(
      'available: 2 nodes (0-1)\n' +
        'node 0 cpus: 0 1\nnode 0 size: N MB\nnode 0 free: N MB\n' +
        'node 1 cpus: 2 3\nnode 1 size: N MB\nnode 1 free: N MB\n' +
        'node distances:\nnode   0   1 \n  0:  10  21 \n  1:  21  10 \n',
    )
  })

  test('--show says what is inherited, and nothing of it stays', async () => {
    expect((await run('numactl --membind=1 --cpunodebind=0 numactl --show')).text).toBe(
      'policy: bind\npreferred node: 1\nphyscpubind: 0 1 \ncpubind: 0 \nnodebind: 0 \nmembind: 1 \npreferred: \n',
    )
    expect((await run('numactl --show')).text).toBe(
      'policy: default\npreferred node: current\nphyscpubind: 0 1 2 3 \ncpubind: 0 1 \nnodebind: 0 1 \n' +
        'membind: 0 1 \npreferred: \n',
    )
  })

  test.each([
    ['--membind=1 --cpunodebind=0', 'N1=2048'],
    ['--cpunodebind=1', 'N1=2048'],
    ['--interleave=all', 'N0=1024 N1=1024'],
    ['--preferred=1 --physcpubind=0', 'N1=2048'],
    ['--localalloc --physcpubind=2', 'N1=2048'],
  ])('%s decides where a program lies', async (options, nodes) => {
    expect((await run(`numactl ${options} mm numa mb=8`)).text).toContain(
      `after_touch pages_per_node: ${nodes} absent=0\n`,
    )
  })

  test('a command keeps the policy over its own children', async () => {
    const script = "numactl --membind=1 sh -c 'mm numa mb=4 cpu=0; mm numa mb=4 cpu=1' | grep pages_per_node"
    expect((await run(script)).text).toBe('after_touch pages_per_node: N1=1024 absent=0\n'.repeat(2))
  })

  test.each([
    ['--membind=5 true', '<5> is invalid\n'],
    ['--interleave=x true', '<x> is invalid\n'],
    ['--membind=0 --interleave=all true', 'usage: numactl '],
    ['--membind=0', 'usage: numactl '],
    ['--nonsense', 'usage: numactl '],
  ])('%s is refused', async (args, said) => {
    const { text, status } = await run(`numactl ${args}`)
    expect(text).toContain(said)
    expect(status).toBe(1)
  })
})

describe('mm numa', () => {
  test('mbind with MOVE carries every page over and keeps the machine sound', async () => {
    const { text } = await run('mm numa mb=16 cpu=0 moveto=1 > /tmp/moved; cat /tmp/moved')
    expect(text.replace(/numa_maps: [0-9a-f]+/g, 'numa_maps: A').replace(/ active=\d+/g, '')).toBe(
      '# numa policy=default nodes=0x1 how=mbind mb=16 cpu=0 node=0\n' +
        'numa_maps: A default anon=4096 dirty=4096 N0=4096 kernelpagesize_kB=4\n' +
        'after_touch pages_per_node: N0=4096 absent=0\n' +
        `after_touch first16:${' 0'.repeat(16)}\n` +
        'mbind_move rc=0 errno=0\n' +
        'numa_maps: A bind:1 anon=4096 dirty=4096 N1=4096 kernelpagesize_kB=4\n' +
        'after_move pages_per_node: N1=4096 absent=0\n' +
        `after_move first16:${' 1'.repeat(16)}\n`,
    )
    expect(machine.machine.engine.checkInvariants(machine.state())).toEqual([])
  })

  test('a moved, held program is where numastat -p and its group say', async () => {
    const { text } = await run(
      'mm numa mb=16 cpu=0 moveto=1 hold=-1 > /dev/null & sleep 2; numastat -p $!; kill $!; wait $! 2>/dev/null',
    )
    const head = text.split('\n')[1]!
    expect(head).toMatch(/^Per-node process memory usage \(in MBs\) for PID \d+ \(mm\)$/)
    expect(text.split('\n')[2]).toBe('                           Node 0          Node 1           Total')
    expect(text.split('\n')[3]).toBe('                  --------------- --------------- ---------------')
    expect(text).toMatch(/^Huge {25}0\.00 {12}0\.00 {12}0\.00$/m)
    expect(text).toMatch(/^Private +\d\.\d\d +16\.\d\d +1\d\.\d\d$/m)
    expect(text).toContain('\n----------------  --------------- --------------- ---------------\nTotal ')
  })

  test('a mask without a node that has memory is refused as the kernel refuses it', async () => {
    expect((await run('mm numa mb=4 policy=bind nodes=8')).text).toContain('policy errno 22\n')
  })
})

describe('numastat', () => {
  test('without arguments: calls by node, in the layout of old', async () => {
    const lines = (await run('numastat')).text.split('\n')
    expect(lines[0]).toBe('                           node0           node1')
    expect(lines.slice(1, 7).map((line) => line.slice(0, 16).trim())).toEqual([
      'numa_hit',
      'numa_miss',
      'numa_foreign',
      'interleave_hit',
      'local_node',
      'other_node',
    ])
    const count = (row: number, nid: number): number => Number(lines[row]!.slice(16 + 16 * nid, 32 + 16 * nid))
    for (const nid of [0, 1]) expect(count(1, nid) + count(2, nid)).toBe(count(5, nid) + count(6, nid))
  })

  test('-m: memory of the nodes in MiB with a total', async () => {
    const { text } = await run('numastat -m')
    expect(text).toContain('\nPer-node system memory usage (in MBs):\n')
    const row = /^MemTotal +(\d+\.\d\d) +(\d+\.\d\d) +(\d+\.\d\d)$/m.exec(text)!
    expect(Number(row[1]) + Number(row[2])).toBeCloseTo(Number(row[3]), 1)
  })

  test('a pattern that nothing matches', async () => {
    expect((await run('numastat -p nobody')).text).toContain('Found no processes containing pattern: "nobody"\n')
  })
})

/** Two nodes of 128 MiB, no swap. */
function smallMachine(): Headless {
  const nodes = [0, 1].map((nid) => ({
    nid,
    ranges: [{ start: nid === 0 ? MIB : 128 * MIB, end: (nid + 1) * 128 * MIB }],
    cpus: [nid],
  }))
  const names = ['DMA', 'DMA32', 'Normal', 'Movable'] as const
  const reservations = layoutZones(machineConfig({ nodes }))
    .filter((z) => z.present > 0)
    .map((z) => ({ nid: z.nid, zone: names[z.idx]!, managed: z.present - 512, returnedLate: 0 }))
  const disk = {
    path: '/dev/vdb',
    sizeBytes: 1 << 30,
    readNs: 1e5,
    writeNs: 3e4,
    perPageNs: 2e3,
    rotational: false,
    files: [],
  }
  const config = { ...machineConfig({ nodes, reservations }), blockDevices: [disk] }
  return createHeadless(config, 3, { engine: realEngine(), programs })
}

test('a bound program that asks for more than its node has is killed for its policy', async () => {
  const small = smallMachine()
  let text = ''
  const script = 'numactl -H; numactl --membind=1 mm hog mb=160; echo status $?; dmesg | grep oom-kill:; numactl -H'
  await small.runScript(script, { onStdout: (piece) => void (text += piece) })
  expect(text).toContain('status 137\n')
  expect(text).toMatch(
    /oom-kill:constraint=CONSTRAINT_MEMORY_POLICY,nodemask=1,cpuset=[^,]*,mems_allowed=0-1,.*task=mm/,
  )
  const [before, after] = [...text.matchAll(/node 0 free: (\d+) MB/g)].map((m) => Number(m[1]))
  // The other node served nothing but the tools and per-CPU lists: the program lacked more than 40 MB.
  expect(before! - after!).toBeLessThan(20)
  expect(after).toBeGreaterThan(80)
  expect(small.machine.engine.checkInvariants(small.state())).toEqual([])
})

test('a program that its cpuset walls in is killed for that, and the other node keeps its memory', async () => {
  const small = smallMachine()
  let text = ''
  const script =
    'echo +cpuset > /sys/fs/cgroup/cgroup.subtree_control; mkdir /sys/fs/cgroup/a; echo 1 > /sys/fs/cgroup/a/cpuset.mems; ' +
    "sh -c 'echo $$ > /sys/fs/cgroup/a/cgroup.procs; mm hog mb=160'; echo status $?; dmesg | grep oom-kill:; numactl -H"
  await small.runScript(script, { onStdout: (piece) => void (text += piece) })
  expect(text).toContain('status 137\n')
  expect(text).toMatch(/oom-kill:constraint=CONSTRAINT_CPUSET,nodemask=\(null\),cpuset=a,mems_allowed=1,.*task=mm/)
  expect(Number(/node 0 free: (\d+) MB/.exec(text)?.[1])).toBeGreaterThan(80)
  expect(JSON.stringify(oomReports(small.state()).at(-1)?.explanation)).toContain('kept to some nodes by a cpuset')
  expect(small.machine.engine.checkInvariants(small.state())).toEqual([])
})
