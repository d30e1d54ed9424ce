import { beforeAll, expect, test } from 'vitest'
import { VM_512M } from '../../test/support/session'
import { loadMachine, toConfig } from '../profiles/index'
import { createHeadless, type Headless } from './headless'
import { programs, realEngine } from './real-engine'

let machine: Headless
beforeAll(() => {
  const profile = loadMachine(VM_512M, 'vm-512m.json')
  if (!profile.ok) throw new Error(profile.error.message)
  machine = createHeadless(toConfig(profile.value), 7, { engine: realEngine(), programs })
})

async function run(script: string): Promise<string> {
  let text = ''
  const see = (part: string): void => void (text += part)
  await machine.runScript(`cd\n${script}`, { onStdout: see, onStderr: see })
  return text
}

test('the sources lie in the home folder, and no program is there before it is built', async () => {
  expect(await run('ls *.c | grep fault; ./fault_test; fault_test; fault_test.c')).toMatch(
    /^fault_test\.c\n.*\.\/fault_test: No such file or directory\n.*fault_test: command not found\n.*fault_test\.c: command not found\n$/,
  )
})

test('the lines of the course build and run the program', async () => {
  const text = await run('gcc fault_test.c -o fault_test && ./fault_test; stat=$?; ls -l fault_test; echo $stat')
  expect(text).toMatch(
    /^before malloc .*\nafter malloc .*\nafter touching .*\nafter free .*\n-rwxr-xr-x 1 root root +786432 fault_test\n0\n$/,
  )
})

test('without -o it is a.out, and options of a compiler are taken', async () => {
  expect(await run('gcc -O2 -Wall -std=c17 null_deref.c; ./a.out; echo $?')).toMatch(
    /^writing to address \(nil\)\n.*Segmentation fault.*\n139\n$/,
  )
})

test.each([
  ['gcc', 'gcc: fatal error: no input files\ncompilation terminated.\n'],
  ['gcc nothing.c', 'gcc: fatal error: nothing.c: No such file or directory\ncompilation terminated.\n'],
  ['gcc fault_test.c -lm', "gcc: error: option '-lm' is not known here\n"],
])('%s says what is wrong', async (line, said) => {
  expect(await run(`${line}; echo $?`)).toBe(`${said}1\n`)
})

test('any other source is refused with the list of what can be built', async () => {
  const text = await run('echo "int main(void) { return 0; }" > mine.c; gcc mine.c; echo $?')
  expect(text).toMatch(/^gcc: error: mine\.c: this machine has no compiler\ngcc: note: .*fault_test\.c.*\n1\n$/)
  expect(await run('sed s/100/200/ fault_test.c > x; mv x fault_test.c; gcc fault_test.c')).toContain(
    'fault_test.c: changed since it was installed, and this machine has no compiler',
  )
})

test('time -v prints what GNU time prints: faults since the fork, the largest resident size, sectors read', async () => {
  const text = await run('gcc malloc_test.c -o malloc_test\n/usr/bin/time -v ./malloc_test > used; cat used')
  const value = (name: string): number => Number(new RegExp(`^\\t${name}: (\\d+)$`, 'm').exec(text)?.[1])
  expect(text).toMatch(/^\tCommand being timed: "\.\/malloc_test"\n/)
  expect(text.match(/^\t.*: .*$/gm)).toHaveLength(23)
  const last = /^free .* minor faults +(\d+)$/m.exec(text)
  expect(value('Minor \\(reclaiming a frame\\) page faults')).toBe(Number(last?.[1]))
  const resident = [...text.matchAll(/resident +(\d+) kB/g)].map((m) => Number(m[1]))
  // The largest size is kept from the cheap counter, which lags behind the exact one that statm prints.
  const lag = Math.max(...resident) - value('Maximum resident set size \\(kbytes\\)')
  expect(lag).toBeGreaterThanOrEqual(0)
  expect(lag).toBeLessThan(512)
  expect(await run('gcc null_deref.c; /usr/bin/time -v ./a.out; echo $?')).toMatch(
    /\nCommand terminated by signal 11\n[^]*Exit status: 0\n139\n$/,
  )
  const cold = await run('sync; echo 3 > /proc/sys/vm/drop_caches; /usr/bin/time ./malloc_test')
  expect(Number(/^(\d+)inputs/m.exec(cold)?.[1])).toBeGreaterThan(1000)
})
