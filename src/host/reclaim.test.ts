import { expect, test } from 'vitest'
import { TaskMachine } from '../../test/task-machine'
import type { GetReclaim } from '../protocol/reclaim'
import { reclaimReply } from './reclaim'

test('places that do not exist are refused in words, and the root is the whole machine', () => {
  const { state } = new TaskMachine()
  const ask = (request: Partial<GetReclaim>) =>
    reclaimReply(state, { kind: 'getReclaim', nid: 0, group: '/', asLimit: false, ...request })
  expect(ask({ nid: 7 })).toMatchObject({ ok: false, error: { code: 'reclaim/node' } })
  expect(ask({ group: '/nowhere' })).toMatchObject({ ok: false, error: { code: 'reclaim/group' } })
  expect(ask({})).toMatchObject({ ok: true, value: { nid: 0, group: '/', swappiness: state.sysctl.swappiness } })
})
