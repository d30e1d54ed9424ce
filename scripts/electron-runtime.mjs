// Where Electron's runtime is, and one quiet try to fetch it. Never `require('electron')` to find out: that downloads.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)
const REMEMBERED = 'node_modules/.cache/pagewalk/electron-not-fetched.txt'
const TRY_AGAIN_AFTER_MS = 60 * 60 * 1000

function electronFolder() {
  try {
    return dirname(require.resolve('electron/package.json'))
  } catch {
    return undefined
  }
}

/** The path of Electron's program, or undefined when this machine has none. */
export function electronBinary() {
  const folder = electronFolder()
  if (!folder) return undefined
  const pathFile = join(folder, 'path.txt')
  const fallback =
    { win32: 'electron.exe', darwin: 'Electron.app/Contents/MacOS/Electron' }[process.platform] ?? 'electron'
  const name = existsSync(pathFile) ? readFileSync(pathFile, 'utf8').trim() : fallback
  const program = join(process.env.ELECTRON_OVERRIDE_DIST_PATH ?? join(folder, 'dist'), name)
  return existsSync(program) ? program : undefined
}

/** Why the last try failed, if that was within the hour: a machine without a way out need not wait at every start. */
function lastFailure() {
  if (!existsSync(REMEMBERED)) return undefined
  const [atMs, reason] = readFileSync(REMEMBERED, 'utf8').split('\n')
  return Date.now() - Number(atMs) < TRY_AGAIN_AFTER_MS ? reason : undefined
}

function remember(reason) {
  mkdirSync(dirname(REMEMBERED), { recursive: true })
  writeFileSync(REMEMBERED, `${Date.now()}\n${reason}\n`)
}

/** The line of an installer's output that says what went wrong, without the stack. */
function reasonIn(output) {
  if (output.includes('fetch failed')) return 'its download failed; perhaps this machine is offline'
  const lines = output.split('\n').map((line) => line.trim())
  const telling = lines.find((line) => /error|refused|timed? ?out|\b[45]\d\d\b/i.test(line) && !line.startsWith('at '))
  return telling?.replace(/^\w*Error: /, '').slice(0, 160) ?? 'its installer gave no reason'
}

/**
 * Runs Electron's own installer once, silently.
 *
 * @returns undefined when the runtime is there now, else the reason in a few words
 */
export async function fetchElectron({ limitMs }) {
  const folder = electronFolder()
  if (!folder) return 'the package "electron" is not installed'
  const before = lastFailure()
  if (before) return before
  const child = spawn(process.execPath, [join(folder, 'install.js')], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (text) => (output += text))
  child.stderr.on('data', (text) => (output += text))
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    child.kill('SIGKILL')
  }, limitMs)
  await new Promise((done) => child.once('close', done).once('error', done))
  clearTimeout(timer)
  if (electronBinary()) return undefined
  const reason = isLate ? `the download took longer than ${limitMs / 1000} s` : reasonIn(output)
  remember(reason)
  return reason
}
