/** What of the workbench is open, which view is in the middle, and the one line at the bottom. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import { readPreference, writePreference } from './preferences'

export type Theme = 'system' | 'light' | 'dark'
export type Density = 'comfortable' | 'compact'
export type DockTab = 'timeline' | 'terminal' | 'events'

const THEMES: readonly Theme[] = ['system', 'light', 'dark']
const DENSITIES: readonly Density[] = ['comfortable', 'compact']
const DOCK_TABS: readonly DockTab[] = ['timeline', 'terminal', 'events']

const darkMedia = (): MediaQueryList | undefined =>
  typeof matchMedia === 'function' ? matchMedia('(prefers-color-scheme: dark)') : undefined

/** Something that throws the run away, waiting for a yes. */
export interface Leaving {
  /** 'Reset vm-512m to boot' */
  readonly title: string
  /** 'Reset' */
  readonly verb: string
  readonly go: () => void
}

const NOTICE_MS = 8000

export const useUi = defineStore('ui', () => {
  const theme = ref<Theme>(readPreference('theme', THEMES, 'system'))
  const density = ref<Density>(readPreference('density', DENSITIES, 'comfortable'))
  const systemIsDark = ref(darkMedia()?.matches ?? false)
  darkMedia()?.addEventListener('change', (event) => (systemIsDark.value = event.matches))
  /** The theme in force. */
  const shade = computed(() => (theme.value === 'system' ? (systemIsDark.value ? 'dark' : 'light') : theme.value))

  const view = ref('start')
  const dockTab = ref<DockTab>(readPreference('dock', DOCK_TABS, 'timeline'))
  const isDockOpen = ref(true)
  const isBookOpen = ref(false)
  const isPaletteOpen = ref(false)
  const isKeyMapOpen = ref(false)
  /** Shown in the status bar: the control under the pointer or the focus, as the shell line that it is. */
  const shellLine = ref('')
  /** What just happened, announced: 'saved my-machine.json'. */
  const notice = ref('')
  const leaving = shallowRef<Leaving | undefined>()
  let noticeTimer: ReturnType<typeof setTimeout> | undefined

  watch(
    [shade, density],
    () => {
      document.documentElement.dataset['theme'] = shade.value
      document.documentElement.dataset['density'] = density.value
    },
    { immediate: true, flush: 'sync' },
  )

  function setTheme(value: Theme): void {
    theme.value = value
    writePreference('theme', value)
  }
  function setDensity(value: Density): void {
    density.value = value
    writePreference('density', value)
  }
  function cycleTheme(): void {
    setTheme(THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? 'system')
  }
  function toggleDensity(): void {
    setDensity(density.value === 'compact' ? 'comfortable' : 'compact')
  }
  function showDock(tab: DockTab): void {
    dockTab.value = tab
    isDockOpen.value = true
    writePreference('dock', tab)
  }
  function goTo(id: string): void {
    view.value = id
    shellLine.value = ''
  }
  const showShellLine = (line: string): void => void (shellLine.value = line)
  const hideShellLine = (): void => void (shellLine.value = '')
  function say(text: string): void {
    notice.value = text
    clearTimeout(noticeTimer)
    noticeTimer = setTimeout(() => (notice.value = ''), NOTICE_MS)
  }

  return {
    theme,
    density,
    shade,
    view,
    dockTab,
    isDockOpen,
    isBookOpen,
    isPaletteOpen,
    isKeyMapOpen,
    shellLine,
    notice,
    leaving,
    setTheme,
    setDensity,
    cycleTheme,
    toggleDensity,
    showDock,
    goTo,
    showShellLine,
    hideShellLine,
    say,
  }
})
