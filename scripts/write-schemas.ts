/** Writes resources/schemas from the schemas in src/profiles: npx tsx scripts/write-schemas.ts */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { publishedSchemas } from '../src/profiles/json-schema'

const folder = join(import.meta.dirname, '../resources/schemas')
mkdirSync(folder, { recursive: true })
for (const [name, text] of Object.entries(publishedSchemas())) writeFileSync(join(folder, name), text)
