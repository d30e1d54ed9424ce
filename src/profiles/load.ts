/** What every kind of file goes through: text → JSON → which format and version → step-wise upgrade → validation. */
import { ok, userError, type Result } from '../util/result'
import { firstIssue, show } from './issues'
import { parseJson } from './json'
import type { z } from './zod'

/** One step of a format's history: turns a document of `from` into one of `from + 1`. Pure and without chance. */
export interface Upgrade {
  readonly from: number
  readonly apply: (document: Record<string, unknown>) => Record<string, unknown>
}

export interface FileFormat<T> {
  /** 'pagewalk-machine' */
  readonly format: string
  /** In a sentence: 'machine profile' */
  readonly noun: string
  readonly version: number
  readonly schema: z.ZodType<T>
  readonly upgrades: readonly Upgrade[]
}

/** @returns the document as today's code knows it, or the first thing that is wrong with it and how to mend it */
export function loadDocument<T>(kind: FileFormat<T>, text: string, fileName: string): Result<T> {
  const json = parseJson(text, fileName)
  return json.ok ? readDocument(kind, json.value, fileName) : json
}

/** The same for a document that is already parsed, such as a profile inside a session. */
export function readDocument<T>(kind: FileFormat<T>, value: unknown, fileName: string): Result<T> {
  const detected = detect(kind, value, fileName)
  if (!detected.ok) return detected
  let { document, version } = detected.value
  for (; version < kind.version; version++) {
    const upgrade = kind.upgrades.find((u) => u.from === version)
    if (!upgrade) {
      return userError(
        'profile/version-unknown',
        `${fileName}: version`,
        `Version ${version} of ${kind.format} was never published.`,
        `Known versions: up to ${kind.version}.`,
      )
    }
    document = { ...upgrade.apply(document), version: version + 1 }
  }
  const parsed = kind.schema.safeParse(document)
  return parsed.success ? ok(parsed.data) : firstIssue(parsed.error, kind.schema, document, fileName)
}

function detect<T>(
  kind: FileFormat<T>,
  value: unknown,
  fileName: string,
): Result<{ document: Record<string, unknown>; version: number }> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const fix = `A ${kind.noun} begins with {"format": "${kind.format}", "version": ${kind.version}.`
    return userError('profile/not-an-object', fileName, `${show(value)} is not a ${kind.noun}.`, fix)
  }
  const document = value as Record<string, unknown>
  if (document['format'] !== kind.format) {
    const seen =
      document['format'] === undefined
        ? 'The file does not say its format'
        : `The format is ${show(document['format'])}`
    return userError(
      'profile/format',
      `${fileName}: format`,
      `${seen}; a ${kind.noun} is needed.`,
      `Expected "format": "${kind.format}".`,
    )
  }
  const version = document['version']
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) {
    const seen = version === undefined ? 'The version is missing.' : `${show(version)} is not a version.`
    return userError('profile/version', `${fileName}: version`, seen, `Expected a whole number, today ${kind.version}.`)
  }
  if (version > kind.version) {
    return userError(
      'profile/newer',
      `${fileName}: version`,
      `The file is version ${version} of ${kind.format}; this Pagewalk reads up to version ${kind.version}.`,
      'Open it with a newer Pagewalk.',
    )
  }
  return ok({ document, version })
}
