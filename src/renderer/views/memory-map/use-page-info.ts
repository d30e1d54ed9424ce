/** The struct page under the pointer or under the cursor: asked for one at a time, the newest wish wins. */
import type { Ref, ShallowRef } from 'vue'
import { shallowRef, watch } from 'vue'
import type { PageInfo } from '../../../protocol/page-map'
import { useClient } from '../../client'

/** @param pfn  undefined: nothing is asked about @param tick  the machine has moved */
export function usePageInfo(pfn: Ref<number | undefined>, tick: () => unknown): ShallowRef<PageInfo | undefined> {
  const client = useClient()
  const info = shallowRef<PageInfo>()
  let isAsking = false
  let isDue = false

  async function ask(): Promise<void> {
    isDue = true
    if (isAsking) return
    isAsking = true
    while (isDue) {
      isDue = false
      const wanted = pfn.value
      if (wanted === undefined) {
        info.value = undefined
        continue
      }
      const reply = await client.request({ kind: 'getPage', pfn: wanted })
      if (reply.ok && pfn.value !== undefined) info.value = reply.value
    }
    isAsking = false
  }

  watch([pfn, tick], () => void ask(), { immediate: true })
  return info
}
