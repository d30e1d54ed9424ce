/**
 * One turn of the host's event loop. When it comes back, every promise chain that could run without outside help has
 * run to its next wait, however long it was: that is how the host knows that the shells are waiting for the machine.
 */
export type Turn = () => Promise<void>

type Globals = {
  setImmediate?: (work: () => void) => void
  MessageChannel?: new () => {
    port1: { onmessage: (() => void) | null; close(): void }
    port2: { postMessage(message: undefined): void }
  }
}

const globals = globalThis as unknown as Globals

function createTurn(): Turn {
  const { setImmediate, MessageChannel } = globals
  if (setImmediate !== undefined) return () => new Promise((resolve) => setImmediate(resolve))
  if (MessageChannel === undefined) throw new Error('this host has neither setImmediate nor MessageChannel')
  const channel = new MessageChannel()
  const waiting: (() => void)[] = []
  channel.port1.onmessage = () => waiting.shift()?.()
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve)
      channel.port2.postMessage(undefined)
    })
}

let shared: Turn | undefined
export const turn: Turn = () => (shared ??= createTurn())()
