/** The window over the made-up machine, to be looked at: `?at=46` boots it with the clock there. */
import { createPagewalk } from '../app'
import { FAKE_MACHINES } from './fake-frames'
import { createFakeClient } from './fake-port'

const query = new URLSearchParams(location.search)
const seconds = Number(query.get('at') ?? 0)
const client = createFakeClient({ startNs: seconds * 1e9 })
createPagewalk(client).mount('#app')
if (query.has('at')) void client.request({ kind: 'boot', profile: FAKE_MACHINES[0]!.profile, seed: 42 })
