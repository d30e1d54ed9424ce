/** Signal names by number, as `kill -l` lists them. */
export const SIGNALS = [
  '',
  'HUP',
  'INT',
  'QUIT',
  'ILL',
  'TRAP',
  'ABRT',
  'BUS',
  'FPE',
  'KILL',
  'USR1',
  'SEGV',
  'USR2',
  'PIPE',
  'ALRM',
  'TERM',
  'STKFLT',
  'CHLD',
  'CONT',
  'STOP',
  'TSTP',
  'TTIN',
  'TTOU',
  'URG',
  'XCPU',
  'XFSZ',
  'VTALRM',
  'PROF',
  'WINCH',
  'IO',
  'PWR',
  'SYS',
] as const

export const signalName = (number: number): string | undefined => SIGNALS[number] || undefined

/** From '9', 'KILL' or 'SIGKILL'; 0 asks whether the process lives. */
export function signalNumber(word: string): number | undefined {
  if (/^\d+$/.test(word)) return Number(word) < 65 ? Number(word) : undefined
  const name = word.toUpperCase().replace(/^SIG/, '')
  const index = (SIGNALS as readonly string[]).indexOf(name)
  return index > 0 ? index : undefined
}
