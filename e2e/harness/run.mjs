// node e2e/harness/run.mjs DEBUGGING-PORT out/main/main.js [--user-data-dir=…]: runs the built main on the emulation.
// The parent process joins the browser on that port, and evaluates functions here as Playwright's _electron would.
import { register } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const url = JSON.stringify(new URL('./electron.mjs', import.meta.url).href)
const hook = `export const resolve = (name, context, next) => name === 'electron' ? { url: ${url}, shortCircuit: true } : next(name, context)`
register(`data:text/javascript,${encodeURIComponent(hook)}`)

const [port, main] = process.argv.slice(2)
const electron = await import('electron')
Object.defineProperty(process, 'type', { value: 'browser' })
process.on('message', async ({ id, source, arg }) => {
  try {
    process.send({ id, value: await (0, eval)(`(${source})`)(electron, arg) })
  } catch (error) {
    process.send({ id, error: String(error?.stack ?? error) })
  }
})
process.on('disconnect', () => electron.app.exit(0))

await electron.openBrowser(port)
const slow = setTimeout(() => {
  console.error(
    'harness: main is still not evaluated: awaiting app.whenReady() at the top level never ends in Electron',
  )
  process.exit(7)
}, 30_000)
await import(pathToFileURL(resolve(main)).href)
clearTimeout(slow)
electron.becomeReady()
process.send({ ready: true })
