/** From the pieces of an expanded word to its fields: word splitting by IFS. */
import { escapePattern } from './glob'

export type Piece =
  /** `isActive`: `*`, `?` and `[` in it are patterns. `splits`: IFS cuts it. `keepsEmpty`: quotes, so '' is a field. */
  | {
      readonly kind: 'text'
      readonly text: string
      readonly isActive: boolean
      readonly splits: boolean
      readonly keepsEmpty: boolean
    }
  /** Between the elements of "$@". */
  | { readonly kind: 'break' }

export const literal = (text: string): Piece => ({
  kind: 'text',
  text,
  isActive: false,
  splits: false,
  keepsEmpty: false,
})
export const quoted = (text: string): Piece => ({
  kind: 'text',
  text,
  isActive: false,
  splits: false,
  keepsEmpty: true,
})
export const active = (text: string): Piece => ({
  kind: 'text',
  text,
  isActive: true,
  splits: false,
  keepsEmpty: false,
})
/** The result of an expansion outside quotes. */
export const loose = (text: string): Piece => ({ kind: 'text', text, isActive: true, splits: true, keepsEmpty: false })

export interface Field {
  readonly text: string
  /** The same with quoted characters escaped, for pathname expansion. */
  readonly pattern: string
}

/** Cuts pieces into fields. Blanks of IFS collapse; each other character of IFS ends a field. */
export function splitFields(pieces: readonly Piece[], ifs: string): Field[] {
  const fields: Field[] = []
  let text: string | undefined
  let pattern = ''
  // A blank has just ended a field: a following ':' (say) belongs to the same separator.
  let isAfterBlank = false
  const end = (): void => {
    if (text !== undefined) fields.push({ text, pattern })
    text = undefined
    pattern = ''
  }
  const add = (more: string, isActive: boolean): void => {
    text = (text ?? '') + more
    pattern += isActive ? more.replaceAll('\\', '\\\\') : escapePattern(more)
    isAfterBlank = false
  }
  for (const piece of pieces) {
    if (piece.kind === 'break') end()
    else if (!piece.splits) {
      if (piece.text !== '' || piece.keepsEmpty) add(piece.text, piece.isActive)
    } else {
      for (const c of piece.text) {
        if (!ifs.includes(c)) add(c, piece.isActive)
        else if (c === ' ' || c === '\t' || c === '\n') {
          if (text !== undefined) {
            end()
            isAfterBlank = true
          }
        } else if (isAfterBlank) isAfterBlank = false
        else {
          text ??= ''
          end()
        }
      }
    }
  }
  end()
  return fields
}

/** All pieces as one text, without splitting: assignments, here-documents, `case` words. */
export const joinText = (pieces: readonly Piece[]): string =>
  pieces.map((piece) => (piece.kind === 'break' ? ' ' : piece.text)).join('')

/** All pieces as one pattern: what was quoted is literal. */
export const joinPattern = (pieces: readonly Piece[]): string =>
  pieces
    .map((piece) => (piece.kind === 'break' ? ' ' : piece.isActive ? piece.text : escapePattern(piece.text)))
    .join('')
