/** Outcomes that a person can cause: a value, or an error that names the place and the fix. */
export interface UserError {
  /** Stable, for tests and documents: 'profile/zone-too-small', or an errno name: 'EINVAL'. */
  readonly code: string
  /** Where: 'my-laptop.json: nodes[1].sizeBytes', or a path. */
  readonly where: string
  /** What is wrong, with the value seen. */
  readonly message: string
  /** What would be accepted. */
  readonly fix: string
}

export type Ok<T> = { readonly ok: true; readonly value: T }
export type Err<E> = { readonly ok: false; readonly error: E }
export type Result<T, E = UserError> = Ok<T> | Err<E>

export const ok = <T>(value: T): Ok<T> => ({ ok: true, value })
export const err = <E>(error: E): Err<E> => ({ ok: false, error })

export const userError = (code: string, where: string, message: string, fix: string): Err<UserError> =>
  err({ code, where, message, fix })

/** One line, as a person sees it. */
export const formatUserError = (e: UserError): string => `${e.where}: ${e.message}${e.fix ? ` ${e.fix}` : ''}`
