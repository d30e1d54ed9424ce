/**
 * One answer of the engine that a view keeps fresh while it is open: asked again when the machine moved or the question
 * changed, one at a time and at most every `everyMs` of wall time. A refusal leaves the last answer standing.
 */
import { onScopeDispose, shallowRef, watch, type ShallowRef } from 'vue'
import type { ReplyOf, Request } from '../../protocol/messages'
import type { UserError } from '../../util/result'
import { useClient } from '../client'
import { useFrames } from './frames'
import { useSession } from './session'

/** Twelve times a second. */
const EVERY_MS = 80

export interface Live<T> {
  readonly data: ShallowRef<T | undefined>
  /** Why the last question was not answered. */
  readonly refusal: ShallowRef<UserError | undefined>
  /** Asks now, whatever the clock says; resolves with the answer in `data`. */
  readonly refresh: () => Promise<void>
}

/** @param question  undefined: there is nothing to ask yet */
export function useLive<R extends Request>(
  question: () => R | undefined,
  everyMs = EVERY_MS,
): Live<ReplyOf[R['kind']]> {
  const client = useClient()
  const session = useSession()
  const frames = useFrames()
  const data = shallowRef<ReplyOf[R['kind']] | undefined>()
  const refusal = shallowRef<UserError | undefined>()
  let isAsking = false
  let isStale = false
  let askedAt = -Infinity
  let timer: ReturnType<typeof setTimeout> | undefined

  async function refresh(): Promise<void> {
    const request = session.hasMachine ? question() : undefined
    if (request === undefined) return
    isAsking = true
    isStale = false
    askedAt = performance.now()
    const { boots } = session
    const answer = await client.request(request)
    isAsking = false
    refusal.value = answer.ok ? undefined : answer.error
    if (answer.ok && boots === session.boots) data.value = answer.value
    if (isStale) plan()
  }
  function plan(): void {
    isStale = true
    if (isAsking || timer !== undefined) return
    timer = setTimeout(
      () => {
        timer = undefined
        void refresh()
      },
      Math.max(0, everyMs - (performance.now() - askedAt)),
    )
  }

  watch([() => frames.atNs, () => session.status?.eventCount, () => JSON.stringify(question())], plan)
  watch(
    () => session.boots,
    () => {
      data.value = undefined
      plan()
    },
  )
  onScopeDispose(() => clearTimeout(timer))
  void refresh()
  return { data, refusal, refresh }
}
