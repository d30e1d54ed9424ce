/** What both entry points give a session: the real engine, the ready machines and this computer's clock. */
import { version } from '../../package.json'
import { buildPreview } from './preview'
import { programs, realEngine } from './real-engine'
import { READY_MACHINES } from './resources'
import type { SessionDeps } from './session'

export const entryDeps = (): SessionDeps => ({
  engine: realEngine(),
  programs,
  preview: buildPreview,
  machines: READY_MACHINES,
  appVersion: version,
  clock: {
    nowMs: () => performance.now(),
    schedule: (work, ms) => void setTimeout(work, ms),
  },
})
