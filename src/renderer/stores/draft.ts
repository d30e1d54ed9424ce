/**
 * The machine under edit: the profile that is booted, or one that was brought in, and what was changed since. It lives
 * in a store because an edit outlasts a look at another view.
 */
import { defineStore } from 'pinia'
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import type { MachineProfile } from '../../profiles'
import { formatMachine } from '../../profiles'
import type { MachinePreview } from '../../protocol/messages'
import type { UserError } from '../../util/result'
import { formatUserError } from '../../util/result'
import { useClient } from '../client'
import { useFiles } from './files'
import { useSession } from './session'
import { changedIds, fieldOfError, hardwareFields, withField } from '../views/machine/hardware'

/** Typing is looked at once the hand rests this long, wall time. */
const REST_MS = 120

export const useDraft = defineStore('draft', () => {
  const client = useClient()
  const session = useSession()
  const files = useFiles()

  const base = shallowRef<MachineProfile | undefined>()
  const draft = shallowRef<MachineProfile | undefined>()
  /** Not the machine that runs: a file or a capture that waits for its boot. */
  const broughtName = ref('')
  /** What stands behind the running machine, and behind the draft as far as it can boot. */
  const running = shallowRef<MachinePreview | undefined>()
  const preview = shallowRef<MachinePreview | undefined>()
  const problem = shallowRef<UserError | undefined>()
  /** Counts that no profile can hold, by field. */
  const typed = ref<Record<string, UserError>>({})
  let timer: ReturnType<typeof setTimeout> | undefined
  onScopeDispose(() => clearTimeout(timer))

  const fields = computed(() => (draft.value ? hardwareFields(draft.value) : []))
  const changed = computed(() => (base.value && draft.value ? changedIds(base.value, draft.value) : new Set<string>()))
  const problems = computed<Readonly<Record<string, string>>>(() => {
    const out: Record<string, string> = {}
    for (const [id, error] of Object.entries(typed.value)) out[id] = `${error.message} ${error.fix}`
    const at = problem.value && fieldOfError(fields.value, problem.value.where)
    if (problem.value && at) out[at] = `${problem.value.message} ${problem.value.fix}`
    return out
  })
  /** A refusal that no field is to blame for. */
  const trouble = computed(() =>
    problem.value && !fieldOfError(fields.value, problem.value.where) ? formatUserError(problem.value) : '',
  )
  const isBrought = computed(() => broughtName.value !== '')
  const hasChanges = computed(() => changed.value.size > 0 || isBrought.value)
  const canBoot = computed(() => !problem.value && Object.keys(typed.value).length === 0)
  const text = computed(() => (draft.value ? formatMachine(draft.value) : ''))

  function parsed(source: string): MachineProfile | undefined {
    try {
      return JSON.parse(source) as MachineProfile
    } catch {
      return undefined
    }
  }
  async function look(): Promise<void> {
    const asked = text.value
    if (!asked) return
    const result = await client.request({ kind: 'preview', profile: asked })
    if (asked !== text.value) return
    if (result.ok) preview.value = result.value
    problem.value = result.ok ? undefined : result.error
  }
  function begin(profile: MachineProfile | undefined): void {
    base.value = profile
    draft.value = profile
    typed.value = {}
    problem.value = undefined
  }

  /** The profile that the session says is booted. */
  async function takeRunning(): Promise<void> {
    const source = session.status?.profile
    if (!source) return
    const result = await client.request({ kind: 'preview', profile: source })
    if (source !== session.status?.profile || !result.ok) return
    running.value = result.value
    if (isBrought.value) return
    begin(parsed(source))
    preview.value = result.value
  }
  /** A profile from a file or a capture: asked for first, so that what cannot be a machine is never edited. */
  async function takeBrought(name: string, source: string): Promise<void> {
    const result = await client.request({ kind: 'preview', profile: source })
    if (!result.ok) {
      session.trouble = `${name}: ${formatUserError(result.error)}`
      return
    }
    begin(parsed(source))
    broughtName.value = name
    preview.value = result.value
  }

  function set(id: string, value: string): void {
    if (!draft.value) return
    const next = withField(draft.value, id, value)
    const { [id]: _was, ...others } = typed.value
    typed.value = next.ok ? others : { ...others, [id]: next.error }
    if (next.ok) draft.value = next.value
    clearTimeout(timer)
    timer = setTimeout(() => void look(), REST_MS)
  }
  function discard(): void {
    broughtName.value = ''
    begin(parsed(session.status?.profile ?? ''))
    preview.value = running.value
  }
  /** Boots what is edited. @returns whether it came up */
  async function boot(): Promise<boolean> {
    const source = text.value
    const isUp = await session.boot(source, session.status?.seed ?? 1)
    if (!isUp) return false
    broughtName.value = ''
    await takeRunning()
    return true
  }

  watch(() => session.status?.profile, takeRunning, { immediate: true })
  watch(
    () => files.draftProfile,
    (given) => {
      if (!given) return
      files.draftProfile = undefined
      void takeBrought(given.name, given.text)
    },
    { immediate: true },
  )

  return {
    base,
    draft,
    broughtName,
    running,
    preview,
    problem,
    fields,
    changed,
    problems,
    trouble,
    isBrought,
    hasChanges,
    canBoot,
    text,
    set,
    discard,
    boot,
  }
})
