/** Resource limits as a user meets them: ulimit of the shell, and what becomes of the programs that it starts. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { loadMachine, toConfig } from '../profiles/index'
import { createHeadless } from './headless'
import { programs, realEngine } from './real-engine'

const MACHINE = readFileSync('resources/machines/vm-512m.json', 'utf8')
const profile = loadMachine(MACHINE, 'vm-512m.json')
if (!profile.ok) throw new Error(profile.error.message)
const machine = createHeadless(toConfig(profile.value), 3, { engine: realEngine(), programs })

/** Each script runs in a subshell: limits do not outlive it. */
async function run(script: string): Promise<string> {
  let text = ''
  const keep = (piece: string): void => void (text += piece)
  await machine.runScript(`( ${script} ) 2>&1`, { onStdout: keep, onStderr: keep })
  return text
}

describe('ulimit', () => {
  test('shows one limit, several, or all in the layout of bash 5.2', async () => {
    expect(await run('ulimit; ulimit -s; ulimit -Hs')).toBe('unlimited\n8192\nunlimited\n')
    expect(await run('ulimit -v -s')).toBe(
      'virtual memory              (kbytes, -v) unlimited\nstack size                  (kbytes, -s) 8192\n',
    )
    const lines = (await run('ulimit -a')).split('\n')
    expect(lines[0]).toBe('real-time non-blocking time  (microseconds, -R) unlimited')
    expect(lines).toContain('core file size              (blocks, -c) 0')
    expect(lines).toContain('open files                          (-n) 1024')
    expect(lines).toContain('max locked memory           (kbytes, -l) 8192')
    expect(lines).toHaveLength(18)
  })

  test('a value sets both limits; -S and -H one of them; what may not be is said as bash says it', async () => {
    expect(await run('ulimit -v 200000; ulimit -Sv 100000; ulimit -v; ulimit -Hv')).toBe('100000\n200000\n')
    expect(await run('ulimit -Hv 1000; ulimit -Sv 2000')).toMatch(
      /virtual memory: cannot modify limit: Invalid argument\n$/,
    )
    expect(await run('ulimit -v many')).toMatch(/: ulimit: many: invalid number\n$/)
    expect(await run('ulimit -Z')).toMatch(/: ulimit: -Z: invalid option\nulimit: usage: ulimit \[-SH/)
    expect(await run('ulimit -Ss hard; ulimit -s')).toBe('unlimited\n')
    expect(await run('ulimit -t 5; grep "cpu time" /proc/self/limits')).toMatch(/^Max cpu time +5 +5 +seconds/)
  })

  test('a program that maps more than -v allows is refused, outside the subshell it is not', async () => {
    expect(await run('ulimit -v 50000; mm fault mb=64')).toContain('mmap failed errno=12\n')
    expect(await run('mm fault mb=64')).not.toContain('mmap failed')
  })

  test('a redirection needs a descriptor, and a tool’s file stays as small as -f says', async () => {
    expect(await run('ulimit -n 3; cat /proc/version > /tmp/v; cat /proc/version')).toMatch(
      /^bash: line 1: \/tmp\/v: Too many open files\ncat: \/proc\/version: Too many open files\n$/,
    )
    // 48894 bytes: four KiB fit, the next write is SIGXFSZ.
    expect(await run('( ulimit -f 4; seq 1 10000 > /tmp/f ); echo $?; wc -c < /tmp/f')).toMatch(/\b153\n4096\n$/)
  })
})
