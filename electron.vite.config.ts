import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'electron-vite'
import { resolve } from 'node:path'

/** Main and preload must also run on Node 20: the shell's tests drive these very bundles without Electron. */
const target = 'node20.19'

export default defineConfig({
  main: {
    build: {
      sourcemap: true,
      target,
      externalizeDeps: false,
      rolldownOptions: {
        input: { main: resolve('src/main/main.ts'), engine: resolve('src/host/utility-process.ts') },
        output: { topLevelVar: false }, // what is constant stays so for the compiler: see scripts/pagewalk.mjs
      },
    },
  },
  preload: {
    build: {
      sourcemap: true,
      target,
      rolldownOptions: {
        input: { preload: resolve('src/preload/preload.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' }, // a sandboxed preload is one CommonJS file
      },
    },
  },
  renderer: {
    root: 'src/renderer',
    publicDir: resolve('resources/icons'),
    plugins: [vue()],
    worker: { format: 'es' },
    build: {
      sourcemap: true,
      minify: true,
      rolldownOptions: { input: resolve('src/renderer/index.html') },
    },
  },
})
