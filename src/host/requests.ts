/** One handler a request: the table is the protocol's host side, complete by its type. */
import type { Command, CommandResult } from '../engine/commands'
import { importCapture, formatMachine, loadSession, toConfig } from '../profiles/index'
import type { ReclaimSpan, ReplyOf, Request, StatusMessage } from '../protocol/messages'
import { queryEvents } from '../recorder/events'
import { listSeries, seriesWindow } from '../recorder/frames'
import type { Recorder } from '../recorder/recorder'
import { querySpans } from '../recorder/spans'
import { ok, userError, type Result } from '../util/result'
import { buddyView, slabsView, sysctlTrial } from './allocators'
import { answerLab, hintLab, resumeLab, startLab } from './lab-requests'
import { firstPosition, goBackToEvent, isAtEnd, replayTo } from './machine'
import { oomReports } from './oom'
import { startPacing } from './pacer'
import { pageInfo, pageMap, pageMapLayout } from './page-requests'
import { adviseLimit, previewPods } from './pods'
import { faultReply, spaceReply, tlbReply, walkReply } from './paging'
import { numaReply } from './numa'
import { reclaimReply } from './reclaim'
import { machineSummary, profileOf } from './ready-machines'
import {
  act,
  bringUp,
  cutIfPast,
  forgetRates,
  looking,
  needSound,
  needUp,
  refused,
  relive,
  runTo,
  saveText,
  seekTo,
  type Session,
  type Up,
} from './session-state'
import { spawnInGroup } from './spawn'
import { buildStatus } from './status'
import { openTerminal, resizeTerminal, typeKeys } from './terminals'

type Reply<K extends Request['kind']> = Result<ReplyOf[K]> | Promise<Result<ReplyOf[K]>>

export type Handlers = {
  readonly [K in Request['kind']]: (session: Session, request: Extract<Request, { kind: K }>) => Reply<K>
}

const DONE = ok(undefined)

export const handlers: Handlers = {
  // the machine
  boot: (session, { profile, seed }) => boot(session, profile, seed),
  preview: (session, { profile }) => {
    const loaded = profileOf(session.deps.machines, profile)
    return loaded.ok ? ok(session.deps.preview(toConfig(loaded.value))) : loaded
  },
  listMachines: ({ deps }) => ok(deps.machines.flatMap(machineSummary)),
  importCapture: (_, { files, name }) => {
    const profile = importCapture(files, name)
    return profile.ok ? ok(formatMachine(profile.value)) : profile
  },
  reset: async (session) => {
    const up = needUp(session)
    if (!up.ok) return up
    bringUp(session, up.value.profile, up.value.machine.seed)
    return statusOf(session)
  },

  // time
  play: (session, { speed }) => {
    const up = needSound(session)
    if (!up.ok) return up
    if (!(speed > 0))
      return userError('host/speed', 'speed', `${speed} is no speed.`, 'Use a number above 0, or Infinity.')
    startPacing(session.pacer, speed, { wallMs: session.deps.clock.nowMs(), atNs: up.value.machine.state.nowNs })
    return DONE
  },
  pause: (session) => {
    session.pacer.isRunning = false
    return DONE
  },
  step: (session, { by }) => step(session, by),
  seek: async (session, { atNs }) => {
    const up = needUp(session)
    if (!up.ok) return up
    session.pacer.isRunning = false
    await seekTo(session, up.value, atNs)
    return statusOf(session)
  },

  // files and commands
  readFile: (session, { path }) => {
    const up = needUp(session)
    if (!up.ok) return up
    const { engine, state } = up.value.machine
    const text = engine.readFile(state, path)
    return text.ok ? text : refused(text.error, path)
  },
  writeFile: (session, { path, text, create = false }) => {
    const line = text.endsWith('\n') ? text : `${text}\n`
    return command(session, { kind: 'write', pid: 1, path, text: line, create, append: false, goesOn: !create }, path)
  },
  mkdir: (session, { path }) => command(session, { kind: 'mkdir', pid: 1, path, parents: false }, path),
  rmdir: (session, { path }) => command(session, { kind: 'rmdir', pid: 1, path }, path),
  kill: (session, { pid, signal }) => command(session, { kind: 'signal', pid, signal, from: 1 }, `pid ${pid}`),
  spawn: (session, { argv, cgroup }) => {
    const up = needSound(session)
    if (!up.ok) return up
    cutIfPast(session, up.value)
    return spawnInGroup(up.value, argv, cgroup)
  },

  // terminals
  terminalOpen: (session, { terminal, columns, rows }) =>
    withUp(session, (up) => openTerminal(up.terminals, terminal, { columns, rows })),
  terminalResize: (session, { terminal, columns, rows }) =>
    withUp(session, (up) => resizeTerminal(up.terminals, terminal, { columns, rows })),
  terminalInput: (session, { terminal, text }) => type(session, terminal, text),
  exec: (session, { line }) => {
    const up = needSound(session)
    if (!up.ok) return up
    cutIfPast(session, up.value)
    openTerminal(up.value.terminals, 0, up.value.terminals.entries.get(0) ?? { columns: 80, rows: 24 })
    return type(session, 0, `${line}\r`)
  },

  // the record
  subscribe: (session, { sections }) => {
    session.sections = [...sections]
    return DONE
  },
  getSeries: (session, { names, fromNs, toNs, buckets }) =>
    withRecorder(session, (recorder) => seriesWindow(recorder.frames, names, { fromNs, toNs, buckets })),
  listSeries: (session) => withRecorder(session, (recorder) => listSeries(recorder.frames)),
  getSpans: (session, { fromNs, toNs, limit }) =>
    withRecorder(session, (recorder, up): ReclaimSpan[] =>
      querySpans(recorder.spans, { fromNs, toNs, limit }).map((span) => ({
        ...span,
        toNs: Math.min(span.toNs, Math.max(span.fromNs, up.machine.rewind.endNs)),
      })),
    ),
  getEvents: (session, { fromNs, toNs, names, limit }) =>
    withRecorder(session, (recorder) => queryEvents(recorder.events, { fromNs, toNs, names, limit })),
  getOomReports: looking((state) => ok(oomReports(state))),
  getBuddy: looking(buddyView),
  getSlabs: looking(slabsView),
  getWalk: looking(walkReply),
  getSpace: looking(spaceReply),
  getFault: looking(faultReply),
  getTlb: looking(tlbReply),
  getReclaim: looking(reclaimReply),
  getNuma: looking(numaReply),
  trySysctl: looking(sysctlTrial),
  advise: (session, request) => adviseLimit(session, request),
  previewPods: (session, request) => previewPods(session, request),
  checkInvariants: (session) => {
    const up = needUp(session)
    return up.ok ? ok(up.value.machine.engine.checkInvariants(up.value.machine.state)) : up
  },

  // the memory map
  getPageLayout: (session) => {
    const up = needUp(session)
    return up.ok ? ok(pageMapLayout(up.value.machine.state)) : up
  },
  getPageMap: (session, { query }) => {
    const up = needUp(session)
    return up.ok ? pageMap(up.value, query, session.deps.clock.nowMs) : up
  },
  getPage: (session, { pfn }) => {
    const up = needUp(session)
    return up.ok ? pageInfo(up.value, pfn) : up
  },

  // labs
  listLabs: (session) => ok(session.deps.labs?.list() ?? []),
  startLab: (session, { id, seed }) => startLab(session, id, seed),
  labAnswer: (session, { step: index, answer }) => answerLab(session, index, answer),
  labHint: (session, { step: index }) => hintLab(session, index),
  getLab: (session) => ok(session.lab?.progress()),
  stopLab: (session) => {
    session.lab = undefined
    return DONE
  },

  // files that people keep
  saveSession: (session) => {
    const up = needUp(session)
    return up.ok ? ok(saveText(session, up.value)) : up
  },
  loadSession: async (session, { text, fileName }) => {
    const saved = loadSession(text, fileName)
    if (!saved.ok) return saved
    const up = bringUp(session, saved.value.profile, saved.value.seed)
    const isSame = await relive(session, up, saved.value)
    if (saved.value.lab !== undefined) resumeLab(session, up, saved.value.lab)
    const status = statusOf(session)
    if (isSame || !status.ok) return status
    const notice = `${fileName} was written by Pagewalk ${saved.value.appVersion}; this version takes the same commands to another end.`
    return ok({ ...status.value, notice })
  },
}

// ---------------------------------------------------------------- pieces of handlers

export function statusOf(session: Session): Result<StatusMessage> {
  const up = needUp(session)
  return up.ok ? ok(buildStatus(up.value, session.pacer)) : up
}

function boot(session: Session, profile: string, seed: number): Result<StatusMessage> {
  const loaded = profileOf(session.deps.machines, profile)
  if (!loaded.ok) return loaded
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    return userError('host/seed', 'seed', `${seed} is no seed.`, 'Use a whole number from 0 to 4294967295.')
  }
  bringUp(session, loaded.value, seed)
  return statusOf(session)
}

async function step(session: Session, by: Extract<Request, { kind: 'step' }>['by']): Promise<Result<StatusMessage>> {
  const up = needUp(session)
  if (!up.ok) return up
  session.pacer.isRunning = false
  const { machine } = up.value
  if ('ns' in by) {
    if (by.ns < 0) await seekTo(session, up.value, machine.state.nowNs + by.ns)
    else
      await forward(session, () => runTo(session, up.value, machine.state.nowNs + by.ns, () => session.isInterrupted))
  } else if (by.events < 0) {
    stepBack(up.value, -by.events)
  } else {
    await forward(session, () => stepEvents(up.value, by.events))
  }
  return statusOf(session)
}

/** Not beyond the end of a run that cannot go on. */
async function forward(session: Session, work: () => Promise<void>): Promise<void> {
  const up = needUp(session)
  if (up.ok && (!isAtEnd(up.value.machine) || needSound(session).ok)) await work()
}

function stepBack(up: Up, nr: number): void {
  const { machine } = up
  const eventCount = Math.max(firstPosition(machine).eventCount, machine.state.eventCount - nr)
  goBackToEvent(machine, eventCount)
  up.isBroken = false
  replayTo(machine, { atNs: Infinity, eventCount })
  forgetRates(up)
}

async function stepEvents(up: Up, nr: number): Promise<void> {
  const { machine } = up
  const eventCount = machine.state.eventCount + nr
  if (!isAtEnd(machine) && !replayTo(machine, { atNs: Infinity, eventCount })) return
  const left = eventCount - machine.state.eventCount
  if (left > 0) await up.host.step(left)
}

function command(session: Session, given: Command, where: string): Result<undefined> {
  const up = needSound(session)
  if (!up.ok) return up
  const result: CommandResult = act(session, up.value, given)
  return result.ok ? DONE : refused(result.error, where)
}

function type(session: Session, terminal: number, text: string): Result<undefined> {
  const up = needSound(session)
  if (!up.ok) return up
  if (!up.value.terminals.entries.has(terminal)) {
    return userError('host/no-terminal', `terminal ${terminal}`, 'This terminal is not open.', 'Open it first.')
  }
  typeKeys(up.value.terminals, terminal, text, () => cutIfPast(session, up.value))
  return DONE
}

function withUp(session: Session, work: (up: Up) => void): Result<undefined> {
  const up = needUp(session)
  if (!up.ok) return up
  work(up.value)
  return DONE
}

function withRecorder<T>(session: Session, work: (recorder: Recorder, up: Up) => T): Result<T> {
  const up = needUp(session)
  if (!up.ok) return up
  const { recorder } = up.value.machine
  if (recorder === undefined) return userError('host/no-record', 'session', 'Nothing is recorded of this machine.', '')
  return ok(work(recorder, up.value))
}
