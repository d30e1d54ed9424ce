/** Requests of the workbook: a lab brings its own machine, and looks at it after every slice. */
import type { LabView, OpenedLab } from '../labs/index'
import type { LabProgress } from '../protocol/messages'
import { loadMachine, type SavedLab } from '../profiles/index'
import { queryEvents } from '../recorder/events'
import { createShell } from '../shell/index'
import { ok, userError, type Result } from '../util/result'
import { endShell, forkShell } from './headless'
import { bringUp, type Session, type Up } from './session-state'

/** Simulated time that a lab's preparation may take. */
const SETUP_NS_MAX = 120_000_000_000
const EVENTS_SEEN_MAX = 5000

const noLab = (what: string): Result<never> =>
  userError('labs/none', what, 'No lab is open.', 'Start one in the workbook.')

export async function startLab(session: Session, id: string, seed: number): Promise<Result<LabProgress>> {
  const { labs } = session.deps
  if (labs === undefined) return userError('labs/no-such-lab', id, `There is no lab "${id}".`, '')
  const lab = labs.open(id, seed)
  if (!lab.ok) return lab
  const profile = loadMachine(lab.value.profile, `${id}: machine`)
  if (!profile.ok) return profile
  const up = bringUp(session, profile.value, lab.value.seed)
  if (lab.value.setup !== '') await prepare(up, lab.value)
  session.lab = lab.value
  // What the first step compares with is the machine as it is now.
  lab.value.check(viewOf(up))
  return ok(lab.value.progress())
}

/** Runs the lab's own script in a shell that nobody sees. */
async function prepare(up: Up, lab: OpenedLab): Promise<void> {
  const { machine, host } = up
  const pid = forkShell(machine, 'bash')
  const shell = createShell(host.sys, { pid, out: () => {} })
  let isOver = false
  const work = shell.run(lab.setup).finally(() => (isOver = true))
  await host.advance(machine.state.nowNs + SETUP_NS_MAX, () => isOver)
  if (isOver) endShell(machine, pid, await work)
}

export function answerLab(session: Session, step: number, answer: string): Result<LabProgress> {
  const { lab, up } = session
  return lab === undefined || up === undefined ? noLab('labAnswer') : lab.answer(step, answer, viewOf(up))
}

export function hintLab(session: Session, step: number): Result<LabProgress> {
  return session.lab === undefined ? noLab('labHint') : session.lab.hint(step)
}

/**
 * Opens the lab of a saved session where it was left, over the machine that lived the session again.
 * @returns false when the lab is not on the shelf
 */
export function resumeLab(session: Session, up: Up, saved: SavedLab): boolean {
  const lab = session.deps.labs?.open(saved.id, up.machine.seed, saved.steps)
  if (lab === undefined || !lab.ok) return false
  session.lab = lab.value
  lab.value.check(viewOf(up))
  return true
}

/** Lets the open lab look at the machine. Its progress when that changed it. */
export function checkLab(session: Session, up: Up): LabProgress | undefined {
  return session.lab?.check(viewOf(up))
}

function viewOf({ machine }: Up): LabView {
  const { state, engine, recorder } = machine
  return {
    nowNs: state.nowNs,
    readFile: (path) => {
      const text = engine.readFile(state, path)
      return text.ok ? text.value : undefined
    },
    events: (names) =>
      recorder === undefined
        ? []
        : queryEvents(recorder.events, { fromNs: 0, toNs: state.nowNs, names, limit: EVENTS_SEEN_MAX }),
    klog: state.klog,
  }
}
