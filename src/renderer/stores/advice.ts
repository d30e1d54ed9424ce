/** A sweep of limits in a second engine: goes on while another view is looked at, and can be stopped at once. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { AdvisePoint, AdviseReport } from '../../protocol/advise'
import { formatUserError } from '../../util/result'
import { NS_PER_S } from '../../util/units'
import { useSpare, type SpareClient } from '../client'
import { useManifest } from './manifest'
import { useSession } from './session'
import { useUi } from './ui'

export const useAdvice = defineStore('advice', () => {
  const spare = useSpare()
  const manifest = useManifest()
  const session = useSession()
  const ui = useUi()
  const container = ref('')
  const workload = ref('')
  const seconds = ref(60)
  const report = shallowRef<AdviseReport | undefined>()
  const problem = ref('')
  const done = ref(0)
  const total = ref(0)
  /** Of the sweep under way, ascending by limit. */
  const seen = shallowRef<readonly AdvisePoint[]>([])
  const engine = shallowRef<SpareClient | undefined>()
  const isRunning = computed(() => engine.value !== undefined)

  function stop(): void {
    engine.value?.close()
    engine.value = undefined
  }
  async function start(): Promise<void> {
    const { status } = session
    if (!status || isRunning.value) return
    const mine = spare()
    engine.value = mine
    report.value = undefined
    problem.value = ''
    seen.value = []
    done.value = total.value = 0
    mine.on((event) => {
      if (event.kind !== 'advice') return
      done.value = event.progress.done
      total.value = event.progress.total
      seen.value = [...seen.value, event.progress.point].sort((a, b) => a.limitBytes - b.limitBytes)
    })
    const reply = await mine.request({
      kind: 'advise',
      text: manifest.text,
      fileName: manifest.fileName,
      profile: status.profile,
      seed: status.seed,
      container: container.value.trim(),
      workload: workload.value.trim(),
      forNs: seconds.value * NS_PER_S,
      options: manifest.options,
    })
    // Stopped, or begun anew: the answer belongs to nobody.
    if (engine.value !== mine) return
    stop()
    if (!reply.ok) problem.value = formatUserError(reply.error)
    else {
      report.value = reply.value
      ui.say(reply.value.sentences[0] ?? '')
    }
  }
  return { container, workload, seconds, report, problem, done, total, seen, isRunning, start, stop }
})
