import { expect, test } from 'vitest'
import { MIB } from '../../util/units'
import { dockerDelay, kubeletDelay } from './backoff'
import { availableBytes, pickVictim, type Candidate } from './eviction'

test('the kubelet waits 0, 10, 20, 40 … 300 s from the end on, and forgets after ten quiet minutes', () => {
  const backoff = { delayNs: 0, setNs: 0 }
  const waits: number[] = []
  let now = 0
  for (let i = 0; i < 8; i++) {
    const wait = kubeletDelay(backoff, now)
    waits.push(wait / 1e9)
    now += wait + 1e9
  }
  expect(waits).toEqual([0, 10, 20, 40, 80, 160, 300, 300])
  expect(kubeletDelay(backoff, now + 700e9)).toBe(0)
})

test('Docker waits 100 ms times powers of two up to a minute, and starts anew after ten seconds of running', () => {
  const backoff = { delayNs: 0, setNs: 0 }
  const waits = Array.from({ length: 11 }, () => dockerDelay(backoff, 1e9) / 1e6)
  expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000])
  expect(dockerDelay(backoff, 10e9) / 1e6).toBe(100)
})

test('who is above its request goes first, then the lower priority, then who is furthest above', () => {
  const candidate = (name: string, request: number, used: number, priority = 0): Candidate => ({
    folder: name,
    name,
    cgroup: name,
    priority,
    requestBytes: request * MIB,
    workingSetBytes: used * MIB,
  })
  const big = candidate('big', 500, 400)
  const over = candidate('over', 10, 20)
  const more = candidate('more', 10, 50)
  const important = candidate('important', 0, 300, 100)
  expect(pickVictim([big, over])?.name).toBe('over')
  expect(pickVictim([big, over, more])?.name).toBe('more')
  expect(pickVictim([important, over])?.name).toBe('over')
  expect(pickVictim([candidate('critical', 0, 300, 2_000_000_000)])).toBeUndefined()
})

test('memory.available is what is free and what nobody uses of the page cache', () => {
  expect(availableBytes('MemTotal: 1000 kB\nMemFree:   100 kB\n', 'anon 5\ninactive_file 2048\n')).toBe(104448)
})
