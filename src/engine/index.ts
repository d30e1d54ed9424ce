/**
 * The engine's whole surface: eight functions. See ARCHITECTURE.md.
 */
export type { Command, CommandReply, CommandResult, FileStat, Refusal, Stdio } from './commands'
