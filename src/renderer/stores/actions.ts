/** Every action of the window by id: what the palette lists and what the keys in keys.ts call. */
import { defineStore } from 'pinia'
import { computed, onScopeDispose, shallowRef } from 'vue'
import { SPEEDS, STEP_SIZES, useSession } from './session'
import { useFiles } from './files'
import { useLabs } from './labs'
import { useTimeline } from './timeline'
import { useUi } from './ui'
import { VIEWS } from '../views'
import { formatSpeed } from '../format'

export interface Action {
  readonly id: string
  readonly title: string
  readonly group: string
  /** Shown beside it: the shell line or the detail. */
  readonly detail?: string
  readonly isEnabled?: () => boolean
  readonly run: () => unknown
}

export const useActions = defineStore('actions', () => {
  const session = useSession()
  const ui = useUi()
  const files = useFiles()
  const labs = useLabs()
  const timeline = useTimeline()
  const contributed = shallowRef<readonly (() => readonly Action[])[]>([])

  const hasMachine = (): boolean => session.hasMachine

  const transport = (): Action[] => [
    {
      id: 'run-pause',
      title: session.isRunning ? 'Pause' : 'Run',
      group: 'Transport',
      isEnabled: hasMachine,
      run: session.runOrPause,
    },
    {
      id: 'step-forward',
      title: `Step by ${session.step.label}`,
      group: 'Transport',
      isEnabled: hasMachine,
      run: session.stepForward,
    },
    {
      id: 'step-back',
      title: `Step back by ${session.step.label}`,
      group: 'Transport',
      isEnabled: hasMachine,
      run: session.stepBack,
    },
    ...STEP_SIZES.map((size) => ({
      id: `step-${size.id}`,
      title: `Step by ${size.label}`,
      group: 'Transport',
      isEnabled: hasMachine,
      run: () => session.stepBy(size),
    })),
    { id: 'reset', title: 'Reset to boot', group: 'Transport', isEnabled: hasMachine, run: reset },
    {
      id: 'to-end',
      title: 'Go to the end of the run',
      group: 'Transport',
      isEnabled: () => session.isInPast,
      run: () => session.seek(session.status?.endNs ?? 0),
    },
    { id: 'speed-up', title: 'Faster', group: 'Transport', run: () => shiftSpeed(1) },
    { id: 'speed-down', title: 'Slower', group: 'Transport', run: () => shiftSpeed(-1) },
    ...SPEEDS.map((speed) => ({
      id: `speed-${speed}`,
      title: `Speed ${formatSpeed(speed)}`,
      group: 'Transport',
      run: () => session.setSpeed(speed),
    })),
  ]

  const navigation = (): Action[] => [
    { id: 'view-start', title: 'Start: choose a machine', group: 'Views', run: () => ui.goTo('start') },
    ...VIEWS.map((view) => ({ id: `view-${view.id}`, title: view.title, group: 'Views', run: () => ui.goTo(view.id) })),
    {
      id: 'follow',
      title: timeline.isFollowing ? 'Timeline: stop following' : 'Timeline: follow the clock',
      group: 'Views',
      run: () => timeline.follow(!timeline.isFollowing),
    },
    { id: 'dock-timeline', title: 'Dock: timeline', group: 'Views', run: () => ui.showDock('timeline') },
    { id: 'terminal', title: 'Dock: terminal', group: 'Views', isEnabled: hasMachine, run: () => focusTerminal() },
    { id: 'dock-events', title: 'Dock: events', group: 'Views', run: () => ui.showDock('events') },
    {
      id: 'dock',
      title: ui.isDockOpen ? 'Close the dock' : 'Open the dock',
      group: 'Views',
      run: () => (ui.isDockOpen = !ui.isDockOpen),
    },
    {
      id: 'book',
      title: ui.isBookOpen ? 'Close the workbook' : 'Open the workbook',
      group: 'Views',
      isEnabled: () => labs.progress !== undefined,
      run: () => (ui.isBookOpen = !ui.isBookOpen),
    },
    { id: 'key-map', title: 'Keys', group: 'Views', run: () => (ui.isKeyMapOpen = true) },
    { id: 'palette', title: 'Command palette', group: 'Views', run: () => (ui.isPaletteOpen = true) },
  ]

  const look = (): Action[] => [
    { id: 'theme-system', title: 'Theme: as the system', group: 'Look', run: () => ui.setTheme('system') },
    { id: 'theme-light', title: 'Theme: light', group: 'Look', run: () => ui.setTheme('light') },
    { id: 'theme-dark', title: 'Theme: dark', group: 'Look', run: () => ui.setTheme('dark') },
    {
      id: 'density',
      title: ui.density === 'compact' ? 'Rows: comfortable' : 'Rows: compact',
      group: 'Look',
      run: ui.toggleDensity,
    },
  ]

  const fileActions = (): Action[] => [
    { id: 'open-session', title: 'Open session…', group: 'Files', run: () => files.openSession() },
    {
      id: 'save-session',
      title: 'Save session',
      group: 'Files',
      isEnabled: hasMachine,
      run: () => files.saveSession(),
    },
    {
      id: 'save-session-as',
      title: 'Save session as…',
      group: 'Files',
      isEnabled: hasMachine,
      run: () => files.saveSession('as'),
    },
    { id: 'open-profile', title: 'Open machine profile…', group: 'Files', run: files.openProfile },
    { id: 'import-archive', title: 'Import a capture (tar)…', group: 'Files', run: files.importArchive },
    { id: 'import-folder', title: 'Import a capture (folder)…', group: 'Files', run: files.importFolder },
    ...files.recent
      .filter((file) => file.kind === 'session')
      .map((file) => ({
        id: `recent-${file.path}`,
        title: `Open ${file.name}`,
        group: 'Files',
        run: () => files.openSession(file.path),
      })),
  ]

  const machines = (): Action[] => [
    ...session.machines.map((machine) => ({
      id: `boot-${machine.id}`,
      title: `Boot ${machine.title}`,
      group: 'Machines',
      detail: machine.description,
      run: () => boot(machine.title, machine.profile),
    })),
    ...labs.labs.map((lab, index) => ({
      id: `lab-${index + 1}`,
      title: `Begin lab ${index + 1}: ${lab.title}`,
      group: 'Labs',
      detail: lab.summary,
      run: () => beginLab(lab.id),
    })),
  ]

  const all = computed<readonly Action[]>(() => {
    const lists = [
      transport(),
      navigation(),
      look(),
      fileActions(),
      machines(),
      ...contributed.value.map((list) => list()),
    ]
    return lists.flat()
  })

  function shiftSpeed(by: 1 | -1): Promise<void> {
    const at = SPEEDS.findIndex((speed) => speed >= session.speed)
    const next = SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, (at < 0 ? SPEEDS.length - 1 : at) + by))]
    return session.setSpeed(next ?? 1)
  }
  function focusTerminal(): void {
    if (ui.view !== 'terminal') ui.showDock('terminal')
    requestAnimationFrame(() => document.querySelector<HTMLElement>('.xterm textarea')?.focus())
  }
  /** Does it at once, or asks when a run that no file has would be lost. */
  function leave(title: string, verb: string, go: () => void): void {
    if (session.isUnsaved) ui.leaving = { title, verb, go }
    else go()
  }
  const reset = (): void => leave(`Reset ${session.status?.machine ?? ''} to boot`, 'Reset', () => void session.reset())
  const boot = (title: string, profile: string): void =>
    leave(`Boot ${title}`, 'Boot', () => void session.boot(profile))
  const beginLab = (id: string): void => leave('Begin the lab', 'Begin', () => void beginLabNow(id))

  async function beginLabNow(id: string): Promise<void> {
    const isAtStart = ui.view === 'start'
    if (!(await labs.start(id))) return
    ui.isBookOpen = true
    if (isAtStart) ui.goTo('terminal')
  }

  /** Runs an action by id. @returns whether there was one that could run */
  function run(id: string): boolean {
    const action = all.value.find((candidate) => candidate.id === id)
    if (!action || action.isEnabled?.() === false) return false
    void action.run()
    return true
  }

  /** Adds the actions of a view while it lives. */
  function contribute(list: () => readonly Action[]): void {
    contributed.value = [...contributed.value, list]
    onScopeDispose(() => (contributed.value = contributed.value.filter((other) => other !== list)))
  }

  return { all, run, contribute, boot, beginLab, leave, focusTerminal }
})
