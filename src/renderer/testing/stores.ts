/** Stores over the made-up machine, without a page. */
import { createPinia, setActivePinia } from 'pinia'
import { createApp } from 'vue'
import { CLIENT } from '../client'
import type { FakeClient } from './fake-port'
import { createFakeClient } from './fake-port'

/** After this, `useX()` works in the test. */
export function withStores(options: { startNs?: number } = {}): FakeClient {
  const client = createFakeClient(options)
  const pinia = createPinia()
  createApp({}).provide(CLIENT, client).use(pinia)
  setActivePinia(pinia)
  return client
}
