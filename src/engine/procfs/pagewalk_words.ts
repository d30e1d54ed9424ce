/** Lines of the form `verb key=value key=value operand`, as the files below /sys/kernel/debug/pagewalk take them. */

export interface Words {
  readonly verb: string
  readonly values: Readonly<Record<string, string>>
  readonly operands: readonly string[]
}

/** undefined when a key is given twice or is not one of `keys`, or the text is more than one line. */
export function parseWords(text: string, keys: readonly string[]): Words | undefined {
  const [verb = '', ...rest] = text.trim().split(/[ \t]+/)
  const values: Record<string, string> = {}
  const operands: string[] = []
  if (/\n/.test(text.trim())) return undefined
  for (const word of rest) {
    const at = word.indexOf('=')
    const key = word.slice(0, Math.max(0, at))
    if (at < 0) operands.push(word)
    else if (!keys.includes(key) || Object.hasOwn(values, key)) return undefined
    else values[key] = word.slice(at + 1)
  }
  return { verb, values, operands }
}

/** Decimal or 0x…; undefined for anything else. @kernel lib/kstrtox.c kstrtoul() */
export const parseUnsigned = (text: string): number | undefined =>
  /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : undefined
