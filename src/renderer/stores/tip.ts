/** What is explained just now, beside the pointer or the focus; and the words that the glossary is asked for. */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { meaningsOf, termOf, type Meaning } from '../../explain'
import { useUi } from './ui'

export interface Tip {
  readonly name: string
  readonly meanings: readonly Meaning[]
  /** The place it belongs to, in the window's pixels. */
  readonly box: { readonly left: number; readonly top: number; readonly bottom: number }
}

/** A name of the machine, else a term of the field. */
export function meaningsFor(name: string): readonly Meaning[] {
  const known = meaningsOf(name)
  const term = known.length > 0 ? undefined : termOf(name)
  return term === undefined ? known : [{ where: '', text: term.text }]
}

export const useTip = defineStore('tip', () => {
  const ui = useUi()
  const tip = shallowRef<Tip | undefined>()
  /** What stands in the glossary's search. */
  const search = ref('')
  /** The row that the glossary shows at the side. */
  const picked = ref('')

  const show = (given: Tip): void => void (tip.value = given.meanings.length > 0 ? given : undefined)
  const hide = (): void => void (tip.value = undefined)

  /** Opens the glossary at a term or a name. */
  function lookUp(name: string): void {
    hide()
    search.value = ''
    picked.value = termOf(name)?.name ?? name
    ui.goTo('glossary')
  }
  return { tip, search, picked, show, hide, lookUp }
})
