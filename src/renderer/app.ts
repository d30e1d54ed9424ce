/** The application over a client: what main.ts starts, and what a test starts over a port in memory. */
import { createPinia } from 'pinia'
import type { App as VueApp } from 'vue'
import { createApp } from 'vue'
import App from './App.vue'
import type { EngineClient, SpareClient } from './client'
import { CLIENT, SPARE } from './client'
import { vShell } from './shell-line'
import './theme/tokens.css'
import './theme/workbench.css'
import './theme/app.css'

export function createPagewalk(client: EngineClient, spare?: () => SpareClient): VueApp {
  const app = createApp(App)
  app.provide(CLIENT, client)
  if (spare) app.provide(SPARE, spare)
  app.use(createPinia())
  app.directive('shell', vShell)
  return app
}
