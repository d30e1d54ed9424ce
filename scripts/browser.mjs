// A Chromium for the tests: one that is installed, else the one from the package registry, unpacked into the cache.
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { spawnSync } from 'node:child_process'
import { delimiter, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createBrotliDecompress } from 'node:zlib'
import { chromium } from '@playwright/test'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const PACKAGE = resolve(import.meta.dirname, '../node_modules/@sparticuz/chromium')
const CACHE = resolve(import.meta.dirname, '../node_modules/.cache/pagewalk')

function onPath() {
  if (process.platform === 'win32') return undefined
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((file) => existsSync(file))
}

const unbrotli = (name, target) =>
  pipeline(createReadStream(join(PACKAGE, 'bin', name)), createBrotliDecompress(), target)

async function untar(name, folder) {
  const archive = join(folder, name)
  await unbrotli(`${name}.br`, createWriteStream(archive))
  const run = spawnSync('tar', ['xf', archive, '-C', folder], { encoding: 'utf8' })
  if (run.status !== 0) throw new Error(`tar could not unpack ${name}: ${run.stderr || run.error?.message}`)
  rmSync(archive)
}

/** The machine's fonts first, the package's own for a machine without any: text without a font has no width. */
const fontsConf = (folder) => `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>/usr/share/fonts</dir><dir>${folder}/fonts</dir>
  <cachedir>${folder}/font-cache</cachedir>
</fontconfig>
`

/** Unpacks beside and renames, so that a half-unpacked browser is never found. */
async function unpacked() {
  const { version } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'))
  const home = join(CACHE, `chromium-${version}`)
  if (!existsSync(home)) {
    mkdirSync(CACHE, { recursive: true })
    const folder = mkdtempSync(join(CACHE, 'unpacking-'))
    await unbrotli('chromium.br', createWriteStream(join(folder, 'chromium'), { mode: 0o755 }))
    for (const name of ['al2023', 'swiftshader', 'fonts']) await untar(`${name}.tar`, folder)
    writeFileSync(join(folder, 'fonts.conf'), fontsConf(home))
    try {
      renameSync(folder, home)
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      if (!existsSync(home)) throw error // else somebody else was faster
    }
  }
  const libraries = [process.env.LD_LIBRARY_PATH, join(home, 'lib')].filter(Boolean).join(':')
  return {
    executablePath: join(home, 'chromium'),
    env: { LD_LIBRARY_PATH: libraries, FONTCONFIG_FILE: join(home, 'fonts.conf') },
  }
}

/**
 * @returns where Chromium is, what it needs in its environment, and where it came from
 */
export async function findChromium() {
  const named = process.env.PAGEWALK_CHROMIUM
  if (named) return { executablePath: named, env: {}, source: 'PAGEWALK_CHROMIUM' }
  const playwrights = chromium.executablePath()
  if (existsSync(playwrights)) return { executablePath: playwrights, env: {}, source: "Playwright's own" }
  const installed = onPath()
  if (installed) return { executablePath: installed, env: {}, source: installed }
  if (process.platform === 'linux' && process.arch === 'x64' && existsSync(PACKAGE)) {
    return { ...(await unpacked()), source: '@sparticuz/chromium' }
  }
  throw new Error('No Chromium here: run "npx playwright install chromium", or name one in PAGEWALK_CHROMIUM.')
}

/** Launch options for Playwright, headless. */
export async function chromiumLaunchOptions() {
  const { executablePath, env } = await findChromium()
  const args = [
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ]
  if (process.getuid?.() === 0) args.push('--no-sandbox')
  return { executablePath, env: { ...process.env, ...env }, args }
}
