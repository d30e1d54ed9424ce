import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { loadMachine } from '../profiles'
import { formatUserError } from '../util/result'
import { boot, conformance, exec, importMachine, type RunCommand } from './commands'
import { run } from './run'

const folder = mkdtempSync(join(tmpdir(), 'pagewalk-cli-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function call(command: RunCommand, ...argv: string[]): Promise<{ status: number; out: string; err: string }> {
  let out = ''
  let err = ''
  const output = { out: (t: string) => (out += t), err: (t: string) => (err += t), progress: () => {} }
  const result = await command(argv, output)
  return result.ok ? { status: result.value, out, err } : { status: 2, out, err: err + formatUserError(result.error) }
}

test('boot prints the kernel log, as lines or as JSON', async () => {
  const text = await call(boot, 'vm-512m')
  expect(text.status).toBe(0)
  expect(text.out).toMatch(/^\[ {4}0\.000000\] Linux version 6\.12/)
  expect(text.out).toContain('] Policy zone: DMA32\n')
  const json = JSON.parse((await call(boot, 'vm-512m', '--json')).out) as { format: string; dmesg: string[] }
  expect(json.format).toBe('pagewalk-boot')
  expect(`${json.dmesg.join('\n')}\n`).toBe(text.out)
})

test('exec passes output, environment and exit status through', async () => {
  const done = await call(exec, 'vm-512m', '--env', 'WHO=world', '-c', 'echo "hello $WHO"; echo oops >&2; exit 3')
  expect(done).toEqual({ status: 3, out: 'hello world\n', err: 'oops\n' })
  writeFileSync(join(folder, 'script.sh'), 'cat /proc/sys/vm/swappiness\n')
  expect((await call(exec, 'vm-512m', join(folder, 'script.sh'))).out).toBe('60\n')
  const json = JSON.parse((await call(exec, 'vm-512m', '--json', '-c', 'sleep 2; echo a')).out) as {
    stdout: string
    status: number
    simulatedNs: number
  }
  expect(json).toMatchObject({ stdout: 'a\n', status: 0 })
  expect(json.simulatedNs).toBeGreaterThan(2e9)
})

test('the same seed gives the same bits, whatever else ran before', async () => {
  const script = 'mm hog mb=64 rand=1 report=16 hold=1; cat /proc/vmstat /proc/buddyinfo'
  const first = await call(exec, 'vm-512m', '--seed', '5', '-c', script)
  const second = await call(exec, 'vm-512m', '--seed', '5', '-c', script)
  expect(second).toEqual(first)
})

test('import writes a profile that loads', async () => {
  const target = join(folder, 'imported.json')
  const done = await call(importMachine, 'test/captures/truth/static-8g-2cpu', '-o', target)
  expect(done.status).toBe(0)
  expect(loadMachine(readFileSync(target, 'utf8'), target).ok).toBe(true)
  const booted = await call(exec, target, '-c', 'grep -A9 "zone   Normal" /proc/zoneinfo | grep managed')
  expect(booted.out).toMatch(/managed +1264832/)
})

describe('run', () => {
  const scenario = join(folder, 'scenario.json')
  writeFileSync(
    scenario,
    JSON.stringify({
      format: 'pagewalk-scenario',
      version: 1,
      name: 'small',
      machine: 'vm-512m',
      script: ['echo started', 'sleep 1', 'mm hog mb=64 rand=1 hold=1', 'sleep 100'],
      until: '5s',
    }),
  )

  test.each([
    ['csv', 'series.csv', /^atNs,/],
    ['json', 'run.json', /^\{"format":"pagewalk-run","version":1,/],
    ['perfetto', 'trace.json', /^\{"displayTimeUnit":"ms","traceEvents":\[/],
  ])('as %s', async (format, file, head) => {
    const out = join(folder, format)
    const done = await call(run, scenario, '--out', out, '--format', format)
    expect(done.err).toContain('small: 5 s simulated')
    expect(readFileSync(join(out, 'stdout.txt'), 'utf8')).toMatch(/^started\n/)
    expect(readFileSync(join(out, file), 'utf8')).toMatch(head)
    expect(existsSync(join(out, 'dmesg.txt'))).toBe(true)
  })
})

describe('mistakes are one line and status 2', () => {
  test.each<[RunCommand, string[], string]>([
    [boot, [], 'pagewalk boot: MACHINE is missing. Usage: pagewalk boot MACHINE …'],
    [exec, ['vm-512m'], 'pagewalk exec: FILE is missing. Usage: pagewalk exec MACHINE FILE …'],
    [exec, ['vm-512m', 'resources'], 'resources: This is a folder, not a script. Name a file in it.'],
    [
      exec,
      ['vm-512m', '--env', '1=2', '-c', ''],
      "pagewalk exec: --env: '1=2' is no assignment. Write --env NAME=VALUE.",
    ],
    [importMachine, ['nowhere'], 'nowhere: There is no such file or folder. Give a capture folder or a tar.'],
    [
      importMachine,
      ['test/captures/truth/static-1g-2cpu', '-o', '/nonexistent/x.json'],
      "/nonexistent/x.json: The file cannot be written: ENOENT: no such file or directory, open '/nonexistent/x.json'. Give a path in a folder that exists and may be written.",
    ],
    [
      conformance,
      ['resources'],
      'resources: There is no harness/fn.sh in it. Give the folder that holds harness/ beside the cases.',
    ],
    [run, ['resources'], 'resources: This is a folder, not a scenario. Name a file in it.'],
    [
      run,
      ['package.json'],
      'package.json: format: The file does not say its format; a scenario is needed. Expected "format": "pagewalk-scenario".',
    ],
  ])('%#', async (command, argv, message) => {
    expect(await call(command, ...argv)).toEqual({ status: 2, out: '', err: message })
  })
})

test('conform prints a stable JSON document', async () => {
  const done = await call(
    conformance,
    'test/captures/truth',
    'static-1g-full612',
    '--json',
    '--out',
    join(folder, 'sim'),
  )
  const document = JSON.parse(done.out) as {
    format: string
    cases: { name: string; verdicts: object[] }[]
    totals: object[]
  }
  expect(document.format).toBe('pagewalk-conform')
  expect(document.cases[0]!.name).toBe('static-1g-full612')
  expect(document.cases[0]!.verdicts.length).toBeGreaterThan(80)
  expect(document.totals).toEqual([expect.objectContaining({ kind: '1-static', cases: 1 })])
  expect(readFileSync(join(folder, 'sim/static-1g-full612/base/zoneinfo'), 'utf8')).toMatch(/^Node 0, zone {6}DMA\n/)
})

test('a manifest becomes a script that carries it out, and a broken one a line', async () => {
  const path = join(folder, 'pod.yaml')
  const body = 'containers: [{name: a, image: redis, resources: {limits: {memory: 64Mi}, requests: {memory: 32Mi}}}]'
  writeFileSync(path, `kind: Pod\nmetadata: {name: p}\nspec: {${body}}\n`)
  const made = await call(importMachine, path, '--machine', 'vm-1g', '--memory-qos', '1.27')
  expect(made.err).toContain("p: Burstable, a adj 967 runs 'redis-server --dump=")
  const script = join(folder, 'pod.sh')
  writeFileSync(script, `${made.out}sleep 2\nkubectl get pods\ncat /sys/fs/cgroup/kubepods.slice/*/*/*/memory.max\n`)
  const ran = await call(exec, 'vm-1g', script)
  expect(ran.out).toMatch(/p +1\/1 +Running +0 +Burstable[^]*\n67108864\n$/)
  writeFileSync(path, 'kind: Pod\n')
  expect(await call(importMachine, path)).toMatchObject({ status: 2, err: expect.stringContaining('metadata.name') })
})
