import { expect, test } from 'vitest'
import { VM_512M } from '../../test/support/session'
import { loadMachine, toConfig } from '../profiles/index'
import { createHeadless } from './headless'
import { programs, realEngine } from './real-engine'

const SCRIPT = `
swapoff /dev/vdb
modprobe zram
echo lz4 > /sys/block/zram0/comp_algorithm
echo 256M > /sys/block/zram0/disksize
mkswap /dev/zram0 > /dev/null
stat() { echo $1 $(cat /sys/block/zram0/mm_stat); }
stat header
swapon -p 100 /dev/zram0
mm hog mb=440 hold=-1 > /dev/null &
sleep 1
stat full
echo zspages $(awk '/^nr_zspages/ { print $2 }' /proc/vmstat)
echo used $(awk '/zram0/ { print $4 }' /proc/swaps)
kill $!
sleep 1
swapoff /dev/zram0
stat off
echo 1 > /sys/block/zram0/reset
stat reset
`

test('zram keeps swapped pages compressed in memory, and gives the memory back with them', async () => {
  const loaded = loadMachine(VM_512M, 'vm-512m.json')
  if (!loaded.ok) throw new Error(loaded.error.message)
  const headless = createHeadless(toConfig(loaded.value), 1, { engine: realEngine(), programs })
  let out = ''
  await headless.runScript(SCRIPT, { onStdout: (text) => (out += text) })
  const row = (name: string): number[] => new RegExp(`^${name} (.*)$`, 'm').exec(out)![1]!.split(' ').map(Number)
  // As a capture has it after mkswap with lz4: one page of 63 bytes in a zspage of five pages.
  expect(row('header').slice(0, 5)).toEqual([4096, 63, 20_480, 0, 20_480])
  const [stored, compressed, used] = row('full')
  expect(stored).toBeGreaterThan(40 * 2 ** 20)
  expect(compressed! / stored!).toBeCloseTo(0.4, 2)
  expect(used).toBeGreaterThanOrEqual(compressed!)
  expect(used).toBeLessThan(compressed! * 1.05)
  expect(row('zspages')[0]! * 4096).toBe(used)
  expect(row('used')[0]! * 1024).toBe(stored! - 4096)
  expect(row('off').slice(0, 3)).toEqual([4096, 63, 20_480])
  expect(row('reset').slice(0, 3)).toEqual([0, 0, 0])
  expect(realEngine().checkInvariants(headless.state())).toEqual([])
})
