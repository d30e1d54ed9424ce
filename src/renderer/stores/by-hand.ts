/**
 * Memory asked for and given back by hand, through its file: the same line that a shell would write. A refusal keeps the
 * kernel's answer, and beside it the explanation that the kernel log has of it.
 */
import { computed, ref, shallowRef, watch } from 'vue'
import { useClient } from '../client'
import { useFrames } from './frames'
import { EMPTY_HAND, explanationIn, parseHand, type HandText } from './hand-text'
import { useSession } from './session'

export type HandFile = 'pages' | 'objects'

export interface Refusal {
  /** 'echo free 3 > …' */
  readonly line: string
  /** 'Invalid argument.' */
  readonly answer: string
  readonly why: string
}

const pathOf = (file: HandFile): string => `/sys/kernel/debug/pagewalk/${file}`
export const handLine = (file: HandFile, text: string): string => `echo ${text} > ${pathOf(file)}`

export function useByHand(file: HandFile) {
  const client = useClient()
  const session = useSession()
  const frames = useFrames()
  const hand = shallowRef<HandText>(EMPTY_HAND)
  const refusal = shallowRef<Refusal | undefined>()
  const isWriting = ref(false)
  let isReading = false

  async function read(): Promise<void> {
    if (isReading || !session.hasMachine) return
    isReading = true
    const text = await session.readFile(pathOf(file))
    isReading = false
    if (text.ok) hand.value = parseHand(text.value)
  }

  /** @returns whether the kernel took it; what it did is then in `hand` */
  async function write(text: string): Promise<boolean> {
    isWriting.value = true
    const result = await client.request({ kind: 'writeFile', path: pathOf(file), text })
    refusal.value = result.ok ? undefined : await refusalOf(text, result.error.message)
    await read()
    isWriting.value = false
    return result.ok
  }
  async function refusalOf(text: string, answer: string): Promise<Refusal> {
    const log = await session.readFile('/dev/kmsg')
    return { line: handLine(file, text), answer, why: log.ok ? explanationIn(log.value, file) : '' }
  }

  watch(() => frames.atNs, read)
  watch(
    () => session.boots,
    () => {
      hand.value = EMPTY_HAND
      refusal.value = undefined
      void read()
    },
  )
  void read()
  return { held: computed(() => hand.value.held), last: computed(() => hand.value.last), refusal, isWriting, write }
}
