/**
 * What a person may write to a sysctl. Apart, because every family of sysctls reads numbers the same way.
 * @kernel  kernel/sysctl.c proc_get_long()
 */

/** Decimal, as proc_dointvec reads it; hex and octal are understood too. */
export function parseInteger(text: string): number | undefined {
  const word = text.trim()
  return /^[-+]?(0x[0-9a-f]+|\d+)$/i.test(word) ? Number(word) : undefined
}
