/** Every command of the course, as a student types it: it runs, and prints what Linux prints. */
import { describe, expect, test } from 'vitest'
import { bootProfile, untilDone } from './headless'
import { resolveMachine } from './machines'

const NUMA_HEAD = /^available: \d+ nodes \(0-\d+\)\nnode 0 cpus: /
const COUNTS = /^pgscan_kswapd \d+\npgscan_direct \d+\npgscan_direct_throttle \d+\n$/

/** What is typed, and how its output looks; nothing but what is shown here may come. P is the pid of a process that runs. */
type Typed = readonly [string, RegExp]

const SECTIONS: Readonly<Record<string, readonly Typed[]>> = {
  'physical memory and the buddy allocator': [
    ['cat /proc/zoneinfo', /^Node 0, zone +DMA\n {2}per-node stats\n/],
    ['cat /proc/buddyinfo', /^(Node \d, zone +\w+( +\d+){11} \n)+$/],
    ['cat /proc/vmstat | grep compact', /^compact_migrate_scanned \d+\ncompact_free_scanned \d+\n/],
    ['echo 1 > /proc/sys/vm/compact_memory', /^$/],
  ],
  SLUB: [
    ['cat /proc/slabinfo', /^slabinfo - version: 2\.1\n# name +<active_objs> /],
    ['sudo slabtop -o | head -20', /^ Active \/ Total Objects \(% used\) +: \d+ \/ \d+ \(\d+\.\d%\)\n([^\n]*\n){19}$/],
    ['cat /sys/kernel/slab/task_struct/object_size', /^\d{4}\n$/],
    ['cat /sys/kernel/slab/task_struct/objs_per_slab', /^\d+\n$/],
    ['cat /sys/kernel/slab/task_struct/total_objects', /^\d+ N0=\d+( N1=\d+)?\n$/],
  ],
  'page faults': [
    ['cat /proc/vmstat | grep pgfault', /^pgfault \d+\n$/],
    [`cat /proc/$P/stat | awk '{print "Minor:", $10, "Major:", $12}'`, /^Minor: \d+ Major: \d+\n$/],
    ['gcc fault_test.c -o program', /^$/],
    ['sudo perf stat -e page-faults,minor-faults,major-faults ./program', /\d+ +page-faults.*\n.*minor-faults/],
    ['perf stat -e page-faults,minor-faults,major-faults ./program', /\d+ +page-faults.*\n.*minor-faults/],
  ],
  'reclaim and swap': [
    ['cat /proc/meminfo | grep -E "Active|Inactive"', /^(Active|Inactive)[^\n]*kB\n([^\n]*kB\n){5}$/],
    ['cat /proc/sys/vm/swappiness', /^60\n$/],
    ['sudo sysctl vm.swappiness=10', /^vm\.swappiness = 10\n$/],
    ['sysctl vm.vfs_cache_pressure', /^vm\.vfs_cache_pressure = 100\n$/],
    ['cat /proc/vmstat | grep -E "pgscan_kswapd|pgscan_direct"', COUNTS],
  ],
  OOM: [
    ['cat /proc/$P/oom_score', /^\d+\n$/],
    ['cat /proc/$P/oom_score_adj', /^0\n$/],
    ['echo -1000 > /proc/$P/oom_score_adj', /^$/],
    ['cat /proc/$P/oom_score', /^0\n$/],
    ['echo 1000 > /proc/$P/oom_score_adj', /^$/],
    ['cat /proc/$P/oom_score', /^1[3-9]\d\d\n$/],
    ['echo 2 > /proc/sys/vm/overcommit_memory', /^$/],
    ['echo 0 > /proc/sys/vm/overcommit_memory', /^$/],
    ['echo 1 > /proc/sys/vm/panic_on_oom', /^$/],
  ],
  'memory cgroups': [
    ['mkdir /sys/fs/cgroup/mygroup', /^$/],
    ['echo 104857600 > /sys/fs/cgroup/mygroup/memory.max', /^$/],
    ['echo 52428800 > /sys/fs/cgroup/mygroup/memory.high', /^$/],
    ['echo $$ > /sys/fs/cgroup/mygroup/cgroup.procs', /^$/],
    ['cat /sys/fs/cgroup/mygroup/memory.current', /^\d+\n$/],
    ['cat /sys/fs/cgroup/mygroup/memory.stat', /^anon \d+\nfile \d+\nkernel \d+\n/],
    ['cat /sys/fs/cgroup/mygroup/memory.events', /^low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0\n$/],
    ['echo 1 > /sys/fs/cgroup/mygroup/memory.oom.group', /^$/],
    ['echo $$ > /sys/fs/cgroup/cgroup.procs', /^$/],
  ],
  NUMA: [
    ['numactl --hardware', NUMA_HEAD],
    ['gcc malloc_test.c -o myprogram', /^$/],
    ['numactl --cpunodebind=0 --membind=0 ./myprogram', /\d/],
    ['numactl --interleave=all ./myprogram', /\d/],
    ['numastat', /^ +node0 +node1\nnuma_hit +\d+ +\d+\nnuma_miss /],
    ['numastat -p $P', /^\nPer-node process memory usage \(in MBs\) for PID \d+ \(stress\)\n/],
    ['cat /proc/$P/numa_maps', /^[0-9a-f]{8} default file=\/usr\/bin\/stress/],
  ],
  'huge pages': [
    ['cat /proc/meminfo | grep Huge', /^AnonHugePages: [^]*HugePages_Total: +0\n[^]*Hugepagesize: +2048 kB\n/],
    ['echo 128 > /proc/sys/vm/nr_hugepages', /^$/],
    ['cat /proc/meminfo | grep Huge', /HugePages_Total: +128\nHugePages_Free: +128\n/],
    ['cat /sys/kernel/mm/transparent_hugepage/enabled', /^\[always\] madvise never\n$/],
    ['echo never > /sys/kernel/mm/transparent_hugepage/enabled', /^$/],
  ],
  'lab 1': [
    [`timeout 3 watch -n 1 'cat /proc/meminfo | head -20'`, /Every 1\.0s: cat \/proc\/meminfo \| head -20[^]*MemTotal/],
    ['sudo perf record -e kmem:mm_page_alloc -a sleep 5', /Captured and wrote [\d.]+ MB perf\.data \(\d+ samples\)/],
    ['sudo perf script | head -50', /^ +\S+ +\d+ \[\d{3}\] +\d+\.\d{6}: kmem:mm_page_alloc: page=0x/],
    ['cat /proc/buddyinfo', /^Node 0/],
    [
      'stress --vm 2 --vm-bytes 1G --timeout 10s',
      /dispatching hogs: 0 cpu, 0 io, 2 vm, 0 hdd[^]*successful run completed in 10s\n$/,
    ],
    [`timeout 2 watch -n 1 'cat /proc/vmstat | grep -E "pgfault|pgmaj|pswp"'`, /pswpin \d+/],
  ],
  'lab 2': [
    ['sudo mkdir /sys/fs/cgroup/test_oom', /^$/],
    ['echo 104857600 | sudo tee /sys/fs/cgroup/test_oom/memory.max', /^104857600\n$/],
    [
      `sudo bash -c 'echo $$ > /sys/fs/cgroup/test_oom/cgroup.procs && \\
              python3 -c "x = [0] * (200 * 1024 * 1024 // 8)"'`,
      /Killed/,
    ],
    ['sudo dmesg | tail -20', /Memory cgroup out of memory: Killed process \d+ \(python3\) total-vm:/],
    [
      `for pid in $(ls /proc | grep -E '^[0-9]+$'); do
    if [ -f /proc/$pid/oom_score ]; then
        echo "$pid $(cat /proc/$pid/oom_score 2>/dev/null) $(cat /proc/$pid/comm 2>/dev/null)"
    fi
done | sort -nk2 | tail -20`,
      /^(\d+ \d+ \S+\n){8,20}$/,
    ],
    ['sudo rmdir /sys/fs/cgroup/test_oom', /^$/],
  ],
  'lab 3': [
    ['gcc fault_test.c -o fault_test', /^$/],
    ['./fault_test', /before malloc[^]*after malloc[^]*after touching/],
  ],
}

/** With swap the group of lab 2 swaps instead of being killed. */
const MACHINES: Readonly<Record<string, string>> = { 'lab 1': 'movable-6g', 'lab 2': 'vm-512m-noswap' }

describe('the course, as it is typed', () => {
  test.each(Object.entries(SECTIONS))('%s', async (section, lines) => {
    const profile = resolveMachine(MACHINES[section] ?? 'numa-2x4g')
    if (!profile.ok) throw new Error(profile.error.message)
    const headless = bootProfile(profile.value, 1)
    let printed = ''
    const shell = headless.openShell({ out: (text) => (printed += text) })
    const type = async (line: string): Promise<string> => {
      printed = ''
      await untilDone(headless, shell.run(`${line}\n`))
      return printed.replaceAll('\r', '')
    }
    await type('cd /root; stress --vm 1 --vm-bytes 50M --vm-hang 0 > /dev/null & sleep 1; P=$(pgrep stress | tail -1)')
    const said: string[] = []
    for (const [line, expected] of lines) {
      const text = await type(line)
      if (!expected.test(text)) said.push(`${line}\n${text.slice(0, 600)}`)
    }
    expect(said).toEqual([])
  })
})
