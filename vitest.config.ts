import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

const LIMIT_MS = 180_000
const PAGE = ['src/renderer/**/*.test.ts']

/**
 * The page's tests go through Vite, as its components need. All others are loaded by Node itself, TypeScript stripped by
 * tsx: Vite's module runner reads every imported name through an object, and whole machines then run at half their speed.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'node',
          include: ['src/**/*.test.ts'],
          exclude: PAGE,
          testTimeout: LIMIT_MS,
          hookTimeout: LIMIT_MS,
          execArgv: ['--import', 'tsx'],
          experimental: { viteModuleRunner: false, nodeLoader: false },
        },
      },
      {
        plugins: [vue()],
        test: { name: 'page', include: PAGE, testTimeout: LIMIT_MS, hookTimeout: LIMIT_MS },
      },
    ],
  },
})
