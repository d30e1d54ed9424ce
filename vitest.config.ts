import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

const LIMIT_MS = 180_000
const PAGE = ['src/renderer/**/*.test.ts']
const ENGINE = ['src/engine/**/*.test.ts']

const loadedByNode = {
  testTimeout: LIMIT_MS,
  hookTimeout: LIMIT_MS,
  execArgv: ['--import', 'tsx'],
  experimental: { viteModuleRunner: false, nodeLoader: false },
}

/**
 * The page's tests go through Vite, as its components need. All others are loaded by Node itself, TypeScript stripped by
 * tsx: Vite's module runner reads every imported name through an object, and whole machines then run at half their speed.
 * Tests of engine parts bind the engine's hooks to parts, so each of their files has a process of its own; tests that
 * use the engine as it is share one, compiled and warm.
 */
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'engine', include: ENGINE, ...loadedByNode } },
      {
        test: {
          name: 'whole',
          include: ['src/**/*.test.ts'],
          exclude: [...PAGE, ...ENGINE],
          isolate: false,
          ...loadedByNode,
        },
      },
      {
        plugins: [vue()],
        test: { name: 'page', include: PAGE, testTimeout: LIMIT_MS, hookTimeout: LIMIT_MS },
      },
    ],
  },
})
