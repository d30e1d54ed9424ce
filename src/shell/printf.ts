/** The format language of printf(1), shared by the builtin and awk. */

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  e: '\x1b',
  E: '\x1b',
  '\\': '\\',
  '"': '"',
  "'": "'",
}

const ESCAPE = /\\(?:x([\da-fA-F]{1,2})|u([\da-fA-F]{1,4})|(0?[0-7]{1,3})|([^]))/g

/** Backslash escapes of `echo -e` and `%b`; `\c` ends the output. */
export function unescapeEcho(text: string): { readonly text: string; readonly stops: boolean } {
  const stop = /(^|[^\\])((?:\\\\)*)\\c/.exec(text)
  const kept = stop === null ? text : text.slice(0, stop.index + (stop[1] ?? '').length + (stop[2] ?? '').length)
  return { text: unescape(kept), stops: stop !== null }
}

export const unescape = (text: string): string =>
  text.replace(ESCAPE, (all, hex?: string, unicode?: string, octal?: string, letter?: string) => {
    if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16))
    if (unicode !== undefined) return String.fromCharCode(parseInt(unicode, 16))
    if (octal !== undefined) return String.fromCharCode(parseInt(octal, 8) & 255)
    return ESCAPES[letter ?? ''] ?? all
  })

const DIRECTIVE = /%(?:%|([-+ 0#]*)(\*|\d+)?(?:\.(\*|\d+)?)?[hlLjzt]*([a-zA-Z]))/g

/** Applies a format again and again until the arguments are used up, as printf(1) does. */
export function formatPrintf(format: string, args: readonly string[]): { text: string; errors: string[] } {
  const errors: string[] = []
  const number = (arg: string): number => {
    if (/^['"]/.test(arg)) return arg.codePointAt(1) ?? 0
    const trimmed = arg.trim()
    if (trimmed === '') return 0
    const value = /^[-+]?0[0-7]+$/.test(trimmed) ? parseInt(trimmed, 8) : Number(trimmed)
    if (!Number.isNaN(value)) return value
    errors.push(`${arg}: invalid number`)
    return parseFloat(trimmed) || 0
  }
  let text = ''
  let next = 0
  do {
    const before = next
    const take = (): string => args[next++] ?? ''
    text += formatOnce(unescape(format.replaceAll('\\%', '%%')), take, number)
    if (next === before) break
  } while (next < args.length)
  return { text, errors }
}

/** One pass over a format; `take` gives the next argument as text. */
export function formatOnce(format: string, take: () => string, number: (arg: string) => number): string {
  return format.replace(DIRECTIVE, (all: string, flags = '', width?: string, precision?: string, kind?: string) => {
    if (all === '%%') return '%'
    const hasPrecision = /\.(\*|\d*)?[hlLjzt]*[a-zA-Z]$/.test(all)
    const wide = width === '*' ? Math.trunc(number(take())) : Number(width ?? 0)
    const exact = !hasPrecision ? undefined : precision === '*' ? Math.trunc(number(take())) : Number(precision ?? 0)
    const allFlags = wide < 0 ? `${flags}-` : flags
    return pad(convert(kind ?? '', allFlags, exact, take(), number), Math.abs(wide), allFlags, kind ?? '', exact)
  })
}

function convert(
  kind: string,
  flags: string,
  precision: number | undefined,
  arg: string,
  number: (arg: string) => number,
): string {
  const signed = (value: number, text: string): string =>
    value < 0 || Object.is(value, -0)
      ? `-${text}`
      : flags.includes('+')
        ? `+${text}`
        : flags.includes(' ')
          ? ` ${text}`
          : text
  switch (kind) {
    case 's':
      return precision === undefined ? arg : arg.slice(0, precision)
    case 'b':
      return unescapeEcho(arg).text
    case 'q':
      return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`
    case 'c':
      return arg.slice(0, 1)
    case 'd':
    case 'i':
    case 'u': {
      const value = Math.trunc(number(arg))
      return signed(value === 0 ? 0 : value, integer(Math.abs(value)).padStart(precision ?? 1, '0'))
    }
    case 'x':
    case 'X':
    case 'o': {
      const radix = kind === 'o' ? 8 : 16
      const value = BigInt.asUintN(64, BigInt(Math.trunc(number(arg)) || 0)).toString(radix)
      const digits = (kind === 'X' ? value.toUpperCase() : value).padStart(precision ?? 1, '0')
      return flags.includes('#') ? (kind === 'o' ? '0' : `0${kind}`) + digits : digits
    }
    case 'f':
    case 'F':
    case 'e':
    case 'E':
    case 'g':
    case 'G': {
      const value = number(arg)
      if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : signed(value, 'inf')
      return signed(value, float(kind, Math.abs(value), precision ?? 6, flags))
    }
    default:
      return arg
  }
}

const integer = (value: number): string => (value < 1e21 ? String(value) : BigInt(value).toString())

function float(kind: string, value: number, precision: number, flags: string): string {
  const lower = kind.toLowerCase()
  let text: string
  if (lower === 'f') text = value.toFixed(Math.min(precision, 100))
  else if (lower === 'e') text = exponent(value.toExponential(Math.min(precision, 100)))
  else {
    const digits = precision === 0 ? 1 : precision
    const power = value === 0 ? 0 : Number(value.toExponential(digits - 1).split('e')[1])
    const isWide = power < -4 || power >= digits
    text = isWide ? value.toExponential(digits - 1) : value.toFixed(Math.max(0, digits - 1 - power))
    if (!flags.includes('#') && text.includes('.')) text = text.replace(/\.?0+(?=e|$)/, '')
    text = exponent(text)
  }
  return kind === lower ? text : text.toUpperCase()
}

/** C writes at least two digits of exponent. */
const exponent = (text: string): string => text.replace(/e([-+])(\d)$/, 'e$10$2')

function pad(text: string, width: number, flags: string, kind: string, precision: number | undefined): string {
  if (text.length >= width) return text
  if (flags.includes('-')) return text.padEnd(width)
  const isNumber = /[diuxXofFeEgG]/.test(kind)
  const zeros = flags.includes('0') && isNumber && (precision === undefined || /[fFeEgG]/.test(kind))
  if (!zeros) return text.padStart(width)
  const sign = /^([-+ ]|0[xX])?/.exec(text)?.[0] ?? ''
  return sign + text.slice(sign.length).padStart(width - sign.length, '0')
}
