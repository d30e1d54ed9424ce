/**
 * The one place where the validation library enters: without run-time code generation, because the window's content
 * security policy forbids it.
 */
import { z } from 'zod'

z.config({ jitless: true })

/** A field's description for the published schema, and in `accepts` what an error message offers as the mend. */
export interface FieldMeta {
  readonly description: string
  readonly accepts: string
}

export const field = <S extends z.ZodType>(schema: S, accepts: string, description: string): S =>
  schema.meta({ description, accepts })

export { z }
