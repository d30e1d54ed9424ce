/** All tools that the shell computes. A new one is its file and its line here. */
import type { Tool } from '../process'
import { awk } from './awk'
import { bash, sh } from './bash'
import { cat } from './cat'
import { cut, nl, paste, rev, tac, wc } from './cut'
import { dd, tar } from './dd'
import { dmesg } from './dmesg'
import { docker } from './docker'
import { env, man, nohup, printenv, seq, which, yes } from './env'
import { basename, cp, dirname, mkdir, mv, readlink, rm, rmdir, tee, touch } from './files'
import { explain } from './explain'
import { find, xargs } from './find'
import { free } from './free'
import { cc, gcc } from './gcc'
import { egrep, fgrep, grep } from './grep'
import { head, tail } from './head'
import { arch, clear, date, hostname, id, nproc, sync, uname, uptime, whoami } from './host'
import { kubectl } from './kubectl'
import { ls } from './ls'
import { migratepages } from './migratepages'
import { insmod, lsmod, modinfo, modprobe, rmmod } from './modules'
import { numactl } from './numactl'
import { numastat } from './numastat'
import { mkswap, mount, swapoff, swapon, umount } from './mount'
import { zramctl } from './zramctl'
import { perf } from './perf'
import { killall, pgrep, pidof, pkill } from './pgrep'
import { pmap } from './pmap'
import { ps } from './ps'
import { sed } from './sed'
import { slabtop } from './slabtop'
import { sort } from './sort'
import { strace } from './strace'
import { sysctl } from './sysctl'
import { time } from './time'
import { top } from './top'
import { tr } from './tr'
import { comm, diff, join, uniq } from './uniq'
import { vmstat } from './vmstat'
import { sleep, timeout, usleep, watch } from './watch'

const all: readonly Tool[] = [
  arch,
  awk,
  basename,
  bash,
  cat,
  cc,
  clear,
  comm,
  cp,
  cut,
  date,
  dd,
  diff,
  dirname,
  dmesg,
  docker,
  egrep,
  env,
  explain,
  fgrep,
  find,
  free,
  gcc,
  grep,
  head,
  hostname,
  id,
  insmod,
  join,
  killall,
  kubectl,
  ls,
  lsmod,
  man,
  modinfo,
  modprobe,
  rmmod,
  migratepages,
  mkdir,
  mkswap,
  mount,
  mv,
  nl,
  nohup,
  nproc,
  numactl,
  numastat,
  paste,
  perf,
  pgrep,
  pidof,
  pkill,
  pmap,
  printenv,
  ps,
  readlink,
  rev,
  rm,
  rmdir,
  sed,
  seq,
  sh,
  slabtop,
  sleep,
  sort,
  strace,
  swapoff,
  swapon,
  sync,
  sysctl,
  tac,
  tail,
  tar,
  tee,
  time,
  timeout,
  top,
  touch,
  tr,
  umount,
  uname,
  uniq,
  uptime,
  usleep,
  vmstat,
  watch,
  wc,
  which,
  whoami,
  xargs,
  yes,
  zramctl,
]

export const tools: Readonly<Record<string, Tool>> = Object.fromEntries(all.map((tool) => [tool.name, tool]))
