/** Dates of the simulated machine, in UTC. Computed, because the shell may not ask this computer's clock. */

interface Civil {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly weekday: number
  readonly yearDay: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

const MS_PER_DAY = 86_400_000
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

/** Days since 1970-01-01 as a date of the Gregorian calendar (eras of 400 years, years from March). */
function civil(epochMs: number): Civil {
  const days = Math.floor(epochMs / MS_PER_DAY)
  const ms = epochMs - days * MS_PER_DAY
  const shifted = days + 719468
  const era = Math.floor(shifted / 146097)
  const dayOfEra = shifted - era * 146097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  return {
    year,
    month,
    day: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1,
    weekday: (((days + 4) % 7) + 7) % 7,
    yearDay: month > 2 ? dayOfYear + 60 + (isLeap ? 1 : 0) : dayOfYear - 305,
    hour: Math.floor(ms / 3_600_000),
    minute: Math.floor(ms / 60_000) % 60,
    second: Math.floor(ms / 1000) % 60,
  }
}

/** strftime(3) in UTC; `%N` gives nanoseconds when `ns` is known. */
export function formatDate(format: string, epochMs: number, ns = 0): string {
  const c = civil(epochMs)
  const two = (n: number): string => String(n).padStart(2, '0')
  const expand = (letter: string): string => {
    switch (letter) {
      case 'Y':
        return String(c.year)
      case 'm':
        return two(c.month)
      case 'd':
        return two(c.day)
      case 'e':
        return String(c.day).padStart(2)
      case 'H':
        return two(c.hour)
      case 'I':
        return two(((c.hour + 11) % 12) + 1)
      case 'p':
        return c.hour < 12 ? 'AM' : 'PM'
      case 'M':
        return two(c.minute)
      case 'S':
        return two(c.second)
      case 'N':
        return String(ns).padStart(9, '0')
      case 's':
        return String(Math.floor(epochMs / 1000))
      case 'a':
        return (DAYS[c.weekday] ?? '').slice(0, 3)
      case 'A':
        return DAYS[c.weekday] ?? ''
      case 'b':
      case 'h':
        return (MONTHS[c.month - 1] ?? '').slice(0, 3)
      case 'B':
        return MONTHS[c.month - 1] ?? ''
      case 'j':
        return String(c.yearDay).padStart(3, '0')
      case 'u':
        return String(c.weekday === 0 ? 7 : c.weekday)
      case 'y':
        return two(c.year % 100)
      case 'Z':
        return 'UTC'
      case 'z':
        return '+0000'
      default:
        return letter === '%' ? '%' : `%${letter}`
    }
  }
  const composed = format
    .replaceAll('%F', '%Y-%m-%d')
    .replaceAll('%T', '%H:%M:%S')
    .replaceAll('%D', '%m/%d/%y')
    .replaceAll('%R', '%H:%M')
    .replaceAll('%c', '%a %b %e %H:%M:%S %Y')
    .replaceAll('%n', '\n')
    .replaceAll('%t', '\t')
  return composed.replace(/%-?([A-Za-z%])/g, (all, letter: string) => {
    const text = expand(letter)
    return all.startsWith('%-') ? text.replace(/^[0 ]+(?=\d)/, '') : text
  })
}
