/** The tables of the timeline, one for every chart and one of all series, as the window stands. */
import type { ComputedRef } from 'vue'
import { computed } from 'vue'
import { spanOf } from '../../charts/window'
import { formatMoment } from '../../format'
import { useSession } from '../../stores/session'
import { useTimeline } from '../../stores/timeline'
import { spanTwins } from './span-tables'
import { overviewTwin, seriesTwins, type ChartTwin } from './timeline-table'

export function useTwins(zones: ComputedRef<readonly string[]>): ComputedRef<readonly ChartTwin[]> {
  const timeline = useTimeline()
  const session = useSession()
  return computed(() => {
    const nrNodes = session.status?.nodes ?? 1
    const formatTime = (ns: number): string => formatMoment(ns, spanOf(timeline.drawn) / 100)
    return [
      ...seriesTwins({ data: timeline.data, zones: zones.value, nrNodes, formatTime }),
      ...spanTwins({
        view: timeline.drawn,
        nowNs: session.nowNs,
        width: timeline.widthPx,
        spans: timeline.spans,
        events: timeline.events,
        formatTime,
      }),
      overviewTwin(timeline.overview, timeline.overviewName, (ns) => formatMoment(ns, 1e11)),
    ]
  })
}
