/** The window over the made-up machine, to be looked at: `?at=46` boots it with the clock there. */
import { createPagewalk } from '../app'
import { useSession } from '../stores/session'
import { FAKE_MACHINES } from './fake-frames'
import { createFakeClient } from './fake-port'

const query = new URLSearchParams(location.search)
const seconds = Number(query.get('at') ?? 0)
const client = createFakeClient({ startNs: seconds * 1e9 })
const app = createPagewalk(client)
app.mount('#app')
if (query.has('at')) void app.runWithContext(() => useSession().boot(FAKE_MACHINES[0]!.profile, 42))
