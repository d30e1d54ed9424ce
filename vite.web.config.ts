import vue from '@vitejs/plugin-vue'
import { resolve } from 'node:path'
import { defineConfig } from 'vite'

/** The web edition: the same page as the desktop's, with the engine in a Web Worker. */
export default defineConfig({
  root: 'src/renderer',
  base: './',
  plugins: [vue()],
  worker: { format: 'es' },
  build: {
    outDir: resolve('out/web'),
    emptyOutDir: true,
    sourcemap: true,
    target: 'chrome120',
    chunkSizeWarningLimit: 2000,
  },
})
