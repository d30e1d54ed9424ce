/** Waiting for children: the foreground, the list of background jobs, and what the shell says about their ends. */
import type { Command } from 'unbash'
import { complain, currentLine } from './fork'
import type { Job, Launched, Proc } from './process'
import { writeTo } from './stream'

const ENDED_BY: Readonly<Record<number, string>> = {
  1: 'Hangup',
  3: 'Quit',
  4: 'Illegal instruction',
  6: 'Aborted',
  7: 'Bus error',
  8: 'Floating point exception',
  9: 'Killed',
  10: 'User defined signal 1',
  11: 'Segmentation fault',
  12: 'User defined signal 2',
  14: 'Alarm clock',
  15: 'Terminated',
}

/** Waits for a child in the foreground and says so when a signal ended it. */
export async function waitForeground(proc: Proc, launched: Launched, command: Command | undefined): Promise<number> {
  const status = await proc.doom.race(launched.done, { interruptible: false })
  proc.doom.check()
  const signal = status > 128 && launched.wasKilled() ? status - 128 : 0
  if (signal === 0 || launched.pid === 0) return status
  if (proc.tail !== undefined && proc.callDepth === 0 && proc.tail.pos === command?.pos) {
    proc.tailSignal = signal
    return status
  }
  const words = ENDED_BY[signal]
  if (words === undefined) return status
  if (proc.isInteractive || proc.dialect === 'sh') await writeTo(proc, proc.fds.get(2), `${words}\n`)
  else {
    const text = command === undefined ? '' : proc.source.slice(command.pos, command.end)
    const line = `${proc.name}: line ${currentLine(proc)}: ${String(launched.pid).padStart(5)} ${words.padEnd(24)}${text}\n`
    await writeTo(proc, proc.fds.get(2), line)
  }
  return status
}

/** Enters a background job: `[1] 1234` in an interactive shell. */
export async function addJob(proc: Proc, text: string, members: readonly Launched[]): Promise<void> {
  const last = members.at(-1)
  if (last === undefined) return
  if (proc.jobs.every((job) => job.isReported)) proc.nrJobs = 0
  const job: Job = {
    id: ++proc.nrJobs,
    pids: members.map((m) => m.pid).filter((pid) => pid !== 0),
    text,
    done: Promise.all(members.map((m) => m.done)).then((statuses) => statuses.at(-1) ?? 0),
    status: undefined,
    wasKilled: false,
    isReported: false,
  }
  job.done.then((status) => {
    job.status = status
    job.wasKilled = status > 128 && last.wasKilled()
  }, noteFailure)
  proc.jobs.push(job)
  proc.lastBackground = last.pid
  if (proc.isInteractive) await writeTo(proc, proc.fds.get(2), `[${job.id}] ${last.pid}\n`)
}

// Whoever waits for the job gets the same rejection.
const noteFailure = (): void => {}

/** `%1`, `%+`, `%%`, `%name` or a pid. */
export function findJob(proc: Proc, spec: string): Job | undefined {
  const alive = proc.jobs
  if (!spec.startsWith('%')) return alive.find((job) => job.pids.includes(Number(spec)))
  const which = spec.slice(1)
  if (which === '' || which === '+' || which === '%') return alive.filter((job) => job.status === undefined).at(-1)
  if (/^\d+$/.test(which)) return alive.findLast((job) => job.id === Number(which))
  return alive.findLast((job) => job.text.startsWith(which))
}

/** How `jobs` and the prompt show a job. */
export function jobLine(proc: Proc, job: Job): string {
  const running = proc.jobs.filter((j) => j.status === undefined || !j.isReported)
  const mark = job === running.at(-1) ? '+' : job === running.at(-2) ? '-' : ' '
  const state =
    job.status === undefined
      ? 'Running'
      : job.wasKilled
        ? (ENDED_BY[job.status - 128] ?? `Signal ${job.status - 128}`)
        : job.status === 0
          ? 'Done'
          : `Exit ${job.status}`
  return `[${job.id}]${mark}  ${state.padEnd(24)}${job.text}${job.status === undefined ? ' &' : ''}\n`
}

/** Before a prompt: jobs that ended since the last one. */
export async function reportJobs(proc: Proc): Promise<void> {
  for (const job of [...proc.jobs]) {
    if (job.status === undefined || job.isReported) continue
    const line = jobLine(proc, job)
    job.isReported = true
    await writeTo(proc, proc.fds.get(2), line)
  }
}

/** `wait`: a job by spec or pid. Status 127 when it is not a child. */
export async function waitJob(proc: Proc, spec: string): Promise<number> {
  const job = findJob(proc, spec)
  if (job === undefined) {
    const message = spec.startsWith('%')
      ? `wait: ${spec}: no such job`
      : `wait: pid ${spec} is not a child of this shell`
    await complain(proc, message)
    return 127
  }
  const status = await proc.doom.race(job.done, { interruptible: true })
  // A script is not told about the ends of the jobs that it waited for.
  if (!proc.isInteractive) job.isReported = true
  return status
}
