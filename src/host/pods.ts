/** Pods as the window asks for them: what a manifest would make of this machine, and which limit a container needs. */
import { importPods, nodeFactsOf, type Plan } from '../profiles/index'
import type { Advise, AdviseReport } from '../protocol/advise'
import type { PreviewPods } from '../protocol/pods'
import type { Result } from '../util/result'
import { advise } from './advise'
import { profileOf } from './ready-machines'
import { needUp, type Session } from './session-state'

export function previewPods(session: Session, { text, fileName, options }: PreviewPods): Result<Plan> {
  const up = needUp(session)
  if (!up.ok) return up
  const { engine, state } = up.value.machine
  const meminfo = engine.readFile(state, '/proc/meminfo')
  return importPods(text, fileName, nodeFactsOf(meminfo.ok ? meminfo.value : ''), options)
}

/** Any request that makes the session's own machine move cancels it: a window asks a second session, which has none. */
export async function adviseLimit(session: Session, request: Advise): Promise<Result<AdviseReport>> {
  const { deps } = session
  const profile = profileOf(deps.machines, request.profile)
  if (!profile.ok) return profile
  return advise({ ...request, profile: profile.value }, deps, {
    onProgress: (progress) => session.emit({ kind: 'advice', progress }),
    isCancelled: () => session.isInterrupted,
  })
}
