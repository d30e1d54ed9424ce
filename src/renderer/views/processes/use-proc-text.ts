/** A file of /proc about one task, read again while the machine moves. */
import { ref, watch } from 'vue'
import { useFrames } from '../../stores/frames'
import { useSession } from '../../stores/session'

export function useProcText(path: () => string) {
  const session = useSession()
  const frames = useFrames()
  const text = ref('')
  let isAsking = false

  async function read(): Promise<void> {
    if (isAsking) return
    isAsking = true
    const asked = path()
    const result = await session.readFile(asked)
    isAsking = false
    if (asked !== path()) return read()
    text.value = result.ok ? result.value : ''
  }
  watch(
    path,
    () => {
      text.value = ''
      void read()
    },
    { immediate: true },
  )
  watch(() => frames.atNs, read)
  return text
}
