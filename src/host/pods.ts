/** Pods as the window asks for them: what a manifest would make of this machine. */
import { importPods, nodeFactsOf, type Plan } from '../profiles/index'
import type { PreviewPods } from '../protocol/pods'
import type { Result } from '../util/result'
import { needUp, type Session } from './session-state'

export function previewPods(session: Session, { text, fileName, options }: PreviewPods): Result<Plan> {
  const up = needUp(session)
  if (!up.ok) return up
  const { engine, state } = up.value.machine
  const meminfo = engine.readFile(state, '/proc/meminfo')
  return importPods(text, fileName, nodeFactsOf(meminfo.ok ? meminfo.value : ''), options)
}
