/**
 * How an interpreter stops in the middle: `break`, `return`, `exit`, a deadly signal, Ctrl+C. Each is thrown through the
 * statements that are under way and caught by the construct or the process that it belongs to.
 */
export type UnwindKind = 'break' | 'continue' | 'return' | 'exit' | 'killed' | 'interrupted' | 'brokenPipe' | 'fatal'

export class Unwind extends Error {
  readonly kind: UnwindKind
  /** Levels for break and continue, a status for the others. */
  value: number
  constructor(kind: UnwindKind, value: number) {
    super(kind)
    this.kind = kind
    this.value = value
  }
}

type Waiter = { readonly reject: (reason: Unwind) => void; readonly interruptible: boolean }

/** Whether a process of the shell still lives, and who must be told when it does not. */
export class Doom {
  #dead = false
  #interrupted = false
  readonly #waiters = new Set<Waiter>()

  get isDead(): boolean {
    return this.#dead
  }

  /** The process was killed: everything it waits for ends with an unwind. */
  die(): void {
    if (this.#dead) return
    this.#dead = true
    this.#rejectAll(() => true, new Unwind('killed', 137))
  }

  /** Ctrl+C for a process that is not killed by it: ends its interruptible waits, or its next step. */
  interrupt(): void {
    this.#interrupted = true
    this.#rejectAll((w) => w.interruptible, new Unwind('interrupted', 130))
  }

  forgetInterrupt(): void {
    this.#interrupted = false
  }

  /** Throws when the process was killed or interrupted since the last check. */
  check(): void {
    if (this.#dead) throw new Unwind('killed', 137)
    if (!this.#interrupted) return
    this.#interrupted = false
    throw new Unwind('interrupted', 130)
  }

  /** Waits for `promise`, but not beyond the death of the process. */
  race<T>(promise: Promise<T>, how: { readonly interruptible: boolean }): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiter: Waiter = { reject, interruptible: how.interruptible }
      if (this.#dead || (how.interruptible && this.#interrupted)) {
        this.#interrupted = false
        reject(this.#dead ? new Unwind('killed', 137) : new Unwind('interrupted', 130))
        return
      }
      this.#waiters.add(waiter)
      const settled = (): void => void this.#waiters.delete(waiter)
      promise.then(
        (value) => (settled(), resolve(value)),
        (reason: unknown) => (settled(), reject(reason instanceof Error ? reason : new Error(String(reason)))),
      )
    })
  }

  #rejectAll(which: (w: Waiter) => boolean, reason: Unwind): void {
    for (const waiter of [...this.#waiters]) {
      if (!which(waiter)) continue
      this.#waiters.delete(waiter)
      this.#interrupted = false
      waiter.reject(reason)
    }
  }
}
