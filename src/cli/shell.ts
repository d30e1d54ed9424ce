/** pagewalk shell: the machine's own shell on this terminal. Simulated time passes only while commands run. */
import { createInterface } from 'node:readline'
import { ok } from '../util/result'
import { operands, parseArgs, seedOf } from './args'
import type { RunCommand } from './commands'
import { bootProfile, untilDone } from './headless'
import { resolveMachine } from './machines'

export const shell: RunCommand = async (argv, output) => {
  const parsed = parseArgs(argv, { '--seed': { takes: 'one' } }, 'shell')
  if (!parsed.ok) return parsed
  const given = operands(parsed.value, ['MACHINE'], 'shell')
  if (!given.ok) return given
  const seed = seedOf(parsed.value, 'shell')
  if (!seed.ok) return seed
  const profile = resolveMachine(given.value[0]!)
  if (!profile.ok) return profile
  const headless = bootProfile(profile.value, seed.value)
  const inside = headless.openShell({
    interactive: true,
    out: (text, stream) => (stream === 1 ? output.out(text) : output.err(text)),
  })
  const lines = createInterface({
    input: process.stdin,
    output: process.stdout,
    terminal: process.stdin.isTTY === true,
    completer: (line: string) => [inside.complete(line, line.length).map((word) => completed(line, word)), line],
  })
  const isTerminal = process.stdin.isTTY === true
  const prompt = (): void => {
    if (!isTerminal) return
    lines.setPrompt(inside.prompt())
    lines.prompt()
  }
  lines.on('SIGINT', () => inside.interrupt())
  let pending = ''
  prompt()
  for await (const line of lines) {
    pending += `${line}\n`
    if (inside.wantsMore(pending)) continue
    const text = pending
    pending = ''
    await untilDone(headless, inside.run(text))
    if (inside.hasExited || headless.state().panicked !== '') break
    prompt()
  }
  lines.close()
  return ok(inside.hasExited ? inside.status : await untilDone(headless, inside.finish()))
}

const completed = (line: string, word: string): string =>
  line.slice(0, line.length - (/[^\s]*$/.exec(line)?.[0].length ?? 0)) + word
