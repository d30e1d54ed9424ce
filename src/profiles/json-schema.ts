/** The schemas of our file formats as JSON Schema, for editors that complete and check while one types. */
import { machineSchema } from './machine'
import { scenarioSchema } from './scenario'
import { sessionSchema } from './session'
import { z } from './zod'

/** File name in resources/schemas → its text. */
export function publishedSchemas(): Record<string, string> {
  return {
    'machine.schema.json': schemaText('Pagewalk machine profile', machineSchema),
    'scenario.schema.json': schemaText('Pagewalk scenario', scenarioSchema),
    'session.schema.json': schemaText('Pagewalk session', sessionSchema),
  }
}

function schemaText(title: string, schema: z.ZodType): string {
  const document = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: 'input',
    override: ({ jsonSchema }) => {
      delete jsonSchema['accepts']
    },
  })
  return `${JSON.stringify({ title, ...document }, undefined, 2)}\n`
}
