/**
 * The views of the workbench: a row here puts one into the navigation and the palette. `figure` is the one number
 * that says whether to go there.
 */
import type { Component } from 'vue'
import { defineAsyncComponent } from 'vue'
import { glossary } from '../../explain'
import { KIB, NS_PER_S, PAGE_SIZE } from '../../util/units'
import { formatBytes, formatPagesAsBytes, formatThree, joinFigure } from '../format'
import type { useFrames } from '../stores/frames'
import type { useLabs } from '../stores/labs'
import type { useSession } from '../stores/session'
import type { useTimeline } from '../stores/timeline'
import { useBook } from './workbook/book'

export interface NavStores {
  readonly session: ReturnType<typeof useSession>
  readonly frames: ReturnType<typeof useFrames>
  readonly labs: ReturnType<typeof useLabs>
  readonly timeline: ReturnType<typeof useTimeline>
}

export type ViewGroup = 'Machine' | 'Work' | 'Pressure' | 'Study'

export interface ViewEntry {
  readonly id: string
  readonly title: string
  readonly group: ViewGroup
  readonly component: Component
  readonly figure: (stores: NavStores) => string
  /** The figure is bad news. */
  readonly isAlert?: (stores: NavStores) => boolean
  /** Shown although no machine has booted; the others then show Start. */
  readonly needsNoMachine?: boolean
}

export const VIEW_GROUPS: readonly ViewGroup[] = ['Machine', 'Work', 'Pressure', 'Study']

export const StartView = defineAsyncComponent(() => import('./start/StartView.vue'))

/** 2.10 M fr, 131 k fr: page frames. */
const framesText = (frames: number): string =>
  frames >= 1e6 ? `${formatThree(frames / 1e6)} M fr` : `${formatThree(frames / 1e3)} k fr`

const counted = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`

export const VIEWS: readonly ViewEntry[] = [
  {
    id: 'machine',
    title: 'Machine',
    group: 'Machine',
    component: defineAsyncComponent(() => import('./machine/MachineView.vue')),
    figure: ({ session }) => (session.hasMachine ? counted(session.status?.nodes ?? 0, 'node') : ''),
    needsNoMachine: true,
  },
  {
    id: 'memory-map',
    title: 'Memory map',
    group: 'Machine',
    component: defineAsyncComponent(() => import('./memory-map/MemoryMapView.vue')),
    figure: ({ session }) => (session.hasMachine ? framesText((session.status?.memoryBytes ?? 0) / PAGE_SIZE) : ''),
  },
  {
    id: 'buddy',
    title: 'Buddy',
    group: 'Machine',
    component: defineAsyncComponent(() => import('./buddy/BuddyView.vue')),
    figure: ({ session }) => (session.hasMachine ? `frag ${(session.status?.unusable ?? 0).toFixed(2)}` : ''),
  },
  {
    id: 'slab',
    title: 'Slab',
    group: 'Machine',
    component: defineAsyncComponent(() => import('./slab/SlabView.vue')),
    figure: ({ session }) => (session.hasMachine ? joinFigure(formatPagesAsBytes(session.status?.slabPages ?? 0)) : ''),
  },
  {
    id: 'numa',
    title: 'NUMA',
    group: 'Machine',
    component: defineAsyncComponent(() => import('./numa/NumaView.vue')),
    figure: ({ session }) => (session.hasMachine ? counted(session.status?.nodes ?? 0, 'node') : ''),
  },
  {
    id: 'processes',
    title: 'Processes',
    group: 'Work',
    component: defineAsyncComponent(() => import('./processes/ProcessesView.vue')),
    figure: ({ session, frames }) => (session.hasMachine ? String(frames.userTasks.length) : ''),
  },
  {
    id: 'containers',
    title: 'Containers',
    group: 'Work',
    component: defineAsyncComponent(() => import('./containers/ContainersView.vue')),
    figure: ({ session, frames }) => (session.hasMachine ? String(frames.cgroups.length) : ''),
  },
  {
    id: 'paging',
    title: 'Paging',
    group: 'Work',
    component: defineAsyncComponent(() => import('./paging/PagingView.vue')),
    figure: ({ session, frames }) =>
      session.hasMachine
        ? `${joinFigure(formatBytes(frames.userTasks.reduce((sum, task) => sum + task.pgtablesKib, 0) * KIB))} tables`
        : '',
  },
  {
    id: 'terminal',
    title: 'Terminal',
    group: 'Work',
    component: defineAsyncComponent(() => import('./terminal/TerminalView.vue')),
    figure: ({ session }) => (session.hasMachine ? 'bash' : ''),
  },
  {
    id: 'timeline',
    title: 'Timeline',
    group: 'Pressure',
    component: defineAsyncComponent(() => import('./timeline/TimelineView.vue')),
    figure: ({ session }) => (session.hasMachine ? `${((session.status?.endNs ?? 0) / NS_PER_S).toFixed(1)} s` : ''),
  },
  {
    id: 'reclaim',
    title: 'Reclaim',
    group: 'Pressure',
    component: defineAsyncComponent(() => import('./reclaim/ReclaimView.vue')),
    figure: ({ session }) => (session.hasMachine ? `${(session.status?.psiSome ?? 0).toFixed(2)} %` : ''),
    isAlert: ({ session }) => (session.status?.psiSome ?? 0) >= 10,
  },
  {
    id: 'oom',
    title: 'OOM',
    group: 'Pressure',
    component: defineAsyncComponent(() => import('./oom/OomView.vue')),
    figure: ({ session }) => (session.hasMachine ? `${session.status?.oomKills ?? 0} killed` : ''),
    isAlert: ({ session }) => (session.status?.oomKills ?? 0) > 0,
  },
  {
    id: 'workbook',
    title: 'Workbook',
    group: 'Study',
    component: defineAsyncComponent(() => import('./workbook/WorkbookView.vue')),
    figure: ({ labs }) => (labs.labs.length > 0 ? `${useBook().nrFinished} of ${labs.labs.length}` : ''),
    needsNoMachine: true,
  },
  {
    id: 'glossary',
    title: 'Glossary',
    group: 'Study',
    component: defineAsyncComponent(() => import('./glossary/GlossaryView.vue')),
    figure: () => counted(glossary.length, 'term'),
    needsNoMachine: true,
  },
]

/** What opens at the right, beside any view, while a lab runs. */
export const BOOK: { readonly component: Component | undefined } = {
  component: defineAsyncComponent(() => import('./workbook/BookPanel.vue')),
}
