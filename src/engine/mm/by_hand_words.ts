/** Lines of the form `verb key=value key=value operand`, as the files below /sys/kernel/debug/pagewalk take them. */

export interface Words {
  readonly verb: string
  readonly values: Readonly<Record<string, string>>
  readonly operands: readonly string[]
}

/**
 * Splits such a line.
 * @returns what was read, or which word is wrong: a key that is not one of `keys` or comes twice; or several lines
 * @model   the files are ours, so is their syntax
 */
export function parseWords(text: string, keys: readonly string[]): Words | string {
  const [verb = '', ...rest] = text.trim().split(/[ \t]+/)
  const values: Record<string, string> = {}
  const operands: string[] = []
  if (/\n/.test(text.trim())) return 'one line at a time'
  for (const word of rest) {
    const at = word.indexOf('=')
    const key = word.slice(0, Math.max(0, at))
    if (at < 0) operands.push(word)
    else if (!keys.includes(key)) return `'${word}' is not understood; known are ${keys.join(', ')}`
    else if (Object.hasOwn(values, key)) return `${key}= comes twice`
    else values[key] = word.slice(at + 1)
  }
  return { verb, values, operands }
}

/** Decimal or 0x…; undefined for anything else. @kernel lib/kstrtox.c kstrtoul() */
export const parseUnsigned = (text: string): number | undefined =>
  /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : undefined
