/** The workbook of this person: how far each lab is, kept in the browser (or the desktop's profile) between visits. */
import { defineStore } from 'pinia'
import { computed, shallowRef, watch } from 'vue'
import { useLabs } from '../../stores/labs'
import { readText, writeText } from '../../stores/preferences'
import type { LabRecords } from './progress'
import { readRecords, recordOf, withRecord } from './progress'

const KEPT_AS = 'labs'

export const useBook = defineStore('book', () => {
  const labs = useLabs()
  const records = shallowRef<LabRecords>(readRecords(readText(KEPT_AS)))
  const nrFinished = computed(() => labs.labs.filter((lab) => records.value[lab.id]?.isFinished).length)

  watch(
    () => labs.progress,
    (progress) => {
      if (!progress) return
      records.value = withRecord(records.value, progress.id, recordOf(progress))
      writeText(KEPT_AS, JSON.stringify(records.value))
    },
    { immediate: true },
  )
  return { records, nrFinished }
})
