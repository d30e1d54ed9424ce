/**
 * What the shell's descriptors lead to: the terminal, pipes, files, captured text. Simulated programs write their own
 * files; this is for builtins and for the tools that the shell itself computes.
 */
import type { CommandResult, Refusal } from '../engine/commands'
import { strerror } from '../util/errno'
import { Unwind, type Doom } from './control'
import type { Sys } from './sys'

/** Whoever reads and writes: a process that can be killed while it waits. */
export interface Actor {
  readonly sys: Sys
  readonly pid: number
  readonly doom: Doom
}

/** A read or write that the machine refused. */
export class IoError extends Error {
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super(strerror(refusal.errno))
    this.refusal = refusal
  }
}

/** As pipe(7): a writer waits when this many characters are unread. */
const PIPE_CAPACITY = 65536

/** A pipe, or the lines typed at the terminal. Readers see the end when the last writer is gone. */
export class Pipe {
  writers = 0
  readers = 0
  #text = ''
  #atEnd = false
  readonly #wake = new Set<() => void>()

  push(text: string): void {
    this.#text += text
    this.#wakeAll()
  }

  /** Puts back what a reader took too much. */
  unread(text: string): void {
    this.#text = text + this.#text
  }

  /** Ctrl+D: the next read returns what is there, then the end, once. */
  end(): void {
    this.#atEnd = true
    this.#wakeAll()
  }

  /** What nobody has read. */
  takeAll(): string {
    const text = this.#text
    this.#text = ''
    this.#atEnd = false
    return text
  }

  retain(end: 'read' | 'write'): void {
    if (end === 'read') this.readers++
    else this.writers++
  }

  release(end: 'read' | 'write'): void {
    if (end === 'read') this.readers--
    else this.writers--
    this.#wakeAll()
  }

  /** All text that is there, or waits for some; undefined at the end. */
  async read(actor: Actor, how: { readonly endsWithoutWriters: boolean }): Promise<string | undefined> {
    for (;;) {
      if (this.#text !== '') {
        const text = this.#text
        this.#text = ''
        this.#wakeAll()
        return text
      }
      if (this.#atEnd) {
        this.#atEnd = false
        return undefined
      }
      if (how.endsWithoutWriters && this.writers <= 0) return undefined
      await actor.doom.race(this.#changed(), { interruptible: true })
    }
  }

  /** Waits until there is room. */
  async write(actor: Actor, text: string): Promise<void> {
    while (this.#text.length >= PIPE_CAPACITY && this.readers > 0)
      await actor.doom.race(this.#changed(), { interruptible: true })
    if (this.readers <= 0) throw new Unwind('brokenPipe', 141)
    this.push(text)
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#wake.add(resolve))
  }

  #wakeAll(): void {
    const waiting = [...this.#wake]
    this.#wake.clear()
    for (const wake of waiting) wake()
  }
}

export type Descriptor =
  | {
      readonly kind: 'terminal'
      readonly isTty: boolean
      readonly stream: 1 | 2
      readonly input: Pipe
      readonly emit: (text: string, stream: 1 | 2) => void
    }
  | { readonly kind: 'null' }
  | { readonly kind: 'pipe'; readonly end: 'read' | 'write'; readonly pipe: Pipe }
  | { readonly kind: 'capture'; text: string }
  /** An open file: read from text that was taken at open, or written by appending. */
  | { readonly kind: 'input'; readonly text: string; position: number; readonly path: string }
  | { readonly kind: 'output'; readonly path: string; readonly isPseudo: boolean }

export type Descriptors = ReadonlyMap<number, Descriptor>

/** Whether a person looks at it: what isatty(3) asks. */
export const isTty = (descriptor: Descriptor | undefined): boolean =>
  descriptor?.kind === 'terminal' && descriptor.isTty

/** Files without truncation or a position: a write(2) is an order to the kernel. */
export const isPseudoPath = (path: string): boolean =>
  path.startsWith('/proc/') || path.startsWith('/sys/') || path.startsWith('/dev/')

export function retainAll(descriptors: Iterable<Descriptor>): void {
  for (const d of descriptors) if (d.kind === 'pipe') d.pipe.retain(d.end)
}

export function releaseAll(descriptors: Iterable<Descriptor>): void {
  for (const d of descriptors) if (d.kind === 'pipe') d.pipe.release(d.end)
}

/**
 * Writes `text` as one write(2).
 *
 * @throws IoError when the machine refuses, Unwind('brokenPipe') when nobody reads the pipe any more
 */
export async function writeTo(actor: Actor, descriptor: Descriptor | undefined, text: string): Promise<void> {
  actor.doom.check()
  if (text === '') return
  switch (descriptor?.kind) {
    case 'terminal':
      descriptor.emit(text, descriptor.stream)
      return
    case 'capture':
      descriptor.text += text
      return
    case 'null':
      return
    case 'pipe':
      return descriptor.pipe.write(actor, text)
    case 'output': {
      const written = descriptor.isPseudo
        ? await order(actor, descriptor.path, text)
        : actor.sys.write(actor.pid, descriptor.path, text, { create: true, append: true })
      if (!written.ok) throw new IoError(written.error)
      return
    }
    default:
      throw new IoError({ errno: 'EBADF', explanation: '' })
  }
}

/** One write(2) to a pseudo-file; the writer waits until the kernel has done what it says. */
export async function order(actor: Actor, path: string, text: string): Promise<CommandResult> {
  const result = actor.sys.order(actor.pid, path, text)
  return result instanceof Promise ? actor.doom.race(result, { interruptible: false }) : result
}

/** Text as it comes; undefined at the end. */
export async function readChunk(actor: Actor, descriptor: Descriptor | undefined): Promise<string | undefined> {
  switch (descriptor?.kind) {
    case 'terminal':
      return descriptor.input.read(actor, { endsWithoutWriters: false })
    case 'pipe':
      return descriptor.pipe.read(actor, { endsWithoutWriters: true })
    case 'input': {
      const rest = descriptor.text.slice(descriptor.position)
      descriptor.position = descriptor.text.length
      return rest === '' ? undefined : rest
    }
    case 'null':
      return undefined
    default:
      throw new IoError({ errno: 'EBADF', explanation: '' })
  }
}

export async function readAll(actor: Actor, descriptor: Descriptor | undefined): Promise<string> {
  let all = ''
  for (;;) {
    const chunk = await readChunk(actor, descriptor)
    if (chunk === undefined) return all
    all += chunk
  }
}

/** One line without its newline; the rest stays for the next reader. undefined at the end. */
export async function readLine(
  actor: Actor,
  descriptor: Descriptor | undefined,
): Promise<{ readonly line: string; readonly isComplete: boolean } | undefined> {
  let line = ''
  for (;;) {
    const chunk = await readChunk(actor, descriptor)
    if (chunk === undefined) return line === '' ? undefined : { line, isComplete: false }
    const newline = chunk.indexOf('\n')
    if (newline < 0) {
      line += chunk
      continue
    }
    unread(descriptor, chunk.slice(newline + 1))
    return { line: line + chunk.slice(0, newline), isComplete: true }
  }
}

/** Gives back what was read too much. */
export function unread(descriptor: Descriptor | undefined, text: string): void {
  if (descriptor?.kind === 'pipe') descriptor.pipe.unread(text)
  else if (descriptor?.kind === 'terminal') descriptor.input.unread(text)
  else if (descriptor?.kind === 'input') descriptor.position -= text.length
}
