/** All tools that the shell computes. A new one is its file and its line here. */
import type { Tool } from '../process'
import { awk } from './awk'
import { bash, sh } from './bash'
import { cat } from './cat'
import { cut, nl, paste, rev, tac, wc } from './cut'
import { basename, cp, dirname, mkdir, mv, readlink, rm, rmdir, tee, touch } from './files'
import { find, xargs } from './find'
import { egrep, fgrep, grep } from './grep'
import { head, tail } from './head'
import { ls } from './ls'
import { sed } from './sed'
import { sort } from './sort'
import { tr } from './tr'
import { comm, diff, join, uniq } from './uniq'

const all: readonly Tool[] = [
  awk, basename, bash, cat, comm, cp, cut, diff, dirname, egrep, fgrep, find, grep, head, join, ls, mkdir, mv, nl, paste,
  readlink, rev, rm, rmdir, sed, sh, sort, tac, tail, tee, touch, tr, uniq, wc, xargs,
]

export const tools: Readonly<Record<string, Tool>> = Object.fromEntries(all.map((tool) => [tool.name, tool]))
