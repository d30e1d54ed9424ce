/** The OOM reports of the run so far: asked for again when the machine kills, moves in time or is another one. */
import { shallowRef, watch } from 'vue'
import type { OomReport } from '../../../protocol/messages'
import { useClient } from '../../client'
import { useSession } from '../../stores/session'

export function useReports() {
  const client = useClient()
  const session = useSession()
  const reports = shallowRef<readonly OomReport[]>([])

  async function load(): Promise<void> {
    if (!session.hasMachine) return
    const result = await client.request({ kind: 'getOomReports' })
    if (result.ok) reports.value = result.value
  }
  watch(
    [() => session.status?.oomKills, () => session.boots, () => session.isInPast, () => session.status?.panicked],
    load,
    {
      immediate: true,
    },
  )
  return { reports }
}
