import { expect, test } from 'vitest'
import { VM_512M } from '../../test/support/session'
import { loadMachine, toConfig } from '../profiles/index'
import { digestTree } from '../util/hash'
import { createHeadless } from './headless'
import { goBack, RECORD_ALL, replayTo } from './machine'
import { programs, realEngine } from './real-engine'

const FRAGMENT = `
mm frag mb=300 keep=2 dir=/tmp > /dev/null &
while [ ! -f /tmp/frag.touched ]; do sleep 0.05; done
touch /tmp/frag.go
while [ ! -f /tmp/frag.freed ]; do sleep 0.05; done
`

async function run(script: string) {
  const profile = loadMachine(VM_512M, 'vm-512m.json')
  if (!profile.ok) throw new Error(profile.error.message)
  const headless = createHeadless(toConfig(profile.value), 7, { engine: realEngine(), programs, record: RECORD_ALL })
  const said: { readonly text: string; readonly atNs: number }[] = []
  const hear = (text: string): void => void said.push({ text: text.trim(), atNs: headless.sys.now() })
  const { stopped } = await headless.runScript(FRAGMENT + script, { onStdout: hear, onStderr: hear, untilNs: 60e9 })
  expect(stopped).toBe('')
  const at = (text: string): number => said.find((s) => s.text === text)?.atNs ?? NaN
  return { machine: headless.machine, said: said.map(({ text }) => text), at }
}

test.each([
  'echo 1 > /proc/sys/vm/compact_memory',
  'sysctl -q -w vm.compact_memory=1',
  'echo 1 | tee /proc/sys/vm/compact_memory > /dev/null',
  'echo 60 > /proc/sys/vm/nr_hugepages',
])(
  '%s takes the time of its work',
  async (line) => {
    const { machine, at } = await run(`echo before\n${line}\necho after`)
    expect(at('after') - at('before')).toBeGreaterThan(5e6)
    expect(machine.engine.checkInvariants(machine.state)).toEqual([])
  },
  60_000,
)

test('others go on meanwhile, a refusal is said at once, and the run replays to the same bits', async () => {
  const { machine, said, at } = await run(`
( sleep 0.004; echo besides ) &
sleep 0.003
echo before
echo 1 > /proc/sys/vm/compact_memory
echo after
echo 2 > /proc/sys/vm/compact_memory || echo refused
wait %2
`)
  expect(at('besides')).toBeGreaterThan(at('before'))
  expect(at('besides')).toBeLessThan(at('after'))
  expect(said).toContain('refused')
  const digest = digestTree(machine.state)
  goBack(machine, at('before') + 2e6)
  expect(machine.state.nowNs).toBeLessThan(at('after'))
  replayTo(machine, { atNs: Infinity, eventCount: Infinity })
  expect(digestTree(machine.state)).toBe(digest)
}, 60_000)

test('a writer that is killed in the middle ends its shell line, and the next one runs', async () => {
  const { machine, said } = await run(`
( while echo 1 > /proc/sys/vm/compact_memory; do :; done; echo survived ) &
writer=$!
sleep 0.002
kill -9 $writer
wait $writer
echo status $?
`)
  expect(said).toContain('status 137')
  expect(said).not.toContain('survived')
  expect(machine.state.compaction.manual).toEqual({})
}, 60_000)
