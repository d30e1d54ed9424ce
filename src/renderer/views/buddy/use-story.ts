/** Which split or merge is stepped through: the next one of the open list, that of a chosen block, or what just happened. */
import { computed, nextTick, ref, shallowRef, type Ref } from 'vue'
import type { BuddyView } from '../../../protocol/allocators'
import { useBuddy } from '../../stores/buddy'
import { mergeStory, splitStory, type BlockStory } from './blocks'
import { endOfMerges, quietWords, storiesOf, type Happened } from './happened'
import type { PagesDone } from './use-pages'

export type StoryMode = 'split' | 'merge' | 'happened'

export function useStory(view: Ref<BuddyView | undefined>, refresh: () => Promise<void>) {
  const buddy = useBuddy()
  const mode = ref<StoryMode>('split')
  const happened = shallowRef<Happened | undefined>()
  const quiet = ref('')
  /** Of the stories of one request: a refill of a per-CPU list may split many blocks. */
  const at = ref(0)
  const nrStories = computed(() => happened.value?.stories.length ?? 0)
  const typeName = computed(() => view.value?.types[buddy.list.type] ?? '')

  const story = computed<BlockStory | undefined>(() => {
    if (mode.value === 'happened' && nrStories.value > 0) return happened.value?.stories[at.value]
    if (!view.value) return undefined
    // Nothing was split or merged: what the block would do if it reached the buddy system now is the next best to see.
    if (mode.value === 'happened') return happened.value && mergeStory(view.value.merge)
    if (mode.value === 'merge') return mergeStory(view.value.merge)
    return view.value.next && splitStory(view.value.next.pfn, view.value.next.blockOrder, buddy.list.order)
  })
  const note = computed(() => {
    const { order } = buddy.list
    if (mode.value === 'happened') {
      if (quiet.value) return 'how the block would merge, were it given to the buddy system now'
      const nr = nrStories.value
      return nr > 1 ? `${at.value + 1} of ${nr} that the last request set off` : 'what the last request set off'
    }
    if (mode.value === 'merge') return 'the chosen block, were it freed now'
    const isPcp = order <= 3 || order === 9
    return `the next order ${order} ${typeName.value} that reaches the free lists${isPcp ? '; a per-CPU list is asked first' : ''}`
  })
  const empty = computed(() => {
    if (mode.value === 'happened') return quiet.value || 'Ask for a block by hand, at the right.'
    if (mode.value === 'merge') return 'Choose a block of the list at the right.'
    return `No ${typeName.value} list from order ${buddy.list.order} up has a block: the request would rob another type’s, or wait for reclaim.`
  })
  /** The step goes back to the first when this changes, and only then. */
  const subject = computed(() =>
    mode.value === 'split'
      ? `split ${buddy.zone} ${buddy.list.order} ${buddy.list.type}`
      : mode.value === 'merge'
        ? `merge ${buddy.block?.pfn}`
        : `happened ${at.value} ${happened.value?.pfn} ${happened.value?.verb}`,
  )

  function chooseBlock(pfn: number): void {
    buddy.block = { pfn, order: buddy.list.order }
    mode.value = 'merge'
  }
  /** Shows what a request did; why merging stopped is read of the block that it left. */
  async function tell({ verb, block, events }: PagesDone): Promise<void> {
    // The zone that the pages came from need not be the one that was open.
    if (block.pfn) buddy.zone = `${block.nid} ${block.zone}`
    buddy.block = endOfMerges(events) ?? (block.pfn ? { pfn: block.pfn, order: block.order } : undefined)
    await nextTick()
    await refresh()
    const stop = view.value?.merge[0]
    const { order, pfn } = block
    happened.value = { verb, order, pfn, stories: storiesOf(events, stop), isWaiting: pfn === 0 }
    quiet.value = happened.value.stories.length > 0 ? '' : quietWords(happened.value, stop?.verdict)
    at.value = 0
    mode.value = 'happened'
  }
  const turn = (by: number): void => {
    at.value = Math.max(0, Math.min((happened.value?.stories.length ?? 1) - 1, at.value + by))
  }
  const lead = computed(() => (mode.value === 'happened' ? quiet.value : ''))
  return { mode, story, note, empty, lead, subject, at, nrStories, typeName, chooseBlock, tell, turn }
}
