/** The shell's public face. */
export { createShell, type Shell, type ShellOptions } from './shell'
export { createTerminal, type Terminal, type TerminalOptions } from './terminal'
export type { SpawnRequest, Sys } from './sys'
