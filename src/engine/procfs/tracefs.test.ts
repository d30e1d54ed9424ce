import { describe, expect, test } from 'vitest'
import { captureConfig, staticCaptures } from '../../../test/static-captures'
import { createHeadless, type Headless } from '../../host/headless'
import { programs, realEngine } from '../../host/real-engine'
import { digestTree } from '../../util/hash'

function machine(): Headless {
  const capture = staticCaptures().find((c) => c.name === 'static-256m-1cpu')!
  return createHeadless(captureConfig(capture, 'captured'), 7, { engine: realEngine(), programs })
}

async function run(m: Headless, text: string): Promise<string> {
  let out = ''
  await m.runScript(`cd /sys/kernel/tracing; ${text}`, { onStdout: (t) => (out += t), onStderr: (t) => (out += t) })
  return out
}

describe('tracefs', () => {
  test('events are recorded while they are switched on, in the format of the trace file', async () => {
    const m = machine()
    await run(m, 'echo 1 > events/vmscan/mm_vmscan_kswapd_wake/enable; mm hog mb=190 hold=0')
    const lines = (await run(m, 'cat trace')).trimEnd().split('\n').slice(12)
    expect(lines.length).toBeGreaterThan(0)
    const format = /^ {9}kswapd0-\d+ {2,7}\[000\] \.{5} +\d+\.\d{6}: mm_vmscan_kswapd_wake: nid=0 order=0$/
    expect(lines.filter((line) => !format.test(line))).toEqual([])
    expect(await run(m, 'cat events/enable events/vmscan/enable set_event')).toBe(
      'X\nX\nvmscan:mm_vmscan_kswapd_wake\n',
    )
    // Reading the pipe takes what is there.
    expect((await run(m, 'cat trace_pipe')).trimEnd().split('\n')).toHaveLength(lines.length)
    expect(await run(m, 'cat trace_pipe')).toBe('')
    await run(m, 'echo 0 > tracing_on; mm hog mb=190 hold=0')
    expect(await run(m, 'cat trace_pipe')).toBe('')
  })
  test('buffers take their memory when they are first used, 4080 bytes a page on every CPU', async () => {
    const m = machine()
    expect(await run(m, 'cat buffer_size_kb')).toBe('7 (expanded: 1408)\n')
    await run(m, 'echo 1 > events/oom/enable')
    expect(await run(m, 'cat buffer_size_kb')).toBe('1408\n')
    expect(m.state().tracing.frames).toHaveLength(354)
    await run(m, 'echo 16384 > buffer_size_kb')
    expect(m.state().tracing.frames).toHaveLength(4113)
    await run(m, 'echo 40 > buffer_size_kb')
    expect(m.state().tracing.frames).toHaveLength(11)
    expect(realEngine().checkInvariants(m.state())).toEqual([])
  })
  test('the oldest page is overwritten when the buffer is full, and counted', async () => {
    const m = machine()
    await run(m, 'echo 8 > buffer_size_kb; echo 1 > events/kmem/mm_page_free/enable; mm hog mb=4 hold=0')
    const stats = await run(m, 'cat per_cpu/cpu0/stats')
    expect(Number(/^overrun: (\d+)/m.exec(stats)![1])).toBeGreaterThan(100)
    expect(Number(/^bytes: (\d+)/m.exec(stats)![1])).toBeLessThanOrEqual(3 * 4080)
  })
  test('what it does not know is refused', async () => {
    const m = machine()
    expect(await run(m, 'echo 2 > tracing_on; echo nonsense > set_event; echo 0 > buffer_size_kb')).toMatch(
      /^(.*Invalid argument\n){3}$/,
    )
  })
  test('the same commands leave the same bits', async () => {
    const digest = async (): Promise<string> => {
      const m = machine()
      await run(m, 'echo 1 > events/vmscan/enable; mm hog mb=190 hold=0')
      return String(digestTree(m.state()))
    }
    expect(await digest()).toBe(await digest())
  })
})
