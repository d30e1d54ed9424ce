import { expect, test } from 'vitest'
import { TaskMachine, type TaskMachineOptions } from '../../test/task-machine'
import { checkInvariants } from '../engine/check'
import { PROGRAMS } from '.'

/** Its worker, and the anonymous pages that it has after half a second. */
function worker(
  hardware: TaskMachineOptions,
  ...options: readonly string[]
): { pages: number; machine: TaskMachine; pid: number } {
  const machine = new TaskMachine({ programs: PROGRAMS, thp: 'never', ...hardware })
  machine.run(['stress', '--vm', '1', '--vm-bytes', '64M', '--timeout', '20s', ...options])
  machine.advance(500e6)
  const pid = machine.state.taskList.findLast((p) => machine.state.tasks[p]!.comm === 'stress')!
  const rss = /RssAnon:\s+(\d+)/.exec(machine.read(`/proc/${pid}/status`))
  return { pages: Number(rss?.[1]) / 4, machine, pid }
}

test('a stride of pages touches one page in each; a smaller one touches them all', () => {
  const whole = worker({ mib: 256 }, '--vm-hang', '10').pages
  expect(whole).toBeGreaterThan(16384)
  expect(whole).toBeLessThan(16384 + 100)
  const sparse = worker({ mib: 256 }, '--vm-hang', '10', '--vm-stride', '2M').pages
  expect(sparse).toBeGreaterThanOrEqual(32)
  expect(sparse).toBeLessThan(32 + 100)
})

test('every block is written and then compared: what was swapped out in between is read back', () => {
  const { machine, pid } = worker({ mib: 64, swapPages: 32_768 })
  // Blocks are new in every round: only comparing them can meet a page that has left memory.
  expect(machine.task(pid).majFlt).toBeGreaterThan(100)
  expect(checkInvariants(machine.state)).toEqual([])
})
