/** pagewalk on the command line: one table of commands. A mistake is one line on standard error and exit status 2. */
import { formatUserError } from '../util/result'
import { adviseLimit } from './advise'
import { bench } from './bench'
import { boot, conformance, exec, importMachine, type RunCommand } from './commands'
import { lab } from './lab'
import { processOutput } from './output'
import { run } from './run'
import { shell } from './shell'

interface CommandRow {
  readonly usage: string
  readonly what: string
  readonly run: RunCommand
}

const COMMANDS: Readonly<Record<string, CommandRow>> = {
  boot: { usage: 'MACHINE [--seed N] [--json]', what: 'boot, print the kernel log', run: boot },
  exec: {
    usage: "MACHINE [--seed N] [--env k=v]… (-c 'script' | FILE) [--json]",
    what: 'run a shell script in the machine',
    run: exec,
  },
  shell: { usage: 'MACHINE [--seed N]', what: 'the same, interactive', run: shell },
  run: {
    usage: 'SCENARIO [--until 60s] [--out DIR] [--format csv|json|perfetto]',
    what: 'run a scenario and keep its record',
    run,
  },
  import: {
    usage: 'CAPTURE | POD.yaml [--machine M] [--memory-qos V] [-o FILE]',
    what: 'a captured machine becomes a profile, a manifest a script',
    run: importMachine,
  },
  advise: {
    usage: 'POD.yaml [--machine M] [--workload W] [--container C] [--for 60s] [--json]',
    what: 'try memory limits, name the one that holds',
    run: adviseLimit,
  },
  conform: {
    usage: 'TRUTH-DIR [CASE…] [--out DIR] [--json] [--all]',
    what: 'compare with captures of real kernels',
    run: conformance,
  },
  bench: { usage: '[--json] [--only NAME]…', what: 'measure the simulator against its opponents', run: bench },
  lab: { usage: 'check [LAB…]', what: 'each lab solves itself', run: lab },
}

const HELP = `pagewalk: a flight simulator for Linux memory management

${Object.entries(COMMANDS)
  .map(([name, row]) => `  pagewalk ${`${name} ${row.usage}`.padEnd(70)} ${row.what}`)
  .join('\n')}

MACHINE is a profile file, a ready machine, a capture folder or archive.
`

async function main(argv: readonly string[]): Promise<number> {
  const output = processOutput()
  const [name, ...rest] = argv
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    output.out(HELP)
    return name === undefined ? 2 : 0
  }
  const command = COMMANDS[name]
  if (!command) {
    output.err(`pagewalk: ${name}: There is no such command. Known: ${Object.keys(COMMANDS).join(', ')}.\n`)
    return 2
  }
  const result = await command.run(rest, output)
  if (result.ok) return result.value
  output.err(`${formatUserError(result.error)}\n`)
  return 2
}

// A reader that closes the pipe early, such as head, ends us quietly.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

main(process.argv.slice(2)).then(
  (status) => {
    process.exitCode = status
  },
  (error: unknown) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    process.stderr.write(`pagewalk: this is our own mistake, please report it:\n${text}\n`)
    process.exitCode = 70
  },
)
