/** The manifest that the Containers view works with: its text, and what the machine would make of it. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import { KUBELET_DEFAULTS, type KubeletOptions, type Plan } from '../../profiles'
import { formatUserError, type UserError } from '../../util/result'
import { useClient } from '../client'

/** A manifest is a few kilobytes; what is larger is refused before it is read. */
export const MANIFEST_BYTES_MAX = 256 * 1024
const REST_MS = 200

export const useManifest = defineStore('manifest', () => {
  const client = useClient()
  const text = ref('')
  const fileName = ref('manifest.yaml')
  const options = shallowRef<KubeletOptions>(KUBELET_DEFAULTS)
  const plan = shallowRef<Plan | undefined>()
  const refusal = shallowRef<UserError | undefined>()
  const problem = computed(() => (refusal.value ? formatUserError(refusal.value) : ''))
  let timer: ReturnType<typeof setTimeout> | undefined
  let asked = 0

  /** Asks the machine now. @returns whether the manifest can be applied */
  async function look(): Promise<boolean> {
    clearTimeout(timer)
    const mine = ++asked
    const { value } = text
    const reply = await client.request({
      kind: 'previewPods',
      text: value,
      fileName: fileName.value,
      options: options.value,
    })
    if (mine !== asked) return false
    plan.value = reply.ok ? reply.value : undefined
    refusal.value = reply.ok ? undefined : reply.error
    return reply.ok
  }
  watch([text, options], () => {
    clearTimeout(timer)
    timer = setTimeout(() => void look(), REST_MS)
  })

  function take(given: { readonly text: string; readonly fileName: string }): Promise<boolean> {
    fileName.value = given.fileName
    text.value = given.text
    return look()
  }
  /** A file that was chosen or dropped. */
  async function takeFile(file: File): Promise<boolean> {
    if (file.size <= MANIFEST_BYTES_MAX) return take({ text: await file.text(), fileName: file.name })
    plan.value = undefined
    refusal.value = {
      code: 'import/too-big',
      where: file.name,
      message: `The file has ${file.size} bytes.`,
      fix: `At most ${MANIFEST_BYTES_MAX} are read: give the manifest alone.`,
    }
    return false
  }
  return { text, fileName, options, plan, refusal, problem, look, take, takeFile }
})
