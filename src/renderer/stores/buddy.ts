/** Which zone, free list, CPU and block the Buddy view has open: kept while another view is looked at. */
import { defineStore } from 'pinia'
import { ref, shallowRef, watch } from 'vue'
import { useSession } from './session'

export interface ListKey {
  /** 0 to 10 */
  readonly order: number
  /** Index of the migrate type. */
  readonly type: number
}

/** Movable pages of order 3: the largest that is not costly. */
const FIRST_LIST: ListKey = { order: 3, type: 1 }

export const useBuddy = defineStore('buddy', () => {
  const session = useSession()
  /** '0 DMA32'; '' until a person chooses: then the largest. */
  const zone = ref('')
  const list = shallowRef<ListKey>(FIRST_LIST)
  const cpu = ref(0)
  /** The block whose buddies are looked at. */
  const block = shallowRef<{ readonly pfn: number; readonly order: number } | undefined>()

  function open(key: string, next: ListKey): void {
    zone.value = key
    list.value = next
    block.value = undefined
  }
  watch(
    () => session.boots,
    () => {
      zone.value = ''
      cpu.value = 0
      block.value = undefined
    },
  )
  return { zone, list, cpu, block, open }
})
