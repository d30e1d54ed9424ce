/** The only bridge between the page and the shell: five functions in, messages with at most one port out. */
import { contextBridge, ipcRenderer } from 'electron'
import type { ShellApi } from '../protocol/shell-api'

const api: ShellApi = {
  openFile: (kind, path) => ipcRenderer.invoke('files:open', kind, path),
  saveFile: (kind, text, options) => ipcRenderer.invoke('files:save', kind, text, options),
  recent: () => ipcRenderer.invoke('files:recent'),
  autosave: (text) => ipcRenderer.invoke('files:autosave', text),
  connectEngine: () => ipcRenderer.send('engine:connect'),
}

contextBridge.exposeInMainWorld('pagewalk', api)

// A port cannot cross the bridge as a value, but a message of the window carries it into the page's world.
ipcRenderer.on('shell', (event, message: unknown) => window.postMessage(message, '*', [...event.ports]))
