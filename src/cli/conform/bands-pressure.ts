/**
 * Bands of the cases of global pressure.
 * @spec 11 §5, §10
 */
import { exact, near, percent, type Band, type BandRow } from './band'
import type { CaseTraits } from './figure'

const isPressure = (t: CaseTraits): boolean => t.kind === '5-pressure'
const range = (min: number, max: number): Band => ({ kind: 'range', min, max })
/** The file was read three times, so that its pages are active. */
const isActiveFile = (t: CaseTraits): boolean => isPressure(t) && t.parameters['fpass'] === '3'
const withSwappiness =
  (...values: string[]) =>
  (t: CaseTraits): boolean =>
    isActiveFile(t) && t.lru === 'classic' && values.includes(t.parameters['swappiness'] ?? '60')

export const PRESSURE_BANDS: readonly BandRow[] = [
  {
    cases: isPressure,
    figure:
      /^(?:hog|stalls counted for DMA and DMA32|stolen by kswapd and tasks less .*|kswapd steals more than tasks)$/,
    band: exact,
    reason: 'the same in every capture of the kind',
  },
  {
    cases: isPressure,
    figure: /^anon pages scanned$|^file pages stolen$/,
    band: { kind: 'sameSign' },
    reason: 'which kind of page is never touched follows from the parameters; how many are depends on timing',
  },
  {
    cases: isPressure,
    figure: /^file pages scanned for each stolen$/,
    band: percent(1.5),
    reason: 'clean pages that nobody maps are taken at first sight: 1.000 to 1.014 captured',
  },
  {
    cases: withSwappiness('10', '60', '100'),
    figure: /^anon pages stolen$/,
    band: range(5_000, 17_000),
    reason: '60 four times gave 9.3 k to 16.8 k: not separable by swappiness',
  },
  {
    cases: isPressure,
    figure: /^(?:anon )?pages stolen$/,
    band: near(2_500),
    reason: 'fixed by the parameters, up to what kswapd leaves free: up to 2500 pages between equal runs',
  },
  {
    cases: isPressure,
    figure: /^anon pages scanned for each stolen$/,
    band: percent(8),
    reason: 'each page is written, then freed: 1.86 to 2.02 captured',
  },
  {
    cases: isPressure,
    figure: /^pages stolen in a stall$/,
    band: percent(5),
    reason: 'one batch of 64: 61 to 64 captured',
  },
  {
    cases: isPressure,
    figure: /^balance$/,
    band: range(-30, 565),
    reason: '70 to 265 in 26 captures, not derived; 300 beyond the middle',
  },
  {
    cases: isPressure,
    figure: /^retouch: read from swap for each stolen$/,
    band: percent(5),
    reason: 'the idle pages are the oldest, and nearly all that was stolen',
  },
  {
    cases: isPressure,
    figure: /^retouch: pages read for each major fault$/,
    band: percent(8),
    reason: 'clusters of 8 pages',
  },
  {
    cases: isPressure,
    figure: /^retouch: workingset_refault_anon less pswpin$/,
    band: near(5),
    reason: 'each page read back is a refault',
  },
]
