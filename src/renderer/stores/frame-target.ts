/** A page frame that another view wants to see on the Memory map. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { useUi } from './ui'

export const useFrameTarget = defineStore('frame-target', () => {
  const ui = useUi()
  /** Until the map has gone there. */
  const pfn = ref<number | undefined>()

  function show(frame: number): void {
    pfn.value = frame
    ui.goTo('memory-map')
  }
  /** @returns the frame, once */
  function take(): number | undefined {
    const { value } = pfn
    pfn.value = undefined
    return value
  }
  return { pfn, show, take }
})
