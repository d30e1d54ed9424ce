/** The charts that a view shows now, by name and in order: what an export of the view takes. */
import type { InjectionKey } from 'vue'
import type { EChartsCoreOption } from '../charts/canvas'

export interface ShelvedChart {
  readonly option: () => EChartsCoreOption
  readonly size: () => { readonly width: number; readonly height: number }
}

export type ChartShelf = Map<string, ShelvedChart>

export const CHART_SHELF: InjectionKey<ChartShelf> = Symbol('chart shelf')
