/** wait, jobs, kill, trap, fg and disown. */
import { strerror } from '../../util/errno'
import { findJob, jobLine, waitJob } from '../jobs'
import { explainRefusal, type Builtin, type Proc } from '../process'
import { SIGNALS, signalName, signalNumber } from '../signals'
import { refuse, say } from './say'

async function wait(proc: Proc, args: readonly string[]): Promise<number> {
  if (args.length > 0) {
    let status = 0
    for (const spec of args) status = await waitJob(proc, spec)
    return status
  }
  for (const job of [...proc.jobs]) {
    await proc.doom.race(job.done, { interruptible: true })
    if (!proc.isInteractive) job.isReported = true
  }
  return 0
}

async function jobs(proc: Proc, args: readonly string[]): Promise<number> {
  for (const job of proc.jobs) {
    if (job.isReported) continue
    if (args.includes('-p')) await say(proc, `${job.pids[0]}\n`)
    else await say(proc, jobLine(proc, job).replace(/^(\S+) /, args.includes('-l') ? `$1 ${job.pids[0]} ` : '$1 '))
    if (job.status !== undefined) job.isReported = true
  }
  return 0
}

async function kill(proc: Proc, args: readonly string[]): Promise<number> {
  const rest = [...args]
  let signal = 15
  const first = rest[0] ?? ''
  if (first === '-l' || first === '-L') {
    const asked = rest[1] === undefined ? undefined : signalName(Number(rest[1]) & 127)
    await say(
      proc,
      asked === undefined
        ? `${SIGNALS.slice(1)
            .map((s, i) => `${i + 1}) SIG${s}`)
            .join('  ')}\n`
        : `${asked}\n`,
    )
    return 0
  }
  if (first === '-s' || first === '-n' || (first.startsWith('-') && first !== '--')) {
    const word = first === '-s' || first === '-n' ? (rest[1] ?? '') : first.slice(1)
    const number = signalNumber(word)
    if (number === undefined) return refuse(proc, `kill: ${word}: invalid signal specification`)
    signal = number
    rest.splice(0, first === '-s' || first === '-n' ? 2 : 1)
  }
  if (rest[0] === '--') rest.shift()
  if (rest.length === 0)
    return refuse(proc, 'kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ...', 2)
  let status = 0
  for (const target of rest) status = (await killOne(proc, target, signal)) || status
  return status
}

async function killOne(proc: Proc, target: string, signal: number): Promise<number> {
  if (target.startsWith('%')) {
    const job = findJob(proc, target)
    if (job === undefined) return refuse(proc, `kill: ${target}: no such job`)
    for (const pid of job.pids) sendSignal(proc, pid, signal)
    return 0
  }
  if (!/^-?\d+$/.test(target)) return refuse(proc, `kill: ${target}: arguments must be process or job IDs`)
  const refusal = sendSignal(proc, Math.abs(Number(target)), signal)
  if (refusal === undefined) return 0
  return refuse(proc, proc.dialect === 'sh' ? `can't kill pid ${target}: ${refusal}` : `kill: (${target}) - ${refusal}`)
}

/** A shell process with a trap runs it; anything else gets the signal. The result is the refusal in the kernel's words. */
function sendSignal(proc: Proc, pid: number, signal: number): string | undefined {
  const shell = proc.world.procs.get(pid)
  const action = shell?.traps.get(signalName(signal) ?? '')
  if (shell !== undefined && action !== undefined && signal !== 9 && signal !== 19) {
    if (action !== '') shell.pendingTraps.push(action)
    return undefined
  }
  // An interactive bash ignores these.
  if (shell?.isInteractive && (signal === 15 || signal === 3)) return undefined
  const sent = proc.sys.kill(proc.pid, pid, signal)
  if (sent.ok) return undefined
  explainRefusal(proc.world, sent.error)
  return strerror(sent.error.errno)
}

async function trap(proc: Proc, args: readonly string[]): Promise<number> {
  const rest = args[0] === '--' ? args.slice(1) : args
  if (rest.length === 0 || rest[0] === '-p') {
    for (const [name, action] of proc.traps)
      await say(proc, `trap -- '${action.replaceAll("'", "'\\''")}' ${name === 'EXIT' ? name : `SIG${name}`}\n`)
    return 0
  }
  const resets = rest.length === 1 || rest[0] === '-'
  const specs = resets && rest[0] !== '-' ? rest : rest.slice(1)
  let status = 0
  for (const spec of specs) {
    const number = spec === 'EXIT' ? 0 : signalNumber(spec)
    const name = number === 0 ? 'EXIT' : number === undefined ? undefined : signalName(number)
    if (name === undefined) status = await refuse(proc, `trap: ${spec}: invalid signal specification`)
    else if (resets) proc.traps.delete(name)
    else proc.traps.set(name, rest[0] ?? '')
  }
  return status
}

async function foreground(proc: Proc, args: readonly string[]): Promise<number> {
  const job = findJob(proc, args[0]?.startsWith('%') === false ? `%${args[0]}` : (args[0] ?? '%+'))
  if (job === undefined) return refuse(proc, `fg: ${args[0] ?? 'current'}: no such job`)
  await say(proc, `${job.text}\n`)
  for (const pid of job.pids) proc.group.pids.add(pid)
  const status = await proc.doom.race(job.done, { interruptible: false })
  for (const pid of job.pids) proc.group.pids.delete(pid)
  job.isReported = true
  proc.doom.check()
  return status
}

export const signals: readonly Builtin[] = [
  { name: 'wait', summary: 'waits for background jobs', run: wait },
  { name: 'jobs', summary: 'lists background jobs', run: jobs },
  { name: 'kill', summary: 'sends a signal to processes or jobs', run: kill },
  { name: 'trap', summary: 'a command to run at a signal or at the end', run: trap },
  { name: 'fg', summary: 'brings a background job to the foreground', run: foreground },
]
