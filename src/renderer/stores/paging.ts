/** Which process and address the Paging view has open: kept while another view is looked at, and set by links from there. */
import { defineStore } from 'pinia'
import { ref, watch } from 'vue'
import { useSession } from './session'
import { useUi } from './ui'

export const usePaging = defineStore('paging', () => {
  const session = useSession()
  const ui = useUi()
  /** 0 until a person chooses: then the largest. */
  const pid = ref(0)
  /** Hexadecimal with 0x; '' until one is chosen: then a page of the largest mapping. */
  const address = ref('')
  /** CPU whose caches of translations are looked into; −1 the one that the process runs on. */
  const cpu = ref(-1)

  function choose(process: number, at = ''): void {
    pid.value = process
    address.value = at
  }
  /** Opens the view. @param at  a virtual address; none: wherever the process has most in memory */
  function show(process: number, at?: number): void {
    choose(process, at === undefined ? '' : `0x${at.toString(16)}`)
    ui.goTo('paging')
  }
  watch(
    () => session.boots,
    () => {
      choose(0)
      cpu.value = -1
    },
  )
  return { pid, address, cpu, choose, show }
})
