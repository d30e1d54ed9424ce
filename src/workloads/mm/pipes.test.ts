import { expect, test } from 'vitest'
import { TaskMachine } from '../../../test/task-machine'
import { PROGRAMS } from '..'

test('mm pipes opens more pipes than the limit of descriptors, which it raises first', () => {
  const m = new TaskMachine({ mib: 256, programs: PROGRAMS })
  m.run(['mm', 'pipes', 'n=600', 'dir=/tmp'])
  for (let i = 0; i < 50 && !m.output.includes('pipes='); i++) m.advance(1e8)
  expect(m.output).toBe('pipes=600 bytes=39321600\n')
})
