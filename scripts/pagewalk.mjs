// The command line: `npm run -s pagewalk -- …`. Bundles src/cli once and again whenever a source is newer.
// Like the bundles of the desktop and web editions it keeps top-level constants: the compiler then needs no check of a
// function before it goes inside, which makes page faults 1.1 to 1.2 times as fast.
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isFresh } from './freshness.mjs'

const root = resolve(import.meta.dirname, '..')
const bundle = resolve(root, 'out/cli/pagewalk.js')
const inputs = [
  'src/cli',
  'src/host',
  'src/engine',
  'src/explain',
  'src/workloads',
  'src/recorder',
  'src/profiles',
  'src/shell',
  'src/labs',
  'src/protocol',
  'src/util',
  'package-lock.json',
  'scripts/pagewalk.mjs',
]

async function bundleCli() {
  const { build } = await import('vite')
  await build({
    configFile: false,
    root,
    logLevel: 'warn',
    publicDir: false,
    build: {
      ssr: resolve(root, 'src/cli/main.ts'), // for Node; packages stay where they are
      outDir: resolve(root, 'out/cli'),
      emptyOutDir: false,
      target: 'node20.19',
      sourcemap: true,
      minify: false,
      rolldownOptions: {
        output: { entryFileNames: 'pagewalk.js', codeSplitting: false, topLevelVar: false },
      },
    },
  })
}

if (
  !isFresh(
    bundle,
    inputs.map((path) => resolve(root, path)),
  )
) {
  try {
    await bundleCli()
  } catch {
    process.exit(2) // the bundler has said what is wrong
  }
}

// A process of its own, so that its options, its exit status and its signals are the command's.
const child = spawn(
  process.execPath,
  ['--enable-source-maps', pathToFileURL(bundle).pathname, ...process.argv.slice(2)],
  { stdio: 'inherit' },
)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)))
