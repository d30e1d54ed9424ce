/** A tenant from its table of options and its steps. */
import type { Program, ProgramData, ProgramImage, ProgramView } from '../../engine/task'
import { runSteps, type Step, type StepData } from '../steps'
import { parseTenant, type OptionRows, type OptionValues } from './options'
import { createTenant, type TenantData } from './pace'

export interface TenantSpec<D extends TenantData> {
  readonly name: string
  readonly about: string
  readonly image: Omit<ProgramImage, 'path'>
  readonly options: OptionRows
  readonly create?: (data: TenantData, options: OptionValues) => D
  readonly steps: readonly Step<D>[]
  /** Steps of forked children, by their `part`. */
  readonly parts?: Readonly<Record<string, readonly Step<D>[]>>
}

export function tenant<D extends TenantData>(spec: TenantSpec<D>): Program {
  return {
    name: spec.name,
    image: { path: `/usr/bin/${spec.name}`, ...spec.image },
    isServer: true,
    start(argv) {
      const parsed = parseTenant(argv, spec.options, spec.about)
      if (!parsed.ok) return parsed
      const data = createTenant(parsed.values)
      return { ok: true, data: spec.create?.(data, parsed.values) ?? data }
    },
    next(data: ProgramData, view: ProgramView) {
      const part = data['part']
      const steps = typeof part === 'string' ? spec.parts![part]! : spec.steps
      return runSteps(steps as unknown as readonly Step<StepData>[], data as StepData, view)
    },
  }
}
