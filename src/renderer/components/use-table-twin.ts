/** Every picture has a table twin: the switch between them, for the view's buttons, the key T and the palette. */
import { ref, type Ref } from 'vue'
import { useActions } from '../stores/actions'

/**
 * @param view  name of the view, as the palette groups it
 * @param asPictures  end of the action's title while the table is shown, such as 'as charts'
 * @param asTable  the same while the pictures are shown
 * @returns whether the table is shown
 */
export function useTableTwin(view: string, asPictures: string, asTable: string): Ref<boolean> {
  const isTable = ref(false)
  useActions().contribute(() => [
    {
      id: 'table-twin',
      title: `${view}: ${isTable.value ? asPictures : asTable}`,
      group: view,
      run: () => (isTable.value = !isTable.value),
    },
  ])
  return isTable
}
