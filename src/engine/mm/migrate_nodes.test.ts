import { describe, expect, test } from 'vitest'
import { migrationPairs, nodeRemap } from './migrate_nodes'

describe('do_migrate_pages', () => {
  test.each([
    ['one node to another', [0], [1], ['0>1']],
    ['a node stays where it is', [0, 1], [0, 1], []],
    ['two change places through each other', [0, 1], [1, 0].sort(), []],
    ['each to the node at its place', [0, 1], [2, 3], ['0>2', '1>3']],
    ['a chain is emptied from its end, so that no page moves twice', [0, 1, 2], [1, 2, 3], ['2>3', '1>2', '0>1']],
    ['sets of unlike sizes: what lies right stays', [0, 1], [1], ['0>1']],
    ['one node over several: all of it to the first', [0], [1, 2], ['0>1']],
    ['more nodes than targets go round and round', [0, 1, 2], [3, 4], ['0>3', '1>4', '2>3']],
  ])('%s', (_name, from, to, wanted) => {
    expect(migrationPairs(from, to).map(({ source, dest }) => `${source}>${dest}`)).toEqual(wanted)
  })

  test('a node that is not in the set stays itself', () => {
    expect(nodeRemap(5, [0, 1], [2, 3])).toBe(5)
  })
})
