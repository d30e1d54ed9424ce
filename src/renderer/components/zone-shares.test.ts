import { expect, test } from 'vitest'
import type { ZoneFrame } from '../../protocol/messages'
import { zoneShares } from './zone-shares'

const zone: ZoneFrame = {
  nid: 0,
  name: 'DMA32',
  startPfn: 4096,
  free: 600,
  min: 100,
  low: 125,
  high: 150,
  boost: 0,
  spanned: 2000,
  present: 1900,
  managed: 1800,
  pcp: 40,
  anon: 700,
  file: 300,
  pagetables: 10,
  kernel: 100,
  protection: [0, 0],
}

test('the shares fill the bar exactly', () => {
  const shares = zoneShares(zone, 360)
  expect(shares.reduce((sum, share) => sum + share.width, 0)).toBeCloseTo(360)
  expect(shares.map((share) => share.pages)).toEqual([700, 300, 10, 150, 640])
})
