/** Why there is nothing to walk, and what to do. Pure. */
import type { TaskFrame } from '../../../protocol/messages'
import type { UserError } from '../../../util/result'

/** '' when there is something. */
export function emptyText(of: {
  readonly pid: number
  readonly task: TaskFrame | undefined
  readonly refusal: UserError | undefined
}): string {
  const { pid, task, refusal } = of
  if (pid === 0) return 'No process runs: start one in Processes or in the terminal, and choose it here.'
  if (task?.isKthread)
    return `${task.comm} is a kernel thread: it has no address space of its own and borrows the last one. Choose a process.`
  if (refusal === undefined) return ''
  return task === undefined
    ? `pid ${pid} has exited, and its page tables with it. Choose another process.`
    : `${task.comm} has given its address space up: it is about to exit. Choose another process.`
}
