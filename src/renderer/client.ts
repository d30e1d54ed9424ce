/** Where stores find the engine: one client, provided by main.ts (or by a test over a port in memory). */
import type { InjectionKey } from 'vue'
import { inject } from 'vue'
import type { HostEvent, ReplyOf, Request } from '../protocol/messages'
import type { Result } from '../util/result'
import { assert } from '../util/assert'
import { userError } from '../util/result'

/** What the window needs of a client; the one of src/protocol satisfies it. */
export interface EngineClient {
  request<R extends Request>(request: R): Promise<Result<ReplyOf[R['kind']]>>
  /** @returns stops listening */
  on(listener: (event: HostEvent) => void): () => void
}

export const CLIENT: InjectionKey<EngineClient> = Symbol('engine client')

/** For stores: the client of this window. */
export function useClient(): EngineClient {
  const client = inject(CLIENT, undefined)
  assert(client !== undefined, 'no engine client was provided to the application')
  return client
}

/** A client of an engine that has no machine yet; closing it ends that engine. */
export interface SpareClient extends EngineClient {
  close(): void
}

export const SPARE: InjectionKey<() => SpareClient> = Symbol('spare engine')

/** For stores: how to get a second engine, for work beside the machine that runs. */
export function useSpare(): () => SpareClient {
  const spare = inject(SPARE, undefined)
  return spare ?? (() => ({ ...NO_SPARE }))
}

const NO_SPARE: SpareClient = {
  request: () => Promise.resolve(userError('engine/no-spare', 'engine', 'There is no second engine here.', '')),
  on: () => () => {},
  close: () => {},
}
