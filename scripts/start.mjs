// npm start: builds what is missing or old, then Electron where its runtime is, else the web edition in a browser.
//   npm start -- --web     the web edition in any case       PORT=8080 npm start     its port
import { spawn, spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { electronBinary, fetchElectron } from './electron-runtime.mjs'
import { isFresh, SOURCES } from './freshness.mjs'
import { serve } from './serve.mjs'

process.chdir(resolve(import.meta.dirname, '..'))
const wantsWeb = process.argv.includes('--web')

function fail(message) {
  console.error(message)
  process.exit(1)
}

function build(script, output) {
  if (isFresh(output, SOURCES)) return
  console.log('Building Pagewalk …')
  const run = spawnSync('npm', ['run', '--silent', script], { encoding: 'utf8', shell: process.platform === 'win32' })
  if (run.status !== 0) fail(`The build failed; "npm run ${script}" says:\n${run.stderr || run.stdout}`)
}

const hasDisplay = () => process.platform !== 'linux' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY)

function startDesktop(program) {
  build('build:desktop', 'out/main/main.js')
  const isRoot = process.platform === 'linux' && process.getuid?.() === 0
  const child = spawn(program, ['.', ...(isRoot ? ['--no-sandbox'] : [])], { stdio: 'inherit' })
  const passOn = (signal) => child.kill(signal)
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, passOn)
  child.on('error', (error) => fail(`Electron did not start: ${error.message}`))
  child.on('exit', (code, signal) => {
    if (code !== 127) process.exit(code ?? (signal === 'SIGINT' ? 0 : 1))
    // The loader's own status: libraries of the system are missing, and it has named the first.
    console.log("Electron's runtime lacks libraries of this system: starting the web edition.")
    for (const name of ['SIGINT', 'SIGTERM']) process.off(name, passOn)
    void startWeb()
  })
}

function openBrowser(url) {
  if (!hasDisplay() || process.env.BROWSER === 'none') return
  const [command, ...args] = { darwin: ['open', url], win32: ['cmd', '/c', 'start', '', url] }[process.platform] ?? [
    'xdg-open',
    url,
  ]
  const child = spawn(command, args, { stdio: 'ignore', detached: true })
  child.on('error', () => undefined) // no browser to open: the address is on the screen
  child.unref()
}

async function startWeb() {
  build('build:web', 'out/web/index.html')
  const port = Number(process.env.PORT ?? 0)
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    fail(`PORT is "${process.env.PORT}"; use a number up to 65535.`)
  const server = await serve('out/web', port).catch((error) =>
    fail(
      error.code === 'EADDRINUSE'
        ? `Port ${port} is in use; choose another PORT.`
        : `Could not serve: ${error.message}`,
    ),
  )
  console.log(`Pagewalk runs at ${server.url}   (Ctrl+C ends it)`)
  openBrowser(server.url)
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void server.stop().then(() => process.exit(0)))
}

/** Electron's program, or why the web edition starts instead; neither when it was asked for. */
async function electronOrReason() {
  if (wantsWeb) return {}
  if (!hasDisplay()) return { reason: 'This computer has no display for the desktop edition' }
  const program = electronBinary()
  if (program) return { program }
  const reason = await fetchElectron({ limitMs: 90_000 })
  return reason === undefined
    ? { program: electronBinary() }
    : { reason: `Electron's runtime could not be fetched (${reason})` }
}

const { program, reason } = await electronOrReason()
if (program) startDesktop(program)
else {
  if (reason) console.log(`${reason}: starting the web edition.`)
  await startWeb()
}
