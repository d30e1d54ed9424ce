/** What the memory map costs the engine's process: replies for a screenful of a machine of 1 TiB that is at work. */
import { createHeadless } from '../../host/headless'
import { createPageMapMemory } from '../../host/page-levels'
import { pageMap, pageMapLayout } from '../../host/page-requests'
import { programs, realEngine } from '../../host/real-engine'
import type { Up } from '../../host/session-state'
import type { PageRange } from '../../protocol/page-map'
import { formatUserError } from '../../util/result'
import { median, type Figure } from './figure'
import { benchMachine } from './machine'
import { cpuSecondsOf } from './measure'

/** Cells of a large window, with half of its height above and below. */
const SCREEN_CELLS = 1024 * 600 * 2
const REPLIES = 40

export async function map(): Promise<Figure[]> {
  const headless = createHeadless(benchMachine('server-8x128g'), 1, { engine: realEngine(), programs })
  await headless.runScript('stress --vm 4 --vm-bytes 2G --timeout 60s & sleep 0.5')
  const up = { machine: headless.machine, pages: createPageMapMemory() } as unknown as Up
  const { zones } = pageMapLayout(headless.machine.state)
  const all = (shift: number): PageRange[] =>
    zones.map(({ zone, startPfn, spanned }) => {
      const size = 2 ** shift
      const first = Math.floor(startPfn / size)
      return { zone, startPfn: first * size, cells: Math.ceil((startPfn + spanned) / size) - first }
    })
  const busy = zones.find(({ nid, name }) => nid === 0 && name === 'Normal')!
  const near = [{ zone: busy.zone, startPfn: busy.startPfn, cells: SCREEN_CELLS }]
  return [
    figure('map-far', 'map of 1 TiB: all of it, 16 MiB a pixel', reply(up, 12, all(12))),
    figure('map-pageblocks', 'map of 1 TiB: a pixel a pageblock', reply(up, 9, all(9))),
    figure('map-frames', 'map of 1 TiB: a pixel a frame, all in use', reply(up, 0, near)),
  ]
}

const figure = (id: string, title: string, ms: number): Figure => ({
  id,
  title,
  value: ms,
  unit: 'ms CPU',
  aim: { kind: 'below', at: 16 },
  note: `median of ${REPLIES} replies, the machine having moved between two of them; at most 20 a second are asked for`,
})

/** Median CPU milliseconds of a reply once every block has been seen. */
function reply(up: Up, shift: number, ranges: readonly PageRange[]): number {
  const query = { colour: 'owner', subject: '', shift, ranges, whole: false } as const
  const ask = (): void => {
    // As if the machine had moved: every block that is in use is due.
    up.pages.eventCount = -1
    const answer = pageMap(up, query, () => performance.now())
    if (!answer.ok) throw new Error(formatUserError(answer.error))
  }
  for (let i = 0; i < REPLIES; i++) ask()
  return median(Array.from({ length: REPLIES }, () => cpuSecondsOf(ask) * 1000))
}
