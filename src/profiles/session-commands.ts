/**
 * The commands of a saved session as they stand in the file, field by field. The same kinds as the engine's Command
 * today; a change there is a new version here, and the type check at the end of this file says so.
 */
import type { Command } from '../engine/commands'
import { RLIMITS } from '../engine/rlimit'
import { field, z } from './zod'

const pid = field(z.int().nonnegative(), 'a process number', 'Process.')
const path = field(z.string().min(1), 'a path', 'Path.')
const signal = field(z.int().min(0).max(64), 'a signal number, 0 to 64', 'Signal.')
const words = field(z.array(z.string()), 'a list of texts', 'Words.')
const numbers = field(z.array(z.int().nonnegative()), 'a list of CPU or node numbers', 'Numbers.')
const limitValue = field(z.union([z.int().nonnegative(), z.literal('unlimited')]), 'a number or "unlimited"', 'Limit.')
const flag = field(z.boolean(), 'true or false', 'Flag.')
const text = field(z.string(), 'text', 'Text.')

const stdio = field(
  z.discriminatedUnion('to', [
    z.strictObject({ to: z.literal('host') }),
    z.strictObject({ to: z.literal('null') }),
    z.strictObject({ to: z.literal('file'), path, append: flag }),
  ]),
  '{"to": "host"}, {"to": "null"} or {"to": "file", "path", "append"}',
  'Where a descriptor leads.',
)

const fd = field(z.int().nonnegative(), 'a descriptor', 'Descriptor.')
const bytes = field(z.int().nonnegative(), 'a number of bytes', 'Bytes.')
const hostOp = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('open'),
    path,
    write: flag.optional(),
    create: flag.optional(),
    truncate: flag.optional(),
    append: flag.optional(),
  }),
  z.strictObject({ op: z.literal('close'), fd }),
  z.strictObject({ op: z.literal('read'), fd, length: bytes }),
  z.strictObject({ op: z.literal('write'), fd, length: bytes.optional(), text: text.optional() }),
  z.strictObject({ op: z.literal('fsync'), fd }),
  z.strictObject({ op: z.literal('sync') }),
])

export const commandSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('spawn'),
    parent: pid,
    argv: words,
    env: z.record(z.string(), z.string()).optional(),
    stdin: stdio.optional(),
    stdout: stdio.optional(),
    stderr: stdio.optional(),
    tool: flag.optional(),
    built: z.strictObject({ program: text, path }).optional(),
  }),
  z.strictObject({ kind: z.literal('fork'), parent: pid }),
  z.strictObject({ kind: z.literal('exit'), pid, status: z.int() }),
  z.strictObject({ kind: z.literal('reap'), parent: pid, pid }),
  z.strictObject({ kind: z.literal('signal'), pid, signal, from: pid }),
  z.strictObject({ kind: z.literal('read'), pid, path }),
  z.strictObject({
    kind: z.literal('write'),
    pid,
    path,
    text,
    create: flag,
    append: flag,
    sizeBytes: z.int().nonnegative().optional(),
    goesOn: flag.optional(),
  }),
  z.strictObject({ kind: z.literal('perform'), pid, op: hostOp }),
  z.strictObject({ kind: z.literal('lookup'), pid, path, entries: flag }),
  z.strictObject({ kind: z.literal('mkdir'), pid, path, parents: flag }),
  z.strictObject({ kind: z.literal('rmdir'), pid, path }),
  z.strictObject({ kind: z.literal('unlink'), pid, path }),
  z.strictObject({ kind: z.literal('rename'), pid, from: path, to: path }),
  z.strictObject({ kind: z.literal('chdir'), pid, path }),
  z.strictObject({ kind: z.literal('mount'), pid, fs: text, source: text, path, options: words }),
  z.strictObject({ kind: z.literal('umount'), pid, path }),
  z.strictObject({ kind: z.literal('mkswap'), pid, path }),
  z.strictObject({ kind: z.literal('swapon'), pid, path, priority: z.int().optional() }),
  z.strictObject({ kind: z.literal('swapoff'), pid, path }),
  z.strictObject({ kind: z.literal('setAffinity'), pid, cpus: numbers }),
  z.strictObject({
    kind: z.literal('setRlimit'),
    pid,
    limit: z.enum(RLIMITS),
    soft: limitValue.optional(),
    hard: limitValue.optional(),
  }),
  z.strictObject({ kind: z.literal('setMempolicy'), pid, mode: z.int(), nodes: numbers }),
  z.strictObject({ kind: z.literal('getMempolicy'), pid }),
  z.strictObject({ kind: z.literal('setComm'), pid, comm: text }),
])

type FileCommand = z.infer<typeof commandSchema>

/** A command read from a file: absent fields are absent, never undefined. */
export const toCommand = (command: FileCommand): Command => command as Command

/** Fields of each command, as 'kind.field'. */
type Fields<C extends { readonly kind: string }> = C extends { readonly kind: infer K extends string }
  ? `${K}.${keyof C & string}`
  : never

/** Compiles only while every field of every command of the engine can be written to a file. */
export const everyFieldIsWritten: Record<Exclude<Fields<Command>, Fields<FileCommand>>, never> = {}
