/** Pages by hand: one request at a time, and the splits and merges that it really set off. */
import { shallowRef } from 'vue'
import type { RecordedEvent } from '../../../protocol/messages'
import { useClient } from '../../client'
import { useByHand } from '../../stores/by-hand'
import { parsePages, type HeldPages } from '../../stores/hand-text'
import { useSession } from '../../stores/session'
import { newEvents, refusedWords, STEP_EVENTS } from './happened'

/** What one request did, before it is made into stories. */
export interface PagesDone {
  readonly verb: 'alloc' | 'free'
  readonly block: HeldPages
  readonly events: readonly RecordedEvent[]
}

const EVENTS_MAX = 4096
const NOTHING: readonly HeldPages[] = []

export function usePages() {
  const client = useClient()
  const session = useSession()
  const { hand: held, refusal, isWriting, write } = useByHand('pages', parsePages, NOTHING, refusedWords)
  const done = shallowRef<PagesDone | undefined>()

  async function stepsSince(fromNs: number): Promise<readonly RecordedEvent[]> {
    const answer = await client.request({
      kind: 'getEvents',
      fromNs,
      toNs: Number.MAX_SAFE_INTEGER,
      names: STEP_EVENTS,
      limit: EVENTS_MAX,
    })
    return answer.ok ? answer.value : []
  }

  /** @returns what it did; undefined when the kernel refused it, or nothing is known of it */
  async function act(text: string): Promise<PagesDone | undefined> {
    const fromNs = session.nowNs
    const before = await stepsSince(fromNs)
    const was = held.value
    if (!(await write(text))) return undefined
    const events = newEvents(before, await stepsSince(fromNs))
    const isSame = (a: HeldPages, b: HeldPages): boolean => a.id === b.id && a.pfn === b.pfn
    const given = held.value.find((row) => !was.some((other) => isSame(row, other)))
    const taken = was.find((row) => !held.value.some((other) => isSame(row, other)))
    const block = given ?? taken
    done.value = block && { verb: given ? 'alloc' : 'free', block, events }
    return done.value
  }
  return { held, refusal, isWriting, done, act }
}
