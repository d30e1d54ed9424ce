/** The workbook: which labs there are, which one is open and how far it is. The session checks; we only show. */
import { defineStore } from 'pinia'
import { computed, shallowRef, watch } from 'vue'
import type { LabProgress, LabSummary } from '../../protocol/messages'
import { useClient } from '../client'
import { useSession } from './session'
import { useUi } from './ui'

export const useLabs = defineStore('labs', () => {
  const client = useClient()
  const session = useSession()
  const ui = useUi()
  const labs = shallowRef<readonly LabSummary[]>([])
  const progress = shallowRef<LabProgress | undefined>()
  const stepsDone = computed(() => progress.value?.steps.filter((step) => step.state === 'done').length ?? 0)

  client.on((event) => {
    if (event.kind === 'labProgress') progress.value = event.progress
  })

  // Another machine: its session brings a lab of its own, or none.
  watch(
    () => session.leftLab,
    async () => {
      progress.value = undefined
      const result = await session.ask({ kind: 'getLab' })
      if (!result.ok || result.value === undefined) return
      progress.value = result.value
      ui.isBookOpen = true
    },
  )

  async function load(): Promise<void> {
    const result = await session.ask({ kind: 'listLabs' })
    if (result.ok) labs.value = result.value
  }
  async function start(id: string, seed = 1): Promise<boolean> {
    session.trouble = ''
    const result = await session.ask({ kind: 'startLab', id, seed })
    if (!result.ok) return false
    progress.value = result.value
    session.cameUp()
    return true
  }
  async function answer(step: number, text: string): Promise<void> {
    const result = await session.ask({ kind: 'labAnswer', step, answer: text })
    if (result.ok) progress.value = result.value
  }
  async function hint(step: number): Promise<void> {
    const result = await session.ask({ kind: 'labHint', step })
    if (result.ok) progress.value = result.value
  }
  async function stop(): Promise<void> {
    const result = await session.ask({ kind: 'stopLab' })
    if (result.ok) progress.value = undefined
  }

  return { labs, progress, stepsDone, load, start, answer, hint, stop }
})
