/**
 * Copies of a whole machine. State is a tree of plain data, so that this is all there is to it.
 */
import { freezeTree, thawTree } from '../util/clone'
import type { Checkpoint } from './engine_api'
import type { KernelState } from './state'

export const takeCheckpoint = (state: KernelState, previous?: Checkpoint): Checkpoint => ({
  atNs: state.nowNs,
  eventCount: state.eventCount,
  frozen: freezeTree(state, previous?.frozen),
})

export const restoreCheckpoint = (checkpoint: Checkpoint): KernelState => thawTree(checkpoint.frozen)
