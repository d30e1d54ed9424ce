/** Which part of the map is on the screen, how large, and where the cursor is: everything that moves it. */
import type { ComputedRef, Ref } from 'vue'
import { computed, ref, watch } from 'vue'
import type { MapZone, PageMapLayout } from '../../../protocol/page-map'
import type { Pfn } from '../../../util/units'
import {
  cellAt,
  createGeometry,
  frameBeside,
  framesBetween,
  LEVELS,
  levelAtFirst,
  levelToFit,
  placeOf,
  type MapGeometry,
} from './zoom'

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Viewport {
  readonly geometry: ComputedRef<MapGeometry | undefined>
  readonly scrollY: Ref<number>
  readonly cursor: Ref<Pfn | undefined>
  /** First frame in view, and the one behind the last. */
  readonly shown: ComputedRef<{ readonly from: Pfn; readonly to: Pfn }>
  scrollBy(px: number): void
  /** Brings a frame into view; 'middle' even when it is. */
  reveal(pfn: Pfn, where?: 'middle'): void
  /** Puts the cursor on a frame. */
  go(pfn: Pfn): void
  move(dx: number, dy: number): void
  /** The frame at the point, under the cursor or in the middle stays where it is. */
  zoom(by: 1 | -1, at: Point | undefined): void
  zoomTo(level: number): void
  fit(): void
}

export function useViewport(
  layout: Ref<PageMapLayout | undefined>,
  size: { readonly width: Ref<number>; readonly height: Ref<number> },
): Viewport {
  const { width, height } = size
  const level = ref(0)
  const scrollY = ref(0)
  const cursor = ref<Pfn>()
  const zones = computed<readonly MapZone[]>(() => layout.value?.zones ?? [])
  const geometry = computed(() =>
    zones.value.length > 0 ? createGeometry(zones.value, LEVELS[level.value]!, width.value) : undefined,
  )
  const endPfn = computed(() => layout.value?.endPfn ?? 0)
  const shown = computed(() =>
    geometry.value
      ? framesBetween(geometry.value, scrollY.value, scrollY.value + height.value, endPfn.value)
      : { from: 0, to: 0 },
  )

  function scrollTo(y: number): void {
    const most = Math.max(0, (geometry.value?.height ?? 0) - height.value)
    scrollY.value = Math.min(most, Math.max(0, y))
  }
  function reveal(pfn: Pfn, where?: 'middle'): void {
    const g = geometry.value
    const at = g && placeOf(g, pfn)
    if (!at) return
    const isIn = at.y >= scrollY.value && at.y + g.level.px <= scrollY.value + height.value
    if (where === 'middle' || !isIn) scrollTo(at.y - height.value / 2)
  }
  function go(pfn: Pfn): void {
    cursor.value = pfn
    reveal(pfn)
  }
  function zoomTo(next: number, at?: Point): void {
    const g = geometry.value
    const to = Math.min(LEVELS.length - 1, Math.max(0, next))
    if (!g || to === level.value) return
    const held = at ? cellAt(g, at.x, at.y + scrollY.value)?.pfn : cursor.value
    const pfn = held ?? Math.floor((shown.value.from + shown.value.to) / 2)
    const before = placeOf(g, pfn)
    const y = at?.y ?? (before ? before.y - scrollY.value : height.value / 2)
    level.value = to
    const after = placeOf(geometry.value!, pfn)
    scrollTo((after?.y ?? 0) - Math.min(height.value, Math.max(0, y)))
  }
  function move(dx: number, dy: number): void {
    const { value: g } = geometry
    if (g) go(cursor.value === undefined ? shown.value.from : frameBeside(g, cursor.value, { dx, dy }, endPfn.value))
  }
  const fit = (): void => zoomTo(levelToFit(zones.value, width.value, height.value))

  watch(layout, () => {
    cursor.value = undefined
    level.value = levelAtFirst(zones.value, width.value, height.value)
    scrollTo(0)
  })
  watch([width, height], () => scrollTo(scrollY.value))

  return {
    geometry,
    scrollY,
    cursor,
    shown,
    scrollBy: (px) => scrollTo(scrollY.value + px),
    reveal,
    go,
    move,
    zoom: (by, at) => zoomTo(level.value - by, at),
    zoomTo: (next) => zoomTo(next),
    fit,
  }
}
