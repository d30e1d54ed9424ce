import { expect, test } from 'vitest'
import { GFP_ATOMIC, GFP_BIT_ACCOUNT, GFP_BIT_DMA, GFP_BIT_NOWARN, GFP_KERNEL, GFP_RECLAIM } from './gfp'
import { parseGfp } from './gfp_parse'

test.each([
  ['GFP_KERNEL', GFP_KERNEL],
  ['GFP_KERNEL|__GFP_ACCOUNT', GFP_KERNEL | GFP_BIT_ACCOUNT],
  ['GFP_ATOMIC | __GFP_NOWARN', GFP_ATOMIC | GFP_BIT_NOWARN],
  ['GFP_DMA', GFP_BIT_DMA],
  ['__GFP_RECLAIM', GFP_RECLAIM],
  ['0xcc0', 0xcc0],
])('%s are the bits 0x%x', (text, bits) => expect(parseGfp(text)).toBe(bits))

test.each(['', 'GFP_NOSUCH', 'GFP_BIT_DMA', '__GFP_', 'gfpText', 'GFP_KERNEL|', '12'])('%j is refused', (text) =>
  expect(parseGfp(text)).toBeUndefined(),
)
