/** Entry of the window: the page over a client over a port to wherever the engine runs. */
import { createClient } from '../protocol/client'
import type { MenuAction } from '../protocol/shell-api'
import { createPagewalk } from './app'
import { connectEngine, spareEngine } from './engine-port'
import { useActions } from './stores/actions'
import { useFiles } from './stores/files'
import { useSession } from './stores/session'
import { createSwitchboard } from './switchboard'

const MENU: Readonly<Record<MenuAction, string>> = {
  new: 'view-start',
  open: 'open-session',
  save: 'save-session',
  saveAs: 'save-session-as',
  import: 'import-folder',
  palette: 'palette',
  shortcuts: 'key-map',
  fidelity: 'view-fidelity',
}

const board = createSwitchboard()
const app = createPagewalk(board, () => createClient(spareEngine()))
app.mount('#app')

connectEngine({
  onPort(port, isRestart) {
    board.connect(createClient(port))
    if (isRestart) void app.runWithContext(restoreAfterCrash)
  },
  onLost(message) {
    board.disconnect(message)
    app.runWithContext(() => {
      useSession().trouble = message
    })
  },
  onMenu(action) {
    app.runWithContext(() => useActions().run(MENU[action]))
  },
})

/** The engine's process died: the autosave is the nearest state that replays. */
async function restoreAfterCrash(): Promise<void> {
  const files = useFiles()
  const session = useSession()
  await files.findAutosave()
  const isBack = await files.restoreAutosave()
  session.trouble = isBack
    ? 'The engine’s process ended and was started again: this is the autosaved session.'
    : 'The engine’s process ended and was started again: nothing was autosaved yet.'
}
