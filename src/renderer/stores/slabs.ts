/** Which cache and which slab the Slab view has open: kept while another view is looked at. */
import { defineStore } from 'pinia'
import { ref, watch } from 'vue'
import { useSession } from './session'

export const useSlabs = defineStore('slabs', () => {
  const session = useSession()
  /** '' until a person chooses: then the largest. */
  const cache = ref('')
  /** First frame of the open slab, 0 none. */
  const pfn = ref(0)
  /** The object that is pointed at, 0 none. */
  const address = ref(0)
  const filter = ref('')

  function open(name: string): void {
    if (name !== cache.value) pfn.value = 0
    cache.value = name
  }
  function show(frame: number, object: number): void {
    pfn.value = frame
    address.value = object
  }
  watch(
    () => session.boots,
    () => {
      cache.value = ''
      pfn.value = 0
    },
  )
  return { cache, pfn, address, filter, open, show }
})
