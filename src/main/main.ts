/** The desktop edition's first file: what must be said before Electron is ready, then window, menu, engine, files. */
import { app, BrowserWindow, ipcMain } from 'electron'
import { startEngine } from './engine-process'
import { serveFiles } from './files'
import { buildMenu } from './menu'
import { createWindow, isOurPage, registerScheme, servePage } from './window'

app.enableSandbox()
registerScheme()

function start(): void {
  servePage()
  serveFiles()
  const engine = startEngine()
  ipcMain.on('engine:connect', (event) => {
    if (isOurPage(event)) engine.connect(event.sender)
  })
  buildMenu()
  createWindow()
  app.on('activate', () => {
    if (BrowserWindow.getAllWindows().length === 0) createWindow()
  })
  app.on('before-quit', () => engine.stop())
}

app.on('window-all-closed', () => app.quit())
app.on('second-instance', () => BrowserWindow.getAllWindows()[0]?.focus())

// Not awaited at the top level: an ES module that awaits readiness there is never ready (electron#40719).
if (app.requestSingleInstanceLock()) void app.whenReady().then(start)
else app.quit()
