/** Which buffers of a message may change hands instead of being copied: columns and cells that were made for it alone. */
import type { ReplyEnvelope, SeriesWindow } from '../protocol/messages'
import type { PageMap } from '../protocol/page-map'

export function buffersOf(message: unknown): ArrayBuffer[] {
  const result = (message as Partial<ReplyEnvelope>).result
  if (result?.ok !== true) return []
  if (isPageMap(result.value)) return mapBuffers(result.value)
  if (!isWindow(result.value)) return []
  const columns = [result.value.times, ...result.value.series.flatMap((s) => [s.min, s.max, s.last])]
  return [...new Set(columns.map((column) => column.buffer as ArrayBuffer))]
}

const isWindow = (value: unknown): value is SeriesWindow =>
  typeof value === 'object' && value !== null && 'times' in value && 'series' in value

const isPageMap = (value: unknown): value is PageMap =>
  typeof value === 'object' && value !== null && 'cells' in value && 'staleCells' in value

function mapBuffers({ cells, counts, whole }: PageMap): ArrayBuffer[] {
  const columns = [cells, counts, ...(whole === undefined ? [] : [whole.cells, whole.totals])]
  return columns.map((column) => column.buffer as ArrayBuffer)
}
