import { describe, expect, test } from 'vitest'
import { formatUserError, ok } from '../util/result'
import { readDocument } from './load'
import { MACHINE_FORMAT, type MachineProfile } from './machine'
import { loadScenario } from './scenario'
import { formatSession, loadSession, type Session } from './session'

const profile: MachineProfile = {
  format: 'pagewalk-machine',
  version: 1,
  name: 'lab',
  kernel: { series: '6.12' },
  nodes: [{ size: '1G', cpus: '0' }],
}

const session: Session = {
  appVersion: '0.1.0',
  profile,
  seed: 7,
  commands: [
    {
      atNs: 0,
      eventCount: 0,
      command: { kind: 'spawn', parent: 1, argv: ['mm', 'hog'], env: { A: 'b' }, stdout: { to: 'host' } },
    },
    {
      atNs: 5,
      eventCount: 2,
      command: { kind: 'write', pid: 1, path: '/proc/sys/vm/swappiness', text: '10\n', create: false, append: false },
    },
  ],
  endNs: 1e9,
  endEventCount: 40,
  digest: '0123456789abcdef',
}

test('a session is read back as it was written', () => {
  expect(loadSession(formatSession(session), 's.json')).toEqual(ok(session))
  expect(loadSession(formatSession({ ...session, commands: [] }), 's.json')).toEqual(ok({ ...session, commands: [] }))
})

function complaint(change: Record<string, unknown>): string {
  const document = { ...(JSON.parse(formatSession(session)) as object), ...change }
  const loaded = loadSession(JSON.stringify(document), 's.json')
  return loaded.ok ? 'accepted' : formatUserError(loaded.error)
}

describe('a session that cannot be replayed is refused', () => {
  const fork = (atNs: number, more: object = {}) => ({
    atNs,
    eventCount: 0,
    command: { kind: 'fork', parent: 1, ...more },
  })
  test.each([
    [
      { version: 2 },
      's.json: version: The file is version 2 of pagewalk-session; this Pagewalk reads up to version 1. Open it with a newer Pagewalk.',
    ],
    [{ seed: -1 }, 's.json: seed: -1 is not accepted. Accepted: a whole number from 0 to 4294967295.'],
    [
      { commands: [fork(5), fork(4)] },
      's.json: commands[1].atNs: 4 ns comes after a command at 5 ns. Commands stand in the order of their time.',
    ],
    [
      { commands: [fork(5)], endNs: 4 },
      's.json: endNs: The run ends at 4 ns, before its last command at 5 ns. Use at least 5.',
    ],
    [
      { commands: [fork(1, { parnet: 2 })] },
      "s.json: commands[0].command.parnet: There is no field 'parnet' here. Did you mean 'parent'?",
    ],
    [
      { commands: [{ atNs: 1, eventCount: 0, command: { kind: 'explode' } }] },
      /commands\[0\]\.command\.kind: "explode" is not accepted\. Accepted: one of spawn, fork, exit/,
    ],
    [{ profile: { ...profile, nodes: [] } }, /^s\.json: profile: nodes: A machine without a node/],
  ])('%j', (change, message) => {
    if (typeof message === 'string') expect(complaint(change)).toBe(message)
    else expect(complaint(change)).toMatch(message)
  })
})

describe('scenarios', () => {
  const scenario = {
    format: 'pagewalk-scenario',
    version: 1,
    name: 'oom',
    machine: 'vm-512m',
    script: ['stress --vm 1 --vm-bytes 600M', 'dmesg'],
    until: '60s',
  }
  const load = (change: Record<string, unknown>) => loadScenario(JSON.stringify({ ...scenario, ...change }), 'sc.json')

  test('lines become a script, the duration nanoseconds, what is left open gets its default', () => {
    expect(load({})).toEqual(
      ok({
        name: 'oom',
        title: 'oom',
        description: '',
        machine: 'vm-512m',
        seed: 1,
        env: {},
        script: 'stress --vm 1 --vm-bytes 600M\ndmesg\n',
        untilNs: 60_000_000_000,
      }),
    )
  })

  test.each([
    [
      { until: 'soon' },
      'sc.json: until: "soon" is not accepted. Accepted: a duration such as "60s", "500ms" or "10m".',
    ],
    [{ script: [] }, 'sc.json: script: The list [] is not accepted. Accepted: a list of lines.'],
    [{ scripts: [] }, "sc.json: scripts: There is no field 'scripts' here. Did you mean 'script'?"],
    [{ machine: { ...profile, nodes: [] } }, /^sc\.json: machine: nodes: A machine without a node/],
  ])('%j', (change, message) => {
    const loaded = load(change)
    const text = loaded.ok ? 'accepted' : formatUserError(loaded.error)
    if (typeof message === 'string') expect(text).toBe(message)
    else expect(text).toMatch(message)
  })
})

test('an old document is upgraded step by step until it is of today', () => {
  const steps: number[] = []
  const step = (from: number) => ({
    from,
    apply: (document: Record<string, unknown>) => {
      steps.push(from)
      return { ...document, name: `${String(document['name'])}-${from}` }
    },
  })
  const schema = MACHINE_FORMAT.schema
  const future = {
    ...MACHINE_FORMAT,
    version: 3,
    upgrades: [step(1), step(2)],
    schema: { safeParse: (d: unknown) => ({ success: true, data: d }) } as unknown as typeof schema,
  }
  expect(readDocument(future, profile, 'old.json')).toEqual(ok({ ...profile, version: 3, name: 'lab-1-2' }))
  expect(steps).toEqual([1, 2])
})
