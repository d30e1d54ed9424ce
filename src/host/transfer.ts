/** Which buffers of a message may change hands instead of being copied: the columns of a SeriesWindow, made for it alone. */
import type { ReplyEnvelope, SeriesWindow } from '../protocol/messages'

export function buffersOf(message: unknown): ArrayBuffer[] {
  const result = (message as Partial<ReplyEnvelope>).result
  if (result?.ok !== true || !isWindow(result.value)) return []
  const columns = [result.value.times, ...result.value.series.flatMap((s) => [s.min, s.max, s.last])]
  return [...new Set(columns.map((column) => column.buffer as ArrayBuffer))]
}

const isWindow = (value: unknown): value is SeriesWindow =>
  typeof value === 'object' && value !== null && 'times' in value && 'series' in value
