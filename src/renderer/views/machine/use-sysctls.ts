/** The live sysctls of the machine: read when it comes up, while it runs and after each write. */
import { onScopeDispose, ref, shallowRef, watch } from 'vue'
import { sysctlFault } from '../../../profiles'
import type { UserError } from '../../../util/result'
import { useClient } from '../../client'
import { useFrames } from '../../stores/frames'
import { useSession } from '../../stores/session'
import { SYSCTL_ROWS, sysctlPath, sysctlText } from './sysctl-rows'

/** Wall time between two readings: a shell may write them too. */
const READ_EVERY_MS = 500

export function useSysctls() {
  const client = useClient()
  const session = useSession()
  const frames = useFrames()
  const values = shallowRef<Readonly<Record<string, string>>>({})
  const problems = ref<Record<string, string>>({})
  let isDue = true
  const timer = setInterval(() => (isDue = true), READ_EVERY_MS)
  onScopeDispose(() => clearInterval(timer))

  async function read(): Promise<void> {
    isDue = false
    if (!session.hasMachine) return
    const answers = await Promise.all(SYSCTL_ROWS.map(({ name }) => session.readFile(sysctlPath(name))))
    values.value = Object.fromEntries(
      SYSCTL_ROWS.map(({ name }, at) => {
        const answer = answers[at]!
        return [name, answer.ok ? sysctlText(answer.value) : '']
      }),
    )
  }
  async function write(name: string, text: string): Promise<void> {
    const result = await client.request({ kind: 'writeFile', path: sysctlPath(name), text: text.trim() })
    problems.value = { ...problems.value, [name]: result.ok ? '' : problemOf(name, text, result.error) }
    await read()
  }

  watch([() => session.boots, () => session.status?.profile], () => {
    problems.value = {}
    void read()
  })
  watch(
    () => frames.atNs,
    () => isDue && void read(),
  )
  void read()
  return { values, problems, write }
}

const problemOf = (name: string, text: string, error: UserError): string =>
  `${name}: ${text} is refused, ${error.message} ${error.fix || (sysctlFault(`vm.${name}`, text)?.fix ?? '')}`
