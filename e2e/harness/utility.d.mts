import type { MessagePortMain } from './ports.mjs'
export class UtilityProcess {
  constructor(path: string, args: readonly string[], options: { readonly serviceName?: string })
  postMessage(message: unknown, transfer?: readonly MessagePortMain[]): void
  kill(): boolean
}
