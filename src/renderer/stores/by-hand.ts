/**
 * Memory asked for and given back by hand, through its file: the same line that a shell would write. A refusal keeps the
 * kernel's answer, and beside it the explanation that the kernel log has of it.
 */
import { ref, shallowRef, watch } from 'vue'
import { useClient } from '../client'
import { useFrames } from './frames'
import { explanationIn } from './hand-text'
import { useSession } from './session'

export type HandFile = 'pages' | 'objects' | 'modules' | 'touch'

export interface Refusal {
  /** 'echo free 3 > …' */
  readonly line: string
  /** 'Invalid argument.' */
  readonly answer: string
  readonly why: string
}

const pathOf = (file: HandFile): string => `/sys/kernel/debug/pagewalk/${file}`
export const handLine = (file: HandFile, text: string): string => `echo ${text} > ${pathOf(file)}`

/**
 * @param parse  text of the file → what the view shows; `empty` before it was read
 * @param words  why a line may be refused, where the kernel log says nothing
 */
export function useByHand<T>(
  file: HandFile,
  parse: (text: string) => T,
  empty: T,
  words: (text: string) => string = () => '',
) {
  const client = useClient()
  const session = useSession()
  const frames = useFrames()
  const hand = shallowRef<T>(empty)
  const refusal = shallowRef<Refusal | undefined>()
  const isWriting = ref(false)
  let isReading = false

  async function load(): Promise<void> {
    const text = await session.readFile(pathOf(file))
    if (text.ok) hand.value = parse(text.value)
  }
  async function read(): Promise<void> {
    if (isReading || !session.hasMachine) return
    isReading = true
    await load()
    isReading = false
  }

  /** @returns whether the kernel took it; what it did is then in `hand` */
  async function write(text: string): Promise<boolean> {
    isWriting.value = true
    const log = await readLog()
    const result = await client.request({ kind: 'writeFile', path: pathOf(file), text })
    refusal.value = result.ok
      ? undefined
      : {
          line: handLine(file, text),
          answer: result.error.message,
          why: explanationIn((await readLog()).slice(log.length), file) || words(text),
        }
    // Not read(): one under way may have been asked before the write.
    await load()
    isWriting.value = false
    return result.ok
  }
  async function readLog(): Promise<string> {
    const log = await session.readFile('/dev/kmsg')
    return log.ok ? log.value : ''
  }

  watch(() => frames.atNs, read)
  watch(
    () => session.boots,
    () => {
      hand.value = empty
      refusal.value = undefined
      void read()
    },
  )
  void read()
  return { hand, refusal, isWriting, write }
}
