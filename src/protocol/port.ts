/**
 * Three methods that every carrier has: utility process, Web Worker, memory. Messages are structured-clone data.
 */
export interface Port<Out, In> {
  send(message: Out, transfer?: readonly ArrayBuffer[]): void
  onMessage(listener: (message: In) => void): void
  close(): void
}
