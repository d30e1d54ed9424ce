/** The tenants. A new one is its file and a line here. */
import type { Program } from '../../engine/task'
import { java } from './java'
import { node } from './node'
import { postgres } from './postgres'
import { redis } from './redis'
import { replay } from './replay'
import { batch, leak } from './simple'

export { parseCurve, type Curve } from './curve'

export const TENANTS: readonly Program[] = [java, postgres, redis, node, batch, leak, replay]
