/** Files whose bytes nobody keeps: tools read and copy them through the page cache, in their own time. */
import { expect, test } from 'vitest'
import { VM_512M } from '../../test/support/session'
import { loadMachine, toConfig } from '../profiles/index'
import { digestTree } from '../util/hash'
import { createHeadless, type Headless } from './headless'
import { goBack, RECORD_ALL, replayTo } from './machine'
import { programs, realEngine } from './real-engine'

function boot(): Headless {
  const profile = loadMachine(VM_512M, 'vm-512m.json')
  if (!profile.ok) throw new Error(profile.error.message)
  return createHeadless(toConfig(profile.value), 7, { engine: realEngine(), programs, record: RECORD_ALL })
}

async function run(machine: Headless, script: string): Promise<string> {
  let text = ''
  const keep = (piece: string): void => void (text += piece)
  await machine.runScript(script, { onStdout: keep, onStderr: keep })
  return text
}

const cachedMib = "awk '/^Cached/{print int($2/1024)}' /proc/meminfo"

test('dd fills the page cache, cat and cp read it, and what a tool reads is there afterwards', async () => {
  const machine = boot()
  const text = await run(
    machine,
    `
base=$(${cachedMib})
grown() { echo $(( $(${cachedMib}) - base )); }
dd if=/dev/zero of=/tmp/big bs=1M count=64 conv=fsync 2>&1 | head -2
grown
echo 3 > /proc/sys/vm/drop_caches
grown
cat /tmp/big > /dev/null; grown
cp /tmp/big /tmp/copy; grown
cat /tmp/big /tmp/copy > /tmp/both
ls -l /tmp/copy /tmp/both | awk '{print $5}'
wc -c /tmp/both
head -c 100000 /tmp/both | wc -c
dd if=/tmp/big of=/dev/null bs=1M skip=60 2>&1 | head -1
`,
  )
  const [records, , filled, dropped, read, copied, ...rest] = text.trim().split('\n')
  expect(records).toBe('64+0 records in')
  const mib = [filled, dropped, read, copied].map((count) => 16 * Math.floor((Number(count) + 8) / 16))
  expect(mib).toEqual([64, 0, 64, 128])
  expect(rest).toEqual(['67108864', '134217728', '134217728 /tmp/both', '100000', '4+0 records in'])
  expect(machine.machine.engine.checkInvariants(machine.machine.state)).toEqual([])
}, 60_000)

test('reading from the device takes time, a second time it does not, and it replays to the same bits', async () => {
  const machine = boot()
  const text = await run(
    machine,
    `
dd if=/dev/zero of=/tmp/big bs=1M count=64 conv=fsync status=none
echo 3 > /proc/sys/vm/drop_caches
for i in 1 2; do dd if=/tmp/big of=/dev/null bs=1M 2>&1 | tail -1; done
`,
  )
  const [cold = NaN, warm = NaN] = [...text.matchAll(/copied, ([\d.e-]+) s/g)].map((match) => Number(match[1]))
  expect(cold).toBeGreaterThan(3 * warm)
  const { state } = machine.machine
  const digest = digestTree(state)
  goBack(machine.machine, state.nowNs / 2)
  replayTo(machine.machine, { atNs: Infinity, eventCount: Infinity })
  expect(digestTree(machine.machine.state)).toBe(digest)
}, 60_000)

test('a reader can be killed, and what the kernel refuses is said with the path', async () => {
  const machine = boot()
  const text = await run(
    machine,
    `
dd if=/dev/zero of=/tmp/big bs=1M count=200 conv=fsync status=none
echo 3 > /proc/sys/vm/drop_caches
timeout 0.01 cat /tmp/big > /dev/null; echo $?
cp /tmp/big /nowhere/x; echo $?
dd if=/nowhere of=/dev/null; echo $?
grep x /tmp/big; echo $?
`,
  )
  expect(text.trim().split('\n')).toEqual([
    '124',
    'cp: /nowhere/x: No such file or directory',
    '1',
    "dd: failed to open '/nowhere': No such file or directory",
    '1',
    'grep: /tmp/big: more than 64 MiB: grep looks at every byte, and so much is not kept',
    '2',
  ])
  expect(machine.machine.engine.checkInvariants(machine.machine.state)).toEqual([])
}, 60_000)
