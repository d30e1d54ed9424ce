/** A programmer's error: the simulation is no longer what its code believes. Never caught to go on. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** Stops the machine when `condition` is false. `found` says what was found, with its numbers. */
export function assert(condition: boolean, found: string): asserts condition {
  if (!condition) throw new AssertionError(found)
}

/** For the default branch of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new AssertionError(`unexpected ${JSON.stringify(value)}`)
}
