/** The terminals of the machine: which are open, and their screens. Terminal 0 is the one that buttons and labs type into. */
import { defineStore } from 'pinia'
import { computed, markRaw, ref, shallowRef, watch } from 'vue'
import { useClient } from '../client'
import type { Screen } from '../views/terminal/screen'
import { createScreen } from '../views/terminal/screen'
import { useSession } from './session'
import { useTip } from './tip'
import { useUi } from './ui'

export const useTerminals = defineStore('terminals', () => {
  const client = useClient()
  const session = useSession()
  const ui = useUi()
  const tip = useTip()
  const screens = shallowRef<readonly Screen[]>([])
  const activeId = ref(0)
  /** A line was sent while the clock stands: it waits for the clock. */
  const isWaiting = ref(false)
  const active = computed(() => screens.value.find((screen) => screen.id === activeId.value))

  client.on((event) => {
    if (event.kind === 'terminal') screenOf(event.terminal).write(event.text)
  })

  function screenOf(id: number): Screen {
    const known = screens.value.find((screen) => screen.id === id)
    if (known) return known
    const screen = markRaw(
      createScreen(id, {
        onInput: (text) => {
          tip.hide()
          if (text.includes('\r') && !session.isRunning) isWaiting.value = true
          void client.request({ kind: 'terminalInput', terminal: id, text })
        },
        onWord: ({ name, meanings }, box) => tip.show({ name, meanings, box }),
        onLeave: tip.hide,
        onResize: (size) => void client.request({ kind: 'terminalResize', terminal: id, ...size }),
      }),
    )
    screens.value = [...screens.value, screen].sort((a, b) => a.id - b.id)
    return screen
  }

  /** Starts a shell on a new terminal. */
  function open(): void {
    const id = screens.value.reduce((next, screen) => Math.max(next, screen.id + 1), 0)
    const screen = screenOf(id)
    activeId.value = id
    void session.ask({ kind: 'terminalOpen', terminal: id, ...screen.size() })
  }
  /** Makes sure that there is one. */
  function ensure(): void {
    if (screens.value.length === 0) open()
  }
  const show = (id: number): void => void (activeId.value = id)

  watch([() => session.nowNs, () => session.isRunning], () => (isWaiting.value = false))

  // Another machine has other shells: the old screens say nothing true any more.
  watch(
    () => session.boots,
    () => {
      if (screens.value.length === 0) return
      for (const screen of screens.value.slice(1)) screen.dispose()
      const first = screens.value.slice(0, 1)
      screens.value = first
      activeId.value = first[0]?.id ?? 0
      for (const screen of first) {
        screen.reset()
        void session.ask({ kind: 'terminalOpen', terminal: screen.id, ...screen.size() })
      }
    },
  )
  watch(
    () => ui.shade,
    () => screens.value.forEach((screen) => screen.paint()),
    { flush: 'post' },
  )

  return { isWaiting, screens, activeId, active, open, ensure, show, screenOf }
})
