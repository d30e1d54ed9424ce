/** All tools that the shell computes. A new one is its file and its line here. */
import type { Tool } from '../process'
import { bash, sh } from './bash'
import { cat } from './cat'

const all: readonly Tool[] = [bash, cat, sh]

export const tools: Readonly<Record<string, Tool>> = Object.fromEntries(all.map((tool) => [tool.name, tool]))
