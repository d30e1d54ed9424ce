/** How builtins print: one write(2) to their standard output or error. */
import { complain } from '../fork'
import type { Proc } from '../process'
import { writeTo } from '../stream'

export const say = (proc: Proc, text: string): Promise<void> => writeTo(proc, proc.fds.get(1), text)

/** `bash: NAME: message`; the status is for `return`. */
export async function refuse(proc: Proc, message: string, status = 1): Promise<number> {
  await complain(proc, message)
  return status
}
