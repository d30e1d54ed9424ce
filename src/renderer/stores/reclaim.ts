/** What the Reclaim view looks at: node, group, and the run that is open. Kept while another view is looked at. */
import { defineStore } from 'pinia'
import { ref, watch } from 'vue'
import { useSession } from './session'

export type ReclaimTab = 'now' | 'why'

export const useReclaim = defineStore('reclaim', () => {
  const session = useSession()
  const nid = ref(0)
  const group = ref('/')
  /** The balance as at the group's own limit. */
  const asLimit = ref(false)
  /** Id of the open run, −1: the latest. */
  const run = ref(-1)
  const tab = ref<ReclaimTab>('now')

  function look(path: string): void {
    group.value = path
    asLimit.value = false
    run.value = -1
  }
  watch(
    () => session.boots,
    () => {
      nid.value = 0
      look('/')
    },
  )
  return { nid, group, asLimit, run, tab, look }
})
