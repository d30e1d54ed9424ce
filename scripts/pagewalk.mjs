// The command line: `npm run -s pagewalk -- …`. Bundles src/cli once and again whenever a source is newer.
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
  const { build } = await import('esbuild')
  await build({
    entryPoints: [resolve(root, 'src/cli/main.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    sourcemap: true,
    // Constants of modules become numbers in the code, as in the desktop and web editions: loads and checks less.
    minifySyntax: true,
    // Packages stay where they are: some are CommonJS, some read files beside themselves.
    packages: 'external',
    loader: { '.txt': 'text', '.md': 'text' },
    logLevel: 'warning',
    absWorkingDir: root,
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
    process.exit(2) // esbuild has said what is wrong
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
