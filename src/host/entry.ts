/** What both entry points give a session: the real engine, what ships with it, and this computer's clock. */
import { version } from '../../package.json'
import { createShelf } from '../labs/index'
import { buildPreview } from './preview'
import { programs, realEngine } from './real-engine'
import { LAB_FOLDERS, READY_MACHINES } from './resources'
import type { SessionDeps } from './session'

export const entryDeps = (): SessionDeps => ({
  engine: realEngine(),
  programs,
  preview: buildPreview,
  machines: READY_MACHINES,
  labs: createShelf(LAB_FOLDERS, Object.fromEntries(READY_MACHINES.map((m) => [m.id, m.text]))),
  appVersion: version,
  clock: {
    nowMs: () => performance.now(),
    schedule: (work, ms) => void setTimeout(work, ms),
  },
})
