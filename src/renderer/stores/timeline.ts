/**
 * The visible stretch of the run: window, cursor, and the columns of what the mounted charts need. Pulled by range at
 * the visible width, one pull at a time and at most ten a second; nothing older than the window is kept here.
 */
import { defineStore } from 'pinia'
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import type { ReclaimSpan, RecordedEvent, SeriesInfo, SeriesWindow } from '../../protocol/messages'
import type { Ns } from '../../util/units'
import { NS_PER_S } from '../../util/units'
import { MARKED_EVENTS, stallEvents } from '../charts/events'
import type { TimeWindow } from '../charts/window'
import { clampWindow, following, pan, spanOf, zoom } from '../charts/window'
import { useClient } from '../client'
import { useSession } from './session'

const PULL_EVERY_MS = 100
const OVERVIEW_EVERY_MS = 1000
const OVERVIEW_BUCKETS = 400
/** The latest so many of the window. */
export const SPANS_MAX = 20_000
/** The latest so many of the window: `events` may hold no more. */
export const EVENTS_MAX = 2_000
const MARKS_MAX = 1_000

export type SpanPreset = '1s' | '10s' | 'all' | 'free'
const PRESET_NS: Readonly<Record<'1s' | '10s', Ns>> = { '1s': NS_PER_S, '10s': 10 * NS_PER_S }

const EMPTY: SeriesWindow = { fromNs: 0, toNs: 0, times: new Float64Array(0), series: [] }

export const useTimeline = defineStore('timeline', () => {
  const client = useClient()
  const session = useSession()

  const preset = ref<SpanPreset>('10s')
  const isFollowing = ref(true)
  const held = shallowRef<TimeWindow>({ fromNs: 0, toNs: 10 * NS_PER_S })
  const hoverNs = ref<Ns | undefined>()
  const pinnedNs = ref<Ns | undefined>()
  const widthPx = ref(900)

  const endNs = computed(() => Math.max(session.status?.endNs ?? 0, session.status?.nowNs ?? 0))
  const view = computed<TimeWindow>(() => {
    if (preset.value === 'all') return { fromNs: 0, toNs: Math.max(endNs.value, NS_PER_S) }
    return isFollowing.value ? following(spanOf(held.value), session.nowNs) : held.value
  })
  /** What the charts and the values at the left are read at: hover, else pin, else the clock. */
  const cursorNs = computed(() => hoverNs.value ?? pinnedNs.value ?? session.nowNs)

  const catalog = shallowRef<readonly SeriesInfo[]>([])
  const data = shallowRef<SeriesWindow>(EMPTY)
  const spans = shallowRef<readonly ReclaimSpan[]>([])
  const events = shallowRef<readonly RecordedEvent[]>([])
  /** Those of them that get a mark with their name. */
  const marks = shallowRef<readonly RecordedEvent[]>([])
  const overview = shallowRef<SeriesWindow>(EMPTY)
  const trouble = ref('')

  /**
   * The window as it is drawn. While it moves by itself it is the one that the data were read for, so that charts are
   * drawn once a pull and not once a tick of the clock.
   */
  const drawn = computed<TimeWindow>(() => {
    const movesItself = preset.value === 'all' || isFollowing.value
    const isRead = data.value.toNs > data.value.fromNs
    return movesItself && isRead ? { fromNs: data.value.fromNs, toNs: data.value.toNs } : view.value
  })

  /** Who needs what; a chart takes its row away when it goes. */
  const needs = shallowRef<ReadonlyMap<symbol, readonly string[]>>(new Map())
  const names = computed(() => [...new Set([...needs.value.values()].flat())].sort())
  const overviewName = ref('')

  let isPulling = false
  let isStale = false
  let pulledAt = -Infinity
  let overviewAt = -Infinity
  let timer: ReturnType<typeof setTimeout> | undefined

  async function pull(): Promise<void> {
    const { fromNs, toNs } = view.value
    const [series, reclaim, happened, ...marked] = await Promise.all([
      names.value.length === 0
        ? undefined
        : client.request({
            kind: 'getSeries',
            names: names.value,
            fromNs,
            toNs,
            buckets: Math.min(2000, Math.round(widthPx.value)),
          }),
      client.request({ kind: 'getSpans', fromNs, toNs, limit: SPANS_MAX }),
      client.request({ kind: 'getEvents', fromNs, toNs, names: [], limit: EVENTS_MAX }),
      // Apart, because frequent tracepoints would push the rare ones over the limit.
      ...MARKED_EVENTS.map((list) =>
        client.request({ kind: 'getEvents', fromNs, toNs, names: list, limit: MARKS_MAX }),
      ),
    ])
    trouble.value = series && !series.ok ? series.error.message : ''
    if (series?.ok) data.value = series.value
    if (reclaim.ok) spans.value = reclaim.value
    if (happened.ok) events.value = happened.value
    const named = marked.flatMap((result) => (result.ok ? result.value : []))
    marks.value = [...named, ...stallEvents(spans.value)].sort((a, b) => a.atNs - b.atNs)
    await pullOverview()
  }

  async function pullOverview(): Promise<void> {
    if (overviewName.value === '' || performance.now() - overviewAt < OVERVIEW_EVERY_MS) return
    overviewAt = performance.now()
    const result = await client.request({
      kind: 'getSeries',
      names: [overviewName.value],
      fromNs: 0,
      toNs: Math.max(endNs.value, NS_PER_S),
      buckets: OVERVIEW_BUCKETS,
    })
    if (result.ok) overview.value = result.value
  }

  async function pullNow(): Promise<void> {
    isPulling = true
    isStale = false
    pulledAt = performance.now()
    await pull()
    isPulling = false
    if (isStale) schedule()
  }

  function schedule(): void {
    isStale = true
    if (isPulling || timer !== undefined || needs.value.size === 0 || !session.hasMachine) return
    timer = setTimeout(
      () => {
        timer = undefined
        void pullNow()
      },
      Math.max(0, PULL_EVERY_MS - (performance.now() - pulledAt)),
    )
  }

  watch([view, endNs, names, widthPx, () => session.status?.eventCount], schedule)
  watch(
    () => session.status?.profile,
    () => void loadCatalog(),
  )
  watch(overviewName, () => (overviewAt = -Infinity))

  watch(
    () => session.boots,
    () => {
      data.value = EMPTY
      overview.value = EMPTY
      spans.value = []
      events.value = []
      marks.value = []
      pinnedNs.value = undefined
      isFollowing.value = true
      if (preset.value === 'free') preset.value = '10s'
      void loadCatalog()
    },
  )

  async function loadCatalog(): Promise<void> {
    if (!session.hasMachine) return
    const result = await client.request({ kind: 'listSeries' })
    if (result.ok) catalog.value = result.value
    overviewAt = -Infinity
    schedule()
  }

  /** Series that a component needs while it lives. Call it again, through the function it returns, when they change. */
  function need(wanted: readonly string[]): (next: readonly string[]) => void {
    const key = Symbol('need')
    const put = (list: readonly string[]): void => {
      needs.value = new Map(needs.value).set(key, list)
      schedule()
    }
    put(wanted)
    onScopeDispose(() => {
      const left = new Map(needs.value)
      left.delete(key)
      needs.value = left
    })
    return put
  }

  function hold(next: TimeWindow): void {
    held.value = clampWindow(next, Math.max(endNs.value, spanOf(next)))
    preset.value = 'free'
    isFollowing.value = false
  }
  const zoomAt = (factor: number, atNs: Ns): void =>
    hold(zoom(view.value, factor, atNs, Math.max(endNs.value, NS_PER_S)))
  const panBy = (byNs: Ns): void => hold(pan(view.value, byNs, Math.max(endNs.value, spanOf(view.value))))
  function show(next: SpanPreset): void {
    if (next === '1s' || next === '10s') {
      const span = PRESET_NS[next]
      const at = cursorNs.value
      held.value = isFollowing.value
        ? following(span, session.nowNs)
        : clampWindow({ fromNs: at - span / 2, toNs: at + span / 2 }, Math.max(endNs.value, span))
    }
    preset.value = next
  }
  function follow(on: boolean): void {
    if (on) pinnedNs.value = undefined
    if (on && preset.value === 'all') preset.value = '10s'
    if (!on) held.value = view.value
    isFollowing.value = on
  }
  const hover = (atNs: Ns | undefined): void => void (hoverNs.value = atNs)
  const pin = (atNs: Ns | undefined): void => void (pinnedNs.value = atNs)

  return {
    preset,
    isFollowing,
    view,
    drawn,
    cursorNs,
    hoverNs,
    pinnedNs,
    widthPx,
    endNs,
    catalog,
    data,
    spans,
    events,
    marks,
    overview,
    overviewName,
    trouble,
    need,
    hold,
    zoomAt,
    panBy,
    show,
    follow,
    hover,
    pin,
    loadCatalog,
    schedule,
  }
})
