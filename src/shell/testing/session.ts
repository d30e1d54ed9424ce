/** A shell over a machine of tables, for tests: what a user would see. */
import { createShell, type Shell, type ShellOptions } from '../shell'
import { fakeMachine, type FakeMachine, type FakeProgram } from './machine'

export interface TestSession {
  readonly machine: FakeMachine
  readonly shell: Shell
  /** Everything printed so far, both streams. */
  readonly seen: () => string
  readonly explained: string[]
  /** Runs text to its end and gives what it printed. */
  run(text: string): Promise<string>
}

export function testSession(
  programs: Readonly<Record<string, FakeProgram>> = {},
  options: Partial<ShellOptions> = {},
): TestSession {
  const machine = fakeMachine({ mm, sleep, usleep, ...programs })
  let output = ''
  const explained: string[] = []
  const shell = createShell(machine, {
    pid: 100,
    interactive: true,
    out: (text) => (output += text),
    explain: (text) => explained.push(text),
    ...options,
  })
  return {
    machine,
    shell,
    seen: () => output,
    explained,
    async run(text) {
      const from = output.length
      await machine.settle(shell.run(text))
      return output.slice(from)
    },
  }
}

const seconds = (text: string | undefined): number => Number(text ?? 0) * 1e9

const sleep: FakeProgram = (argv) => [{ sleepNs: seconds(argv[1]) }]
const usleep: FakeProgram = (argv) => [{ sleepNs: Number(argv[1] ?? 0) * 1000 }]

/** Only as much of the lab program as the scripts need: it prints, it stays, or it ends. */
const mm: FakeProgram = (argv) => {
  const option = (name: string): string | undefined =>
    argv.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1)
  const log = option('log')
  const done = log === undefined ? [{ print: 'hog done\n' }] : [{ writeFile: log, text: 'hog done\n' }]
  if (argv[1] === 'sample') return [{ pause: true }]
  if (argv[1] === 'frag' || argv[1] === 'pipes')
    return [
      { sleepNs: 1e8 },
      { writeFile: `/tmp/${argv[1]}.touched`, text: '' },
      { sleepNs: 1e8 },
      { writeFile: `/tmp/${argv[1]}.freed`, text: '' },
      { sleepNs: 3e8 },
    ]
  if (option('hold') === '-1') return [{ sleepNs: 2e8 }, ...done, { pause: true }]
  return [{ print: `mm ${argv.slice(1).join(' ')}\n` }, { sleepNs: 1e8 }, ...done]
}
