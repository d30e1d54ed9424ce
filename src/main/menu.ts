/** The application menu: each of our items is an action of the page, which also owns the keys that it shows. */
import { app, BrowserWindow, Menu } from 'electron'
import type { MenuItemConstructorOptions } from 'electron'
import type { MenuAction, ShellMessage } from '../protocol/shell-api'

/** The page handles the key itself, as in the web edition; the menu only shows it. */
const item = (label: string, action: MenuAction, accelerator?: string): MenuItemConstructorOptions => ({
  label,
  registerAccelerator: false,
  ...(accelerator === undefined ? {} : { accelerator }),
  click: (_item, window) => {
    const message: ShellMessage = { kind: 'pagewalk:menu', action }
    if (window instanceof BrowserWindow) window.webContents.postMessage('shell', message)
  },
})

export function buildMenu(): void {
  const isMac = process.platform === 'darwin'
  Menu.setApplicationMenu(
    Menu.buildFromTemplate([
      ...(isMac ? [{ role: 'appMenu' } as const] : []),
      {
        label: '&File',
        submenu: [
          item('New machine…', 'new'),
          item('Open…', 'open', 'CmdOrCtrl+O'),
          item('Import a real machine…', 'import'),
          { type: 'separator' },
          item('Save', 'save', 'CmdOrCtrl+S'),
          item('Save as…', 'saveAs', 'CmdOrCtrl+Shift+S'),
          { type: 'separator' },
          { role: isMac ? 'close' : 'quit' },
        ],
      },
      { role: 'editMenu' },
      {
        label: '&View',
        submenu: [
          item('Command palette…', 'palette', 'CmdOrCtrl+K'),
          { type: 'separator' },
          { role: 'resetZoom' },
          { role: 'zoomIn' },
          { role: 'zoomOut' },
          { role: 'togglefullscreen' },
          ...(app.isPackaged ? [] : [{ role: 'toggleDevTools' } as const]),
        ],
      },
      {
        role: 'help',
        submenu: [item('Keyboard shortcuts', 'shortcuts'), item('What is exact, what is simplified', 'fidelity')],
      },
    ]),
  )
}
