/** Topics of the tools that print these numbers: their columns. */
import { FREE, NUMASTAT_TOOL, PS, SLABTOP, TOP, VMSTAT_TOOL } from './text/tools'
import { topic, type Topic } from './topic'

export const tools: readonly Topic[] = [
  topic({
    id: 'free',
    about: 'Memory at a glance, out of /proc/meminfo; in KiB unless -m, -g or -h is given.',
    layout: { kind: 'tool', header: /^\s+total\s+used\s+free\s+shared/ },
    text: FREE,
  }),
  topic({
    id: 'vmstat',
    about:
      'Memory, swap, disks and CPUs side by side; the first row is the average since boot, each further one the time since the row above.',
    layout: { kind: 'tool', header: /^\s*r\s+b\s+swpd\s+free/ },
    text: VMSTAT_TOOL,
  }),
  topic({
    id: 'top',
    about: 'Processes by CPU time, and the totals of the machine above them.',
    layout: { kind: 'tool', header: /^\s*PID USER\s+PR\s+NI\s+VIRT/ },
    text: TOP,
  }),
  topic({
    id: 'ps',
    about: 'Processes and what they use.',
    layout: { kind: 'tool', header: /\bVSZ\b.*\bRSS\b/ },
    text: PS,
  }),
  topic({
    id: 'slabtop',
    about: 'Slab caches by size, out of /proc/slabinfo.',
    layout: { kind: 'tool', header: /^\s*OBJS ACTIVE\s+USE OBJ SIZE/ },
    text: SLABTOP,
  }),
  topic({
    id: 'numastat',
    about:
      "Allocations of each node since boot; with -p the nodes that a process has its memory on, with -m the nodes' meminfo.",
    layout: { kind: 'tool', header: /^Per-node process memory usage/ },
    text: NUMASTAT_TOOL,
  }),
]
