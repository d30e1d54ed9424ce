import { describe, expect, test } from 'vitest'
import { TaskMachine, type TaskMachineOptions } from '../../../test/task-machine'
import { checkInvariants } from '../../engine/check'
import { PROGRAMS } from '..'
import { curveAt, parseCurve } from './curve'

const MIB = 1024

/** RssAnon of the program's newest process after some seconds, KiB. */
function runFor(seconds: number, argv: readonly string[], options: TaskMachineOptions = {}) {
  const machine = new TaskMachine({ programs: PROGRAMS, mib: 512, userland: 'debian', ...options })
  const pid = machine.run(argv)
  const rssAt = (at: number): number => {
    machine.advance(at * 1e9 - machine.state.nowNs)
    return Number(/RssAnon:\s+(\d+)/.exec(machine.read(`/proc/${pid}/status`))?.[1] ?? 0)
  }
  return { machine, pid, rss: rssAt(seconds), rssAt }
}

describe('each tenant uses memory as it says', () => {
  test('java fills its heap up to -Xmx and has metaspace, threads and native memory beside it', () => {
    const { rss, machine } = runFor(40, [
      'java',
      '-Xmx64m',
      '--live=60',
      '--alloc=40M',
      '-XX:MaxMetaspaceSize=20M',
      '--native=10M',
      '--threads=16',
    ])
    expect(rss).toBeGreaterThan((64 + 20 + 10) * MIB)
    expect(rss).toBeLessThan((64 + 20 + 10 + 1 + 20) * MIB)
    expect(checkInvariants(machine.state)).toEqual([])
  })

  test('a leak of objects ends in an OutOfMemoryError, not in the kernel', () => {
    const { machine, pid } = runFor(30, ['java', '-Xmx32m', '--live=50', '--leak=4M'])
    expect(machine.exits.get(pid)).toBe(3)
    expect(machine.output).toContain('java.lang.OutOfMemoryError: Java heap space')
  })

  test('redis-server has the pages twice that it changes while its child saves', () => {
    const options = ['--dataset=40M', '--load=2', '--writes=100M', '--save=10', '--save-rate=40M', '--dump=/dump']
    const { machine, rssAt } = runFor(9, ['redis-server', ...options])
    const anon = (): number => Number(/AnonPages:\s+(\d+)/.exec(machine.read('/proc/meminfo'))![1])
    const before = anon()
    let most = before
    for (let at = 10; at < 15; at += 0.1) {
      rssAt(at)
      most = Math.max(most, anon())
    }
    expect(most - before).toBeGreaterThan(20 * MIB)
    expect(anon() - before).toBeLessThan(MIB)
    expect(machine.read('/proc/vmstat')).toMatch(/pgpgout [1-9]/)
  })

  test('node is a saw-tooth between what lives and twice that', () => {
    const { rssAt } = runFor(10, ['node', '--live=30M', '--alloc=40M', '--young=8M'])
    const seen = Array.from({ length: 100 }, (_, i) => rssAt(10 + i * 0.2) / MIB)
    expect(Math.max(...seen) - Math.min(...seen)).toBeGreaterThan(20)
    expect(Math.max(...seen)).toBeLessThan(60 + 8 + 15)
    expect(Math.min(...seen)).toBeGreaterThan(30)
  })

  test('postgres keeps its pool and leaves the same data in the page cache', () => {
    const { machine, rss } = runFor(20, [
      'postgres',
      '--data=/base',
      '--size=64M',
      '--shared-buffers=32M',
      '--rate=3000',
      '--connections=2',
    ])
    expect(rss).toBeGreaterThan(20 * MIB)
    expect(Number(/^Cached:\s+(\d+)/m.exec(machine.read('/proc/meminfo'))![1])).toBeGreaterThan(60 * MIB)
  })

  test('batch ends by itself, leak never does', () => {
    const { machine, pid } = runFor(6, ['batch', '--size=20M', '--ramp=1', '--for=3'])
    expect(machine.exits.get(pid)).toBe(0)
    const leak = runFor(10, ['leak', '--base=10M', '--rate=10M'])
    expect(leak.rss).toBeGreaterThan(85 * MIB)
    expect(leak.rss).toBeLessThan(120 * MIB)
  })

  test('an option that is not known is named, with those that are', () => {
    const { machine, pid } = runFor(4, ['node', '--liv=3M'])
    expect(machine.exits.get(pid)).toBe(2)
    expect(machine.output).toContain("node: '--liv=3M' is not understood\nUsage: node [OPTION]...")
  })
})

describe('recorded curves', () => {
  test('CSV with a heading, seconds or dates', () => {
    expect(parseCurve('time,bytes\n10,100\n20,300\n')).toEqual({ seconds: [0, 10], bytes: [100, 300] })
    expect(parseCurve('2024-02-29T23:59:50Z,1\n2024-03-01 00:00:05,2')).toMatchObject({ seconds: [0, 15] })
  })
  test('a range query of Prometheus', () => {
    const reply = {
      status: 'success',
      data: {
        resultType: 'matrix',
        result: [
          {
            metric: {},
            values: [
              [1.5, '10'],
              [3.5, '30'],
            ],
          },
        ],
      },
    }
    const curve = parseCurve(JSON.stringify(reply))
    expect(curve).toEqual({ seconds: [0, 2], bytes: [10, 30] })
    expect(typeof curve === 'string' ? 0 : curveAt(curve, 0.5)).toBe(15)
  })
  test.each([
    ['', 'there are no points'],
    ['1,2\nx,3', "line 2: 'x,3' is not TIME,BYTES"],
    ['5,1\n5,2', 'point 2: its time is not after'],
    ['{"a"', 'it begins with { and is not JSON'],
    ['{"data":{"resultType":"vector","result":[]}}', 'resultType is not matrix'],
    ['{"data":{"resultType":"matrix","result":[{},{}]}}', 'it holds 2 series'],
  ])('%j is refused: %s', (text, why) => expect(parseCurve(text)).toContain(why))
})
