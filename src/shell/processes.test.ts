import { expect, test } from 'vitest'
import { testSession } from './testing/session'

test('$$ is the pid of the shell, and stays it in a subshell', async () => {
  const s = testSession()
  expect(await s.run('echo $$; (echo $$); bash -c "echo \\$\\$ \\$BASHPID" | cat')).toMatch(/^100\n100\n(\d+) \1\n$/)
})

test('programs and tools are children, builtins are not', async () => {
  const s = testSession()
  await s.run('echo a; cd /tmp; [ -d /tmp ]; true; x=1')
  expect(s.machine.tasks.size).toBe(1)
  await s.run('cat /dev/null; mm x')
  expect([...s.machine.tasks.values()].map((t) => `${t.ppid} ${t.name}`)).toEqual(['1 bash', '100 cat', '100 mm'])
})

test('a pipeline of builtins forks, a single program in $( ) does not', async () => {
  const s = testSession()
  await s.run('echo a | cat')
  expect([...s.machine.tasks.values()].map((t) => t.name)).toEqual(['bash', 'bash', 'cat'])
  await s.run('x=$(mm x)')
  expect([...s.machine.tasks.values()].map((t) => t.name)).toEqual(['bash', 'bash', 'cat', 'mm'])
})

test('a background job runs while the shell goes on, and wait gives its status', async () => {
  const s = testSession({ job: () => [{ sleepNs: 2e9 }, { exit: 5 }] })
  expect(await s.run('job & sleep 1; jobs; wait $!; echo $?')).toMatch(
    /^\[1\] 101\n\[1\]\+ {2}Running {17}job &\n5\n\[1\]\+ {2}Exit 5 {18}job\n$/,
  )
})

test('jobs run at the same simulated time', async () => {
  const s = testSession()
  const before = s.machine.now()
  await s.run('sleep 3 & sleep 3 & sleep 3 & wait')
  expect((s.machine.now() - before) / 1e9).toBeCloseTo(3, 1)
})

test('background loops, functions and lists are subshells', async () => {
  const s = testSession()
  await s.run(
    'f() { sleep 0.1; echo f > /tmp/f; }; f & while :; do sleep 1; done & true && sleep 0.2 & wait $!; kill %2; wait %2; echo $? > /tmp/status',
  )
  expect(s.machine.files.get('/tmp/f')?.content).toBe('f\n')
  expect(s.machine.files.get('/tmp/status')?.content).toBe('143\n')
})

test('kill -9 of a job: wait gives 137 and the prompt says Killed', async () => {
  const s = testSession()
  expect(
    await s.run('mm hog hold=-1 log=/tmp/l & P=$!; sleep 1; kill -0 $P && echo alive; kill -9 $P; wait $P; echo $?'),
  ).toMatch(/^\[1\] 101\nalive\n137\n\[1\]\+ {2}Killed {18}mm hog hold=-1 log=\/tmp\/l\n$/)
  expect(await s.run('kill -0 101; echo $?')).toBe('bash: kill: (101) - No such process\n1\n')
})

test('kill refuses what is no process and no signal', async () => {
  const s = testSession()
  expect(await s.run('kill 99999; kill foo; kill -NOPE 1; kill %7')).toBe(
    'bash: kill: (99999) - No such process\nbash: kill: foo: arguments must be process or job IDs\n' +
      'bash: kill: NOPE: invalid signal specification\nbash: kill: %7: no such job\n',
  )
})

test('a program that a signal ends in the foreground is announced', async () => {
  const s = testSession({ victim: () => [{ raise: 9 }], crash: () => [{ raise: 11 }] })
  expect(await s.run('victim; echo $?; crash; echo $?')).toBe('Killed\n137\nSegmentation fault\n139\n')
  const script = testSession({ victim: () => [{ raise: 9 }] }, { interactive: false })
  expect(await script.run('true\nvictim')).toBe('bash: line 2:   101 Killed                  victim\n')
})

test('bash -c ends as its last command does: killed, and announced once', async () => {
  const s = testSession({ victim: () => [{ raise: 9 }] })
  expect(await s.run("bash -c 'true && victim'; echo $?")).toBe('Killed\n137\n')
})

test('Ctrl+C ends the foreground and returns to the prompt', async () => {
  const s = testSession()
  const running = s.shell.run('echo a; sleep 100; echo never')
  await s.machine.advance(1e9)
  s.shell.interrupt()
  expect(await s.machine.settle(running)).toBe(130)
  expect(s.seen()).toBe('a\n\n')
  expect(s.machine.now()).toBeLessThan(3e9)
})

test('Ctrl+C ends a loop without any program in it', async () => {
  const s = testSession()
  const running = s.shell.run('while :; do :; done')
  await s.machine.advance(1e6)
  s.shell.interrupt()
  expect(await s.machine.settle(running)).toBe(130)
  expect(await s.run('echo next')).toBe('next\n')
})

test('Ctrl+C reaches every member of a pipeline but no background job', async () => {
  const s = testSession()
  await s.run('sleep 100 &')
  const running = s.shell.run('{ sleep 50; echo no; } | cat | grep x')
  await s.machine.advance(1e9)
  s.shell.interrupt()
  await s.machine.settle(running)
  expect([...s.machine.tasks.values()].filter((t) => t.alive).map((t) => t.name)).toEqual(['bash', 'sleep'])
})

test('a trap on INT runs instead', async () => {
  const s = testSession()
  const running = s.shell.run('trap "echo caught" INT; sleep 100; echo after')
  await s.machine.advance(1e9)
  s.shell.interrupt()
  await s.machine.settle(running)
  expect(s.seen()).toBe('caught\nafter\n')
})

test('a trap of a subshell runs when it is signalled', async () => {
  const s = testSession()
  expect(
    await s.run(
      '( trap "echo got; exit 4" TERM; while :; do sleep 0.1; done ) & P=$!; sleep 0.5; kill $P; wait $P; echo $?',
    ),
  ).toMatch(/got\n4\n/)
})

test('the writer of a pipe that nobody reads ends with SIGPIPE', async () => {
  const s = testSession()
  expect(await s.run('while :; do echo y; done | head -2')).toBe('y\ny\n')
  expect(await s.run('yes | head -1; set -o pipefail; yes | true; echo $?')).toBe('y\n141\n')
})

test('output streams while a command runs', async () => {
  const s = testSession({ slow: () => [{ print: 'one\n' }, { sleepNs: 1e9 }, { print: 'two\n' }] })
  const running = s.shell.run('slow | grep o | cat')
  await s.machine.advance(5e8)
  expect(s.seen()).toBe('one\n')
  await s.machine.settle(running)
  expect(s.seen()).toBe('one\ntwo\n')
})

test('a program writes its own file, and nothing to the terminal', async () => {
  const s = testSession()
  expect(await s.run('mm a > /tmp/o; mm b >> /tmp/o 2>&1; mm c > /dev/null; cat /tmp/o')).toBe(
    'mm a\nhog done\nmm b\nhog done\n',
  )
})

test('a write that the kernel refuses prints what bash prints, and our words go elsewhere', async () => {
  const s = testSession()
  s.machine.addFile('/sys/fs/cgroup/a/memory.max', 'max\n', {
    onWrite: (text) => (/^\d+\n$/.test(text) ? undefined : 'EINVAL'),
  })
  s.machine.addFile('/sys/fs/cgroup/a/memory.current', '0\n', { writable: false })
  expect(await s.run('echo abc > /sys/fs/cgroup/a/memory.max; echo $?')).toBe(
    'bash: echo: write error: Invalid argument\n1\n',
  )
  expect(s.explained).toEqual(['/sys/fs/cgroup/a/memory.max does not accept "abc\\n".'])
  expect(await s.run('echo 5 > /sys/fs/cgroup/a/memory.max; cat /sys/fs/cgroup/a/memory.max')).toBe('5\n')
  expect(await s.run('echo 1 > /sys/fs/cgroup/a/foo')).toBe('bash: /sys/fs/cgroup/a/foo: Permission denied\n')
  expect(await s.run('echo 1 > /sys/fs/cgroup/b/foo')).toBe('bash: /sys/fs/cgroup/b/foo: No such file or directory\n')
  expect(await s.run('echo 1 > /proc/foo')).toBe('bash: /proc/foo: No such file or directory\n')
  expect(await s.run('echo 1 > /sys/fs/cgroup/a/memory.current')).toBe(
    'bash: /sys/fs/cgroup/a/memory.current: Permission denied\n',
  )
  expect(await s.run('echo x | tee /sys/fs/cgroup/a/memory.max')).toBe(
    'x\ntee: /sys/fs/cgroup/a/memory.max: Invalid argument\n',
  )
  expect(await s.run('echo x 2>/dev/null > /sys/fs/cgroup/a/memory.max; echo $?')).toBe('1\n')
})

test('sh speaks like busybox', async () => {
  const s = testSession({}, { name: 'sh', interactive: false })
  s.machine.addFile('/proc/sys/vm/x', '0\n', { onWrite: () => 'EINVAL' })
  expect(await s.run('echo 1 > /proc/sys/vm/x; echo 1 > /nope/x; nosuch')).toBe(
    "sh: write error: Invalid argument\nsh: can't create /nope/x: nonexistent directory\nsh: nosuch: not found\n",
  )
})

test('a command that does not exist gives 127 and a hint beside the output', async () => {
  const s = testSession()
  expect(await s.run('ftop; echo $?')).toBe('bash: ftop: command not found\n127\n')
  expect(s.explained[0]).toContain('`help`')
  expect(await s.run('help')).toContain('free         memory and swap at a glance')
})

test('timeout, time, watch and date use simulated time', async () => {
  const s = testSession()
  s.machine.addFile('/proc/meminfo', 'MemFree: 5 kB\n')
  expect(await s.run('timeout 2 sleep 100; echo $?')).toBe('124\n')
  expect(s.machine.now() / 1e9).toBeCloseTo(3, 1)
  expect(await s.run('time sleep 1.5')).toMatch(/^\nreal\t0m1\.5\d\ds\nuser\t/)
  expect(await s.run('date -d @1700000000; date +%s')).toBe(
    `Tue Nov 14 22:13:20 UTC 2023\n${Math.floor((s.machine.bootEpochMs + s.machine.now() / 1e6) / 1000)}\n`,
  )
  const running = s.shell.run("watch -n 1 'cat /proc/meminfo | head -20'")
  await s.machine.advance(2.5e9)
  s.machine.addFile('/proc/meminfo', 'MemFree: 9 kB\n')
  await s.machine.advance(1e9)
  s.shell.interrupt()
  await s.machine.settle(running)
  const pages = s.seen().split('\x1b[H\x1b[2J').slice(1)
  expect(pages).toHaveLength(4)
  expect(pages[0]).toMatch(/^Every 1\.0s: cat \/proc\/meminfo \| head -20 +vm: .* 2023\n\nMemFree: 5 kB\n$/)
  expect(pages[3]).toContain('MemFree: 9 kB')
})

test('a shell whose own task is killed is over', async () => {
  const s = testSession()
  const running = s.shell.run('while :; do sleep 1; done')
  await s.machine.advance(1.5e9)
  s.machine.kill(1, 100, 9)
  await s.machine.settle(running)
  expect(s.shell.hasExited).toBe(true)
  expect(s.shell.status).toBe(137)
})

test('an interactive shell ignores SIGTERM, a script does not', async () => {
  const s = testSession()
  expect(await s.run('kill $$; echo alive')).toBe('alive\n')
  const script = testSession({}, { interactive: false })
  expect(await script.run('kill $$; echo never')).toBe('')
})

test('a fork that the machine refuses ends the line', async () => {
  const s = testSession()
  s.machine.fork = () => ({ ok: false, error: { errno: 'ENOMEM', explanation: 'No memory for another task.' } })
  expect(await s.run('(echo a); echo after')).toBe('bash: fork: Cannot allocate memory\n')
  expect(s.explained).toEqual(['No memory for another task.'])
})

test('the same lines give the same outputs, pids and times', async () => {
  const once = async (): Promise<unknown> => {
    const s = testSession()
    const out = await s.run('for i in 1 2 3; do mm $i | cat & done; wait; echo $! $(ls /proc | wc -l)')
    return [out, s.machine.now(), s.machine.log]
  }
  expect(await once()).toEqual(await once())
})

test('text typed while a command runs goes to whoever reads the terminal', async () => {
  const s = testSession()
  const running = s.shell.run('read a; echo "got $a"; cat')
  await s.machine.advance(1e6)
  s.shell.feed('hello world\n')
  await s.machine.advance(1e6)
  s.shell.feed('line\n')
  s.shell.endInput()
  await s.machine.settle(running)
  expect(s.seen()).toBe('got hello world\nline\n')
})
