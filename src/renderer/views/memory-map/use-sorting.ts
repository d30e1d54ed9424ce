/** How frames are sorted and coloured, and by which group, process or cache when one is asked about. */
import type { ComputedRef, Ref, ShallowRef } from 'vue'
import { computed, ref, shallowRef, watch } from 'vue'
import type { PageColour } from '../../../protocol/page-map'
import { useFrames } from '../../stores/frames'

export interface Sorting {
  readonly colour: Ref<PageColour>
  readonly subject: Ref<string>
  /** Kinds that stand out; none = all. */
  readonly chosen: ShallowRef<ReadonlySet<number>>
  /** What can be asked about with this sorting. */
  readonly subjects: ComputedRef<readonly { readonly value: string; readonly label: string }[]>
  sortBy(colour: PageColour, subject?: string): void
}

/** Slab caches are found by name: there are too many to choose from. */
export const SORTINGS: readonly { readonly id: PageColour; readonly label: string }[] = [
  { id: 'owner', label: 'Owner' },
  { id: 'migratetype', label: 'Migratetype' },
  { id: 'order', label: 'Order' },
  { id: 'age', label: 'LRU age' },
  { id: 'cgroup', label: 'cgroup' },
  { id: 'process', label: 'Process' },
  { id: 'zone', label: 'Zone' },
]

export function useSorting(caches: () => readonly string[]): Sorting {
  const frames = useFrames()
  const colour = ref<PageColour>('owner')
  const subject = ref('')
  const chosen = shallowRef<ReadonlySet<number>>(new Set())

  /** Most memory first: that is what one looks for. */
  function subjectsOf(of: PageColour): { value: string; label: string }[] {
    if (of === 'cgroup')
      return frames.cgroups
        .filter((group) => group.hasMemory)
        .toSorted((a, b) => b.current - a.current)
        .map(({ path }) => ({ value: path, label: path }))
    if (of === 'process')
      return frames.userTasks
        .filter((task) => task.vmSizeKib > 0)
        .toSorted((a, b) => rss(b) - rss(a) || a.pid - b.pid)
        .map(({ pid, comm }) => ({ value: String(pid), label: `${pid} ${comm}` }))
    return of === 'slab' ? caches().map((name) => ({ value: name, label: name })) : []
  }
  const subjects = computed(() => {
    const known = subjectsOf(colour.value)
    const isKnown = subject.value === '' || known.some(({ value }) => value === subject.value)
    return isKnown ? known : [{ value: subject.value, label: `${subject.value}, gone` }, ...known]
  })
  const isParent = (path: string): boolean => path === '/'

  function sortBy(of: PageColour, about?: string): void {
    const known = subjectsOf(of)
    const first = known.find(({ value }) => !isParent(value)) ?? known[0]
    const otherwise = of === 'slab' ? (known.find(({ value }) => value === 'dentry') ?? first) : first
    colour.value = of
    subject.value = about ?? otherwise?.value ?? ''
  }
  watch([colour, subject], () => (chosen.value = new Set()))
  return { colour, subject, chosen, subjects, sortBy }
}

const rss = (task: {
  readonly rssAnonKib: number
  readonly rssFileKib: number
  readonly rssShmemKib: number
}): number => task.rssAnonKib + task.rssFileKib + task.rssShmemKib
