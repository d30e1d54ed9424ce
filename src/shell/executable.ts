/** What gcc leaves and exec finds: an ELF head with the program's name behind it. */
import { PAGE_SIZE, type Bytes } from '../util/units'

const ELF_HEAD = '\x7fELF\x02\x01\x01\0'

/** Size of a small program with the C library in it, linked statically. @spec 11 §0: 172 pages of text and data */
export const EXECUTABLE_BYTES: Bytes = 192 * PAGE_SIZE

export const executableText = (program: string): string => `${ELF_HEAD}${program}\n`

/** Name of the program in an executable's text, undefined when it is not one of ours. */
export function programIn(text: string): string | undefined {
  return text.startsWith(ELF_HEAD) ? text.slice(ELF_HEAD.length).split('\n')[0] : undefined
}
