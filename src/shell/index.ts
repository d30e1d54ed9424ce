/** The shell's public face. */
export { createShell, type Shell, type ShellOptions } from './shell'
export type { SpawnRequest, Sys } from './sys'
