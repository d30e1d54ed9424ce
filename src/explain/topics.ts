/** All topics in one table. A new file of the machine gets its row in `proc.ts` or `sys.ts`. */
import { machineFiles, processFiles, sysctls } from './proc'
import { cgroups, nodes, switches } from './sys'
import { tools } from './tools'
import type { Topic } from './topic'

/** In the order in which a path is looked up: the file itself before the family that it belongs to. */
export const topics: readonly Topic[] = [
  ...machineFiles,
  ...processFiles,
  ...sysctls,
  ...cgroups,
  ...switches,
  ...nodes,
  ...tools,
]
