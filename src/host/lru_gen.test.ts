import { expect, test } from 'vitest'
import { VM_512M } from '../../test/support/session'
import { loadMachine, toConfig } from '../profiles/index'
import { createHeadless } from './headless'
import { programs, realEngine } from './real-engine'

test('lru_gen in debugfs has every group, and its generations add up to the lists of the node', async () => {
  const loaded = loadMachine(VM_512M, 'vm-512m.json')
  if (!loaded.ok) throw new Error(loaded.error.message)
  const headless = createHeadless(toConfig(loaded.value), 1, { engine: realEngine(), programs })
  await headless.runScript('mm hog mb=50 hold=-1 > /dev/null & sleep 0.5')
  const read = (path: string): string => {
    const text = headless.readFile(path)
    if (!text.ok) throw new Error(path)
    return text.value
  }
  const lines = read('/sys/kernel/debug/lru_gen').trimEnd().split('\n')
  expect(lines.slice(0, 2)).toEqual(['memcg     1 /', ' node     0'])
  const rows = lines.filter((line) => !/^(memcg| node)/.test(line)).map((line) => line.trim().split(/\s+/).map(Number))
  expect(rows.every((row) => row.length === 4)).toBe(true)
  const anon = rows.reduce((sum, row) => sum + row[2]!, 0)
  const vmstat = read('/proc/vmstat')
  const of = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(vmstat)![1])
  expect(anon).toBe(of('nr_active_anon') + of('nr_inactive_anon'))
  expect(anon).toBeGreaterThan(12_800)
})
