/**
 * What the map asks the session for: the cells in view and a little around them, again whenever the view or the machine
 * has moved, one request at a time. The last picture stands until the next one comes.
 */
import type { ComputedRef, Ref, ShallowRef } from 'vue'
import { onBeforeUnmount, ref, shallowRef, watch } from 'vue'
import type { PageColour, PageMapLayout, PageMapWhole } from '../../../protocol/page-map'
import { formatUserError } from '../../../util/result'
import { useClient } from '../../client'
import { useFrames } from '../../stores/frames'
import { useSession } from '../../stores/session'
import { createPicture, type MapPicture } from './raster'
import { rangesBetween, type MapGeometry } from './zoom'

/** What the view looks at. */
export interface MapView {
  readonly geometry: MapGeometry
  readonly scrollY: number
  readonly height: number
  readonly colour: PageColour
  readonly subject: string
}

export interface PageMapFeed {
  readonly picture: ShallowRef<MapPicture | undefined>
  readonly whole: ShallowRef<PageMapWhole | undefined>
  readonly trouble: Ref<string>
}

/** Wall time between two pictures of a machine that runs: 20 a second. */
const PAUSE_MS = 50
/** The whole machine changes slowly on the scale of its strip. */
const WHOLE_MS = 250
/** Part of the height that is asked for above and below, so that panning shows frames at once. */
const MARGIN = 0.5

/** What the map can show of the machine that is up; asked again when `again` changes. */
export function usePageLayout(again: () => unknown): ShallowRef<PageMapLayout | undefined> {
  const client = useClient()
  const layout = shallowRef<PageMapLayout>()
  watch(
    again,
    async () => {
      const reply = await client.request({ kind: 'getPageLayout' })
      if (reply.ok) layout.value = reply.value
    },
    { immediate: true },
  )
  return layout
}

export function usePageMap(
  view: ComputedRef<MapView | undefined>,
  options: { readonly whole: boolean } = { whole: true },
): PageMapFeed {
  const client = useClient()
  const session = useSession()
  const frames = useFrames()
  const picture = shallowRef<MapPicture>()
  const whole = shallowRef<PageMapWhole>()
  const trouble = ref('')
  let isAsking = false
  let isDue = false
  let isGone = false
  let wholeMs = -Infinity
  let timer: ReturnType<typeof setTimeout> | undefined

  function askSoon(): void {
    isDue = true
    if (!isAsking && timer === undefined) timer = setTimeout(() => void ask(), 0)
  }

  async function ask(): Promise<void> {
    timer = undefined
    const wanted = view.value
    if (isGone || !wanted) return
    isDue = false
    isAsking = true
    const { geometry, scrollY, height, colour, subject } = wanted
    const ranges = rangesBetween(geometry, scrollY - height * MARGIN, scrollY + height * (1 + MARGIN))
    const isWhole = options.whole && performance.now() - wholeMs >= WHOLE_MS
    if (isWhole) wholeMs = performance.now()
    const { shift } = geometry.level
    const query = { colour, subject, shift, ranges, whole: isWhole }
    const reply = await client.request({ kind: 'getPageMap', query })
    isAsking = false
    if (isGone) return
    trouble.value = reply.ok ? '' : formatUserError(reply.error)
    if (reply.ok) {
      picture.value = createPicture(shift, ranges, reply.value)
      if (reply.value.whole) whole.value = reply.value.whole
      // What a reply had no time for comes with the next one.
      if (reply.value.staleCells > 0) isDue = true
    }
    if (isDue) timer = setTimeout(() => void ask(), session.isRunning ? PAUSE_MS : 0)
  }

  watch(view, askSoon)
  watch(
    () => frames.atNs,
    () => {
      if (!session.isRunning) wholeMs = -Infinity
      askSoon()
    },
  )
  watch(
    () => [session.boots, session.hasMachine],
    () => {
      picture.value = undefined
      whole.value = undefined
      wholeMs = -Infinity
      askSoon()
    },
    { immediate: true },
  )
  onBeforeUnmount(() => {
    isGone = true
    clearTimeout(timer)
  })
  return { picture, whole, trouble }
}
