/** How much room the map has: its width beside axis and legend, its height above the two lower panels. */
import type { Ref } from 'vue'
import { onBeforeUnmount, onMounted, ref } from 'vue'

const AXIS_PX = 84
const LEGEND_PX = 132
const STRIP_PX = 30
/** Two pageblocks at ten pixels a frame, with the head above them. */
const LOW_PX = 214
/** With less left for the map, the lower panels go. */
const MAP_MIN_PX = 176

export interface Room {
  readonly width: Ref<number>
  readonly height: Ref<number>
  readonly hasLow: Ref<boolean>
}

export function useRoom(box: Ref<HTMLElement | undefined>): Room {
  const width = ref(1024)
  const height = ref(384)
  const hasLow = ref(true)
  let observer: ResizeObserver | undefined

  function measure(): void {
    const element = box.value
    if (!element || element.clientWidth === 0) return
    const room = element.clientHeight - STRIP_PX
    hasLow.value = room - LOW_PX >= MAP_MIN_PX
    width.value = element.clientWidth - AXIS_PX - LEGEND_PX
    height.value = Math.max(16, Math.floor((room - (hasLow.value ? LOW_PX : 0)) / 16) * 16)
  }
  onMounted(() => {
    measure()
    observer = new ResizeObserver(measure)
    if (box.value) observer.observe(box.value)
  })
  onBeforeUnmount(() => observer?.disconnect())
  return { width, height, hasLow }
}
