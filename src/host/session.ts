/**
 * One window's session behind a port: requests come in, each gets exactly one reply, in order; slices of simulated time
 * run in between. Everything that touches the machine goes through one queue, so that nothing meets it half-moved.
 */
import type { FrameSection, ReplyEnvelope, Request, RequestEnvelope, StopReport } from '../protocol/messages'
import type { Port } from '../protocol/port'
import { AssertionError } from '../util/assert'
import { userError, type Result } from '../util/result'
import { buildFrame } from './frames'
import { checkLab } from './lab-requests'
import { createPacer, notePace, SLICE_MS, sliceTarget, startPacing } from './pacer'
import { handlers, statusOf } from './requests'
import { runTo, saveText, takeDown, type Session, type SessionDeps, type Up } from './session-state'
import { isAnyBusy, startShells } from './terminals'

export type { ReadyMachine, SessionDeps } from './session-state'

/** Wall time between two `frame` events, and between two looks of a lab. */
const FRAME_MS = 50
/** Pause between two slices while the machine keeps up with its speed. */
const REST_MS = 8

/** Requests that make a long one under way pointless. */
const INTERRUPTING: ReadonlySet<Request['kind']> = new Set([
  'pause',
  'boot',
  'reset',
  'seek',
  'step',
  'loadSession',
  'startLab',
])
/** Requests after which the window wants to see the machine at once. */
/** What makes a shell act. */
const TYPING: ReadonlySet<Request['kind']> = new Set(['terminalInput', 'exec'])
const MOVING: ReadonlySet<Request['kind']> = new Set([
  'boot',
  'step',
  'seek',
  'reset',
  'loadSession',
  'startLab',
  'writeFile',
  'mkdir',
  'rmdir',
  'kill',
  'spawn',
  'subscribe',
  'pause',
  'play',
])

export interface SessionHandle {
  /** The window is gone. */
  close(): void
}

export function createSession(port: Port<unknown, unknown>, deps: SessionDeps): SessionHandle {
  let tail: Promise<void> = Promise.resolve()
  let isClosed = false
  let waitingToInterrupt = 0
  let frameMs = -Infinity
  let isSliceDue = false

  const session: Session = {
    deps,
    emit: (event) => {
      if (!isClosed) port.send(event)
    },
    pacer: createPacer(),
    sections: [],
    up: undefined,
    lab: undefined,
    get isInterrupted() {
      return isClosed || waitingToInterrupt > 0
    },
  }
  const enqueue = (work: () => Promise<void>): void => {
    tail = tail.then(work)
  }

  port.onMessage((message) => {
    if (isClosed || !isEnvelope(message)) return
    const { id, request } = message
    const interrupts = INTERRUPTING.has(request.kind)
    if (interrupts) waitingToInterrupt++
    enqueue(async () => {
      if (interrupts) waitingToInterrupt--
      const result = await answer(session, request)
      port.send({ id, result } satisfies ReplyEnvelope)
      await afterRequest(request.kind)
    })
  })

  async function afterRequest(kind: Request['kind']): Promise<void> {
    if (session.up !== undefined && !session.up.isBroken) {
      await guarded(session, async (up) => {
        startShells(up.terminals)
        await up.host.settle()
        if (session.up === up) tellPanic(session, up)
      })
    }
    if (TYPING.has(kind)) startErrand()
    if (MOVING.has(kind)) show(true)
    if (session.pacer.isRunning && !isSliceDue) planSlice(0)
  }

  /** A command typed while the clock stands still moves it, just until it is done. */
  function startErrand(): void {
    const { up, pacer } = session
    if (up === undefined || up.isBroken || pacer.isRunning || !isAnyBusy(up.terminals)) return
    startPacing(pacer, pacer.speed, { wallMs: deps.clock.nowMs(), atNs: up.machine.state.nowNs })
    pacer.isErrand = true
  }

  function planSlice(ms: number): void {
    isSliceDue = true
    deps.clock.schedule(() => enqueue(slice), ms)
  }

  async function slice(): Promise<void> {
    isSliceDue = false
    const { up, pacer } = session
    if (isClosed || up === undefined || !pacer.isRunning) return
    const startMs = deps.clock.nowMs()
    const target = sliceTarget(pacer, { wallMs: startMs, atNs: up.machine.state.nowNs })
    const isOver = (): boolean => session.isInterrupted || deps.clock.nowMs() - startMs >= SLICE_MS
    await guarded(session, async () => {
      await runTo(session, up, target, isOver)
      startShells(up.terminals)
      notePace(pacer, { wallMs: deps.clock.nowMs(), atNs: up.machine.state.nowNs })
      tellPanic(session, up)
    })
    if (pacer.isErrand && !isAnyBusy(up.terminals)) pacer.isRunning = false
    show(!pacer.isRunning)
    if (pacer.isRunning) planSlice(up.machine.state.nowNs < target ? 0 : REST_MS)
  }

  /** Status and frame, at most every FRAME_MS unless something just changed. */
  function show(isUrgent: boolean): void {
    const nowMs = deps.clock.nowMs()
    if (session.up === undefined || (!isUrgent && nowMs - frameMs < FRAME_MS)) return
    frameMs = nowMs
    try {
      showMachine(session, session.up, session.sections)
    } catch (error) {
      breakDown(session, session.up, error)
    }
  }

  return {
    close: () => {
      isClosed = true
      enqueue(async () => takeDown(session))
    },
  }
}

const isEnvelope = (message: unknown): message is RequestEnvelope =>
  typeof message === 'object' &&
  message !== null &&
  typeof (message as RequestEnvelope).id === 'number' &&
  typeof (message as RequestEnvelope).request?.kind === 'string'

function showMachine(session: Session, up: Up, sections: readonly FrameSection[]): void {
  const status = statusOf(session)
  if (status.ok) session.emit({ kind: 'status', status: status.value })
  if (sections.length > 0) session.emit({ kind: 'frame', frame: buildFrame(up.machine, sections, up.memory) })
  const progress = up.isBroken ? undefined : checkLab(session, up)
  if (progress !== undefined) session.emit({ kind: 'labProgress', progress })
}

/** Exactly one Result a request, whatever happens. */
async function answer(session: Session, request: Request): Promise<Result<unknown>> {
  const handler = Object.hasOwn(handlers, request.kind) ? handlers[request.kind] : undefined
  if (handler === undefined) {
    return userError(
      'host/unknown-request',
      request.kind,
      `There is no request "${request.kind}".`,
      'Window and engine are of different versions.',
    )
  }
  try {
    return await (handler as (session: Session, request: Request) => Promise<Result<unknown>>)(session, request)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (session.up !== undefined) breakDown(session, session.up, error)
    return userError('host/failed', request.kind, message, 'This is a bug of Pagewalk. Save the session for a report.')
  }
}

/** Work that is nobody's request; a failure stops the machine. */
async function guarded(session: Session, work: (up: Up) => Promise<void>): Promise<void> {
  const { up } = session
  if (up === undefined) return
  try {
    await work(up)
  } catch (error) {
    breakDown(session, up, error)
  }
}

/** A check of ours failed: the machine stops where it is and stays readable; the report says how to get there again. */
function breakDown(session: Session, up: Up, error: unknown): void {
  if (up.isBroken) return
  up.isBroken = true
  session.pacer.isRunning = false
  const message = error instanceof Error ? error.message : String(error)
  const reason: StopReport['reason'] = error instanceof AssertionError ? 'assertion' : 'crash'
  session.emit({ kind: 'stopped', report: reportOf(session, up, reason, message) })
}

function tellPanic(session: Session, up: Up): void {
  const { state } = up.machine
  if (state.panicked === '') {
    up.hasToldPanic = false
    return
  }
  session.pacer.isRunning = false
  if (up.hasToldPanic) return
  up.hasToldPanic = true
  session.emit({ kind: 'stopped', report: reportOf(session, up, 'panic', state.panicked) })
}

function reportOf(session: Session, up: Up, reason: StopReport['reason'], message: string): StopReport {
  const { machine } = up
  let saved: string
  try {
    saved = saveText(session, up)
  } catch (error) {
    // The failing command itself may be the last of the log: the report still names it.
    saved = JSON.stringify({
      unsaved: String(error),
      profile: up.profile,
      seed: machine.seed,
      commands: machine.rewind.log,
    })
  }
  return { reason, message, seed: machine.seed, atNs: machine.state.nowNs, session: saved }
}
