export class MessagePortMain {
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): this
  postMessage(message: unknown): void
  start(): void
}
export class MessageChannelMain {
  readonly port1: MessagePortMain
  readonly port2: MessagePortMain
}
