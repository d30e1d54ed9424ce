import { defineConfig } from '@playwright/test'
import { chromiumLaunchOptions } from './scripts/browser.mjs'

/** `web`: every feature, in the web edition. `desktop`: what only main and preload do. */
export default defineConfig({
  testDir: 'e2e',
  timeout: 120_000,
  expect: { timeout: 12_000 },
  workers: 1,
  fullyParallel: false,
  reporter: 'list',
  use: {
    launchOptions: await chromiumLaunchOptions(),
    viewport: { width: 1440, height: 900 },
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
  },
  projects: [
    { name: 'web', testMatch: 'web/**/*.spec.ts', outputDir: 'out/test/web' },
    { name: 'desktop', testMatch: 'desktop/**/*.spec.ts', outputDir: 'out/test/desktop' },
  ],
})
