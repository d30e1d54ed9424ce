import { describe, expect, test } from 'vitest'
import { formatUserError } from '../util/result'
import { operands, parseArgs, seedOf } from './args'
import { importPath, readText } from './folder'
import { readyMachines, resolveMachine } from './machines'

const TABLE = {
  '--json': { takes: 'flag' },
  '--env': { takes: 'many' },
  '-c': { takes: 'one' },
  '--seed': { takes: 'one' },
} as const

const said = (result: { ok: true } | { ok: false; error: Parameters<typeof formatUserError>[0] }): string =>
  result.ok ? 'accepted' : formatUserError(result.error)

test('options may stand anywhere, with a space or =, and -- ends them', () => {
  const parsed = parseArgs(
    ['vm', '--env', 'A=1', '--env=B=2=3', '--json', '-c', 'echo -n', '--', '--json'],
    TABLE,
    'exec',
  )
  if (!parsed.ok) throw new Error(parsed.error.message)
  expect(parsed.value.operands).toEqual(['vm', '--json'])
  expect(parsed.value.values).toEqual({ '--env': ['A=1', 'B=2=3'], '-c': ['echo -n'] })
  expect([...parsed.value.flags]).toEqual(['--json'])
})

describe('a mistake in the arguments is one line with the place and the mend', () => {
  const parse = (...argv: string[]) => parseArgs(argv, TABLE, 'exec')
  test.each([
    [parse('--jsn'), 'pagewalk exec: --jsn: There is no such option. Did you mean --json?'],
    [parse('-c'), 'pagewalk exec: -c: The option needs a value. Write -c VALUE.'],
  ])('%#', (result, message) => {
    expect(said(result)).toBe(message)
  })

  test('operands and seeds', () => {
    const none = parse()
    const two = parse('a', 'b', '--seed', '-1')
    if (!none.ok || !two.ok) throw new Error('not parsed')
    expect(said(operands(none.value, ['MACHINE'], 'boot'))).toBe(
      'pagewalk boot: MACHINE is missing. Usage: pagewalk boot MACHINE …',
    )
    expect(said(operands(two.value, ['MACHINE'], 'boot'))).toBe(
      "pagewalk boot: 'b' is one argument too many. Usage: pagewalk boot MACHINE …",
    )
    expect(said(seedOf(two.value, 'boot'))).toBe(
      "pagewalk boot: --seed: '-1' is no seed. Use a whole number from 0 to 4294967295.",
    )
  })
})

describe('MACHINE', () => {
  test.each([...readyMachines(), 'resources/machines/vm-512m.json', 'test/captures/truth/static-1g-2cpu'])(
    '%s',
    (text) => {
      expect(said(resolveMachine(text))).toBe('accepted')
    },
  )

  test('what is none says which there are', () => {
    expect(said(resolveMachine('vm-513m'))).toMatch(
      /^vm-513m: There is no such machine\. Give a profile file, .*vm-512m/,
    )
    expect(said(resolveMachine('resources'))).toBe(
      'resources: The capture has no proc/zoneinfo. Take it with the capture script, or give a folder with the files of /proc in it.',
    )
    expect(said(resolveMachine('package.json'))).toBe(
      'package.json: format: The file does not say its format; a machine profile is needed. Expected "format": "pagewalk-machine".',
    )
  })

  test('a folder instead of a file, and a file instead of an archive', () => {
    expect(said(readText('resources', 'scenario'))).toBe(
      'resources: This is a folder, not a scenario. Name a file in it.',
    )
    expect(said(readText('nowhere', 'scenario'))).toBe('nowhere: There is no such scenario. Check the path.')
    expect(said(importPath('package-lock.json'))).toBe(
      'package-lock.json: byte 0: There is no tar header here. Give a tar made by the capture script, or a folder.',
    )
  })
})
