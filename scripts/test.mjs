// npm test: every check there is, two at a time, one summary, and "N passed, N failed" as the last line.
//   npm test -- types lint unit      only those stages
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'

process.chdir(resolve(import.meta.dirname, '..'))
const REPORTS = 'out/test'
const STAGE_LIMIT_MS = 40 * 60_000
const bin = (path) => [process.execPath, `node_modules/${path}`]
const script = (name, ...args) => [process.execPath, `scripts/${name}.mjs`, ...args]
const PLAYWRIGHT = [...bin('@playwright/test/cli.js'), 'test', '--reporter=list,json']

/** In the order in which they start. A stage without `count` is one check that passes or fails. */
const STAGES = [
  {
    name: 'unit',
    what: 'unit, property, conformance and tidy tests',
    command: [
      ...bin('vitest/vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${REPORTS}/unit.json`,
    ],
    count: countVitest,
  },
  {
    name: 'build:web',
    what: 'the web edition builds',
    command: [...bin('vite/bin/vite.js'), 'build', '-c', 'vite.web.config.ts'],
  },
  {
    name: 'build:desktop',
    what: 'the desktop edition builds',
    command: [...bin('electron-vite/bin/electron-vite.js'), 'build'],
  },
  {
    name: 'browser',
    what: 'there is a Chromium',
    command: [
      process.execPath,
      '--input-type=module',
      '-e',
      "import { findChromium } from './scripts/browser.mjs'; console.log('Chromium:', (await findChromium()).source)",
    ],
  },
  {
    name: 'lint',
    what: 'lint, and the bans that keep the engine deterministic',
    command: [...bin('oxlint/bin/oxlint'), '--deny-warnings'],
  },
  {
    name: 'format',
    what: 'the formatter has nothing to do (npm run format)',
    command: [...bin('prettier/bin/prettier.cjs'), '--check', 'src', 'e2e', 'scripts'],
  },
  {
    name: 'imports',
    what: 'import table, no cycles, no dead files',
    command: [...bin('dependency-cruiser/bin/dependency-cruise.mjs'), 'src', '--config', '.dependency-cruiser.cjs'],
  },
  { name: 'types:pure', what: 'types: engine and all that is pure', command: script('types', 'pure') },
  { name: 'types:web', what: 'types: the page', command: script('types', 'web') },
  { name: 'types:node', what: 'types: desktop shell, command line, e2e', command: script('types', 'node') },
  { name: 'types:test', what: 'types: the tests of every folder', command: script('types', 'test') },
  { name: 'docs', what: 'generated documents are current', command: script('docs', '--check') },
  {
    name: 'e2e:web',
    what: 'the web edition in Chromium',
    needs: ['build:web', 'build:desktop', 'browser'],
    command: [...PLAYWRIGHT, '--project=web'],
    count: countPlaywright,
  },
  {
    name: 'e2e:desktop',
    what: 'the desktop shell',
    needs: ['build:desktop', 'browser'],
    command: [...PLAYWRIGHT, '--project=desktop'],
    count: countPlaywright,
  },
]

const reportOf = (stage) => `${REPORTS}/${stage.name.replace(':', '-')}.json`

function readReport(stage) {
  const path = reportOf(stage)
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
}

function countVitest(stage) {
  const report = readReport(stage)
  if (!report) return undefined
  // A file that does not even load has no tests to count: it is one failure.
  const unloaded = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

function countPlaywright(stage) {
  const report = readReport(stage)
  if (!report) return undefined
  const { expected, unexpected, flaky, skipped } = report.stats
  return { passed: expected, failed: unexpected + flaky + report.errors.length, skipped }
}

/** Runs one stage. Its output is kept for the case that it fails. */
function run(stage) {
  rmSync(reportOf(stage), { force: true })
  const startedMs = performance.now()
  const [program, ...args] = stage.command
  const env = {
    ...process.env,
    NO_COLOR: '1',
    PLAYWRIGHT_JSON_OUTPUT_NAME: reportOf(stage),
    ELECTRON_SKIP_BINARY_DOWNLOAD: '1',
  }
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  const timer = setTimeout(() => {
    output += `\nstopped after ${STAGE_LIMIT_MS / 60_000} minutes`
    child.kill('SIGKILL')
  }, STAGE_LIMIT_MS)
  return new Promise((done) => {
    child.on('close', (code) => {
      clearTimeout(timer)
      done({ stage, code, output, seconds: (performance.now() - startedMs) / 1000, ...resultOf(stage, code) })
    })
  })
}

function resultOf(stage, code) {
  const counted = stage.count
    ? stage.count(stage)
    : { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 }
  if (!counted) return { passed: 0, failed: 1, skipped: 0 }
  return code !== 0 && counted.failed === 0 ? { ...counted, failed: 1 } : counted
}

function report({ stage, output, seconds, passed, failed, skipped }) {
  const counts = [`${passed} passed`, failed > 0 && `${failed} failed`, skipped > 0 && `${skipped} skipped`]
    .filter(Boolean)
    .join(', ')
  const note = /^\s*(Chromium: .*|Desktop specs run on .*)$/m.exec(output)?.[1]
  console.log(
    `${failed > 0 ? '✗' : '✓'} ${stage.name.padEnd(14)} ${counts.padEnd(24)} ${seconds.toFixed(1).padStart(6)} s   ${note ?? stage.what}`,
  )
  if (failed > 0) console.log(`${output.trimEnd().replace(/^/gm, '    ')}\n`)
}

/** Starts stages as slots become free and what they need has passed; one whose need failed is a failure itself. */
function runAll(stages) {
  const waiting = [...stages]
  const results = new Map()
  const slots = Math.min(3, Math.max(1, availableParallelism()))
  let running = 0
  return new Promise((done) => {
    const finish = (result) => {
      results.set(result.stage.name, result)
      report(result)
    }
    const isBlocked = (stage) => (stage.needs ?? []).some((need) => results.get(need)?.failed > 0)
    const isReady = (stage) =>
      (stage.needs ?? []).every((need) => results.has(need) || !stages.some((s) => s.name === need))
    const next = () => {
      for (const stage of waiting.filter(isBlocked)) {
        waiting.splice(waiting.indexOf(stage), 1)
        finish({ stage, output: 'not run: what it needs has failed', seconds: 0, passed: 0, failed: 1, skipped: 0 })
      }
      while (running < slots) {
        const stage = waiting.find(isReady)
        if (!stage) break
        waiting.splice(waiting.indexOf(stage), 1)
        running++
        void run(stage).then((result) => {
          running--
          finish(result)
          next()
        })
      }
      if (running === 0 && waiting.length === 0) done([...results.values()])
    }
    next()
  })
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter(
  (name) => !STAGES.some((stage) => stage.name.split(':')[0] === name || stage.name === name),
)
if (unknown.length > 0) {
  console.error(`No stage "${unknown[0]}". There are: ${STAGES.map((stage) => stage.name).join(' ')}`)
  process.exit(2)
}
mkdirSync(REPORTS, { recursive: true })
const stages = STAGES.filter(
  (stage) => wanted.length === 0 || wanted.includes(stage.name) || wanted.includes(stage.name.split(':')[0]),
)
const results = await runAll(stages)
const sum = (key) => results.reduce((total, result) => total + result[key], 0)
console.log(`${sum('passed')} passed, ${sum('failed')} failed`)
process.exit(sum('failed') > 0 ? 1 : 0)
