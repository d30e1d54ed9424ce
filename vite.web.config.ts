import vue from '@vitejs/plugin-vue'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { defineConfig } from 'vite'
import type { Plugin } from 'vite'

/** The policy in the page itself, for servers that send no headers. They alone can say who may frame the page. */
function policyInPage(): Plugin {
  const policy = readFileSync('resources/content-security-policy.txt', 'utf8').trim().split('\n')
  const content = policy.filter((line) => !line.startsWith('frame-ancestors')).join('; ')
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content }, injectTo: 'head-prepend' },
    ],
  }
}

/** The web edition: the same page as the desktop's, with the engine in a Web Worker. */
export default defineConfig({
  root: 'src/renderer',
  base: './',
  publicDir: resolve('resources/icons'),
  plugins: [vue(), policyInPage()],
  // What is constant stays so for the compiler: see scripts/pagewalk.mjs.
  worker: { format: 'es', rolldownOptions: { output: { topLevelVar: false } } },
  build: {
    outDir: resolve('out/web'),
    emptyOutDir: true,
    sourcemap: true,
    target: 'chrome120',
    chunkSizeWarningLimit: 2000,
  },
})
