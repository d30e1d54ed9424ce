/** Colours of a chart out of the theme's tokens; read again when the theme changes. */
import type { TokenReader } from '../theme/tokens'

export interface ChartColors {
  readonly ink: string
  readonly quiet: string
  readonly strip: string
  readonly grid: string
  readonly line: string
  /** Lines behind the one that is meant. */
  readonly faint: string
  readonly kswapd: string
  readonly direct: string
  readonly memcg: string
  readonly anon: string
  readonly file: string
  readonly min: string
  readonly low: string
  readonly high: string
  readonly warn: string
  readonly danger: string
  readonly font: string
}

export const chartColors = (token: TokenReader): ChartColors => ({
  ink: token('--t-1'),
  quiet: token('--t-3'),
  strip: token('--s-2'),
  grid: token('--b-grid'),
  line: token('--b-line'),
  faint: token('--t-off'),
  kswapd: token('--k-kswapd'),
  direct: token('--k-direct'),
  memcg: token('--k-memcg'),
  anon: token('--o-anon'),
  file: token('--o-file'),
  min: token('--w-min'),
  low: token('--w-low'),
  high: token('--w-high'),
  warn: token('--warn'),
  danger: token('--danger'),
  font: token('--font-ui'),
})
