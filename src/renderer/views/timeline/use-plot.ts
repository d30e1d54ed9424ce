/** What all tracks share: colours of the theme in force, the zones that can be shown, the query for bands. */
import type { ComputedRef } from 'vue'
import { computed } from 'vue'
import type { BandQuery } from '../../charts/bands'
import type { ChartColors } from '../../charts/palette'
import { chartColors } from '../../charts/palette'
import { useSession } from '../../stores/session'
import { useTimeline } from '../../stores/timeline'
import { useUi } from '../../stores/ui'
import { readTokens } from '../../theme/tokens'

export interface Plot {
  readonly colors: ComputedRef<ChartColors>
  readonly query: ComputedRef<BandQuery>
}

export function usePlot(): Plot {
  const ui = useUi()
  const timeline = useTimeline()
  const session = useSession()
  const colors = computed(() => {
    void ui.shade // read again when the theme changes
    return chartColors(readTokens())
  })
  const query = computed<BandQuery>(() => ({ view: timeline.drawn, nowNs: session.nowNs, width: timeline.widthPx }))
  return { colors, query }
}
