/** The width of an element in whole pixels, as it changes: for drawings that are to scale. */
import type { Ref } from 'vue'
import { onBeforeUnmount, onMounted, ref } from 'vue'

export function useWidth(box: Ref<HTMLElement | undefined>, initial = 0): Ref<number> {
  const width = ref(initial)
  let observer: ResizeObserver | undefined
  onMounted(() => {
    const element = box.value
    if (!element) return
    width.value = element.clientWidth || initial
    observer = new ResizeObserver(() => (width.value = element.clientWidth || width.value))
    observer.observe(element)
  })
  onBeforeUnmount(() => observer?.disconnect())
  return width
}
