import { describe, expect, test } from 'vitest'
import { testSession } from './testing/session'

/** Each row: what is typed, what is printed. Rows run in a fresh shell. */
const CASES: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  'words and quotes': [
    ['echo hi   there', 'hi there\n'],
    [`echo "a  b" 'c  $x' d\\ e`, 'a  b c  $x d e\n'],
    [`x='1  2'; echo $x "$x"`, '1 2 1  2\n'],
    [`echo "" '' a | cat`, '  a\n'],
    [`set -- '' b; echo $#`, '2\n'],
    ['echo "\\$x \\" \\n"', '$x " \\n\n'],
    ['echo {a,b}{1..3} x{,y}', 'a1 a2 a3 b1 b2 b3 x xy\n'],
    [`echo "nested $(echo "in $(echo deep)")" \`echo tick\``, 'nested in deep tick\n'],
    ['echo ~ ~/x', '/root /root/x\n'],
  ],
  parameters: [
    ['echo ${x:-d} ${x-d} [${x:+set}]; x=; echo [${x-d}] ${x:-e}', 'd d []\n[] e\n'],
    ['echo ${y:=set} $y', 'set set\n'],
    ['t=big:60:-500; n=${t%%:*}; z=${t#*:}; z=${z%%:*}; a=${t##*:}; echo $n $z $a', 'big 60 -500\n'],
    ['p=/a/b/c.txt; echo ${p##*/} ${p%/*} ${p%.txt} ${#p}', 'c.txt /a/b /a/b/c 10\n'],
    ['x=abcdef; echo ${x:1:3} ${x: -2} ${x/cd/XX} ${x//[ae]/_} ${x^^}', 'bcd ef abXXef _bcd_f ABCDEF\n'],
    [`set -- a "b c" d; for i in "$@"; do echo "<$i>"; done; echo "$*" $# $2`, '<a>\n<b c>\n<d>\na b c d 3 b c\n'],
    ['set -- a b c; shift; echo $1 $#; shift 2; echo [$1]', 'b 2\n[]\n'],
    ['a=(1 "2 x" 3); echo ${#a[@]} "${a[1]}"; a[5]=9; for v in "${a[@]:1:2}"; do echo "$v"; done', '3 2 x\n2 x\n3\n'],
    ['IFS=:; x=a:b::c; for i in $x; do echo "[$i]"; done', '[a]\n[b]\n[]\n[c]\n'],
    ['x=5; y=x; echo ${!y}', '5\n'],
    ['echo $? $((1/1)); false; echo $?', '0 1\n1\n'],
    ['set -u; echo ${nope}', 'bash: nope: unbound variable\n'],
    ['echo ${q:?is missing}', 'bash: q: is missing\n'],
  ],
  arithmetic: [
    ['i=3; echo $((i+1)) $((i*i-2)) $((7/2)) $((-7%3)) $((2**10)) $((1<<40))', '4 7 3 -1 1024 1099511627776\n'],
    ['echo $((0x10 + 010)) $((1 ? 5 : 6)) $((!0)) $((3 & 5 | 8)) $(( (1+2)*3 ))', '24 5 1 9 9\n'],
    ['echo $(( $(echo 6) * 7 )) $(( `echo 5` - $(echo) ))', '42 5\n'],
    ['i=1; echo $((i++)) $((++i)) $i $((i+=5)) $i', '1 3 3 8 8\n'],
    ['M=1048576; max=100; echo $((max*M)) $((${unset:-4}*2))', '104857600 8\n'],
    ['a=1+2; echo $((a*2)); b=a; echo $((b+1))', '6\n4\n'],
    ['((3 > 2)) && echo yes; let "z = 4 * 5"; echo $z', 'yes\n20\n'],
    ['for ((i=0;i<3;i++)); do echo $i; done', '0\n1\n2\n'],
    ['echo $((9223372036854775807 + 1))', '-9223372036854775808\n'],
    ['echo $((1/0))', 'bash: division by 0 (error token is "0")\n'],
  ],
  'compound commands': [
    ['if false; then echo a; elif true; then echo b; else echo c; fi', 'b\n'],
    [
      'i=0; while [ $i -lt 5 ]; do i=$((i+1)); [ $i = 2 ] && continue; [ $i = 4 ] && break; echo $i; done; echo $?',
      '1\n3\n0\n',
    ],
    ['i=0; until [ $i -ge 2 ]; do echo $i; i=$((i+1)); done', '0\n1\n'],
    ['for a in 1 2; do for b in x y; do [ $b = y ] && continue 2; echo $a$b; done; done', '1x\n2x\n'],
    ['for a in 1 2; do for b in x y; do break 2; done; echo no; done; echo end', 'end\n'],
    ['case abc in x) echo 1;; a*|b*) echo 2;; *) echo 3;; esac', '2\n'],
    [
      'case "a*" in "a*") echo lit;; esac; case a.c in a?c) echo q;; esac; case x in [!a-w]) echo set;; esac',
      'lit\nq\nset\n',
    ],
    ['case a in a) echo 1;& b) echo 2;; c) echo 3;; esac', '1\n2\n'],
    ['f() { local a=in; echo $1 $a $#; return 3; }; a=out; f x y; echo $? $a', 'x in 2\n3 out\n'],
    ['f() { for i; do echo "$i"; done; }; f "a b" c', 'a b\nc\n'],
    ['( x=9; echo $x; exit 4 ); echo $? [$x]', '9\n4 []\n'],
    ['{ echo a; echo b; } | cat', 'a\nb\n'],
    ['false || { echo x; true; } && echo y', 'x\ny\n'],
    ['! true; echo $?; ! false | true; echo $?', '1\n1\n'],
    [
      '[[ abc == a* && 3 -gt 2 && ! -f /nope ]] && echo ok; [[ foo123 =~ ^[a-z]+([0-9]+)$ ]] && echo ${BASH_REMATCH[1]}',
      'ok\n123\n',
    ],
    ['[ 1 -lt 2 ] && [ -d /tmp ] && ! [ -f /tmp ] && test -n x && [ a != b -a 1 -eq 1 ] && echo ok', 'ok\n'],
    ['[ a -eq 1 ]; echo $?', 'bash: [: a: integer expression expected\n2\n'],
    ['eval "x=4; echo \\$x"; alias e="echo aliased"; e you', '4\naliased you\n'],
  ],
  'redirections and files': [
    ['echo a > /tmp/f; echo b >> /tmp/f; cat /tmp/f; cat < /tmp/f', 'a\nb\na\nb\n'],
    ['x=1; cat <<EOF\n$x $((x+1)) $(echo c)\nEOF\ncat <<"EOF"\n$x\nEOF', '1 2 c\n$x\n'],
    ['cat <<-E\n\ta\n\t\tb\n\tE\ncat <<< "here $((1+1))"', 'a\nb\nhere 2\n'],
    [
      'cat /nope 2>/dev/null; echo $?; cat /nope > /tmp/e 2>&1; cat /tmp/e',
      '1\ncat: /nope: No such file or directory\n',
    ],
    [
      '{ echo out; echo err >&2; } 2>/dev/null; { echo out; echo err >&2; } &> /tmp/both; cat /tmp/both',
      'out\nout\nerr\n',
    ],
    ['echo a > /tmp/f; read x < /tmp/f; echo "[$x]"; read y < /dev/null; echo $?', '[a]\n1\n'],
    ['printf "1 2 3\\n4 5\\n" | while read a b; do echo "$b-$a"; done', '2 3-1\n5-4\n'],
    ['echo a b c | (read x y; echo "$y")', 'b c\n'],
    ['exec > /tmp/log; echo hidden; exec > /dev/tty', ''],
    ['echo x > /nope/y; echo $?', 'bash: /nope/y: No such file or directory\n1\n'],
    ['cat < /nope; echo $?', 'bash: /nope: No such file or directory\n1\n'],
    [
      'cd /tmp; touch b.c a.c; echo *.c *.none; echo /tm[op]/?.c; set -f; echo *.c',
      'a.c b.c *.none\n/tmp/a.c /tmp/b.c\n*.c\n',
    ],
    ['cd /nope; echo $?; cd /tmp; pwd; cd -', 'bash: cd: /nope: No such file or directory\n1\n/tmp\n/root\n'],
    ['echo "echo sourced \\$1 \\$x; y=2" > /tmp/s; x=1; . /tmp/s arg; echo $y', 'sourced arg 1\n2\n'],
    ['x=$(< /tmp/none)', 'bash: /tmp/none: No such file or directory\n'],
  ],
  builtins: [
    ['echo -n a; echo -e "b\\tc\\n" | cat; echo -E "x\\ty"', 'ab\tc\n\nx\\ty\n'],
    [
      `printf "%5.2f|%-4s|%04d|%x|%s\\n" 3.14159 ab 42 255 "a b"; printf "%s\\n" a b; printf -v v %03d 7; echo $v`,
      ' 3.14|ab  |0042|ff|a b\na\nb\n007\n',
    ],
    ['export A=1; B=2; bash -c "echo \\$A [\\$B]"; C=3 bash -c "echo \\$C"; echo [$C]', '1 []\n3\n[]\n'],
    ['x=1; unset x; echo [$x]; readonly r=1; r=2', '[]\nbash: r: readonly variable\n'],
    [
      'type cd cat mm nosuch; command -v grep',
      'cd is a shell builtin\ncat is /usr/bin/cat\nmm is /usr/bin/mm\nbash: type: nosuch: not found\n/usr/bin/grep\n',
    ],
    ['trap "echo bye" EXIT; trap; exit 3', "trap -- 'echo bye' EXIT\nbye\n"],
    ['set -x; echo "a b" $((1+1))', "+ echo 'a b' 2\na b 2\n"],
    ['f() { g; }; g() { echo $LINENO >/dev/null; return 5; }; f; echo $?', '5\n'],
    ['sudo echo hi; sudo -u root bash -c "echo in"', 'hi\nin\n'],
    ['seq 3; seq 2 2 6; seq -s, 3 1; seq -w 8 10', '1\n2\n3\n2\n4\n6\n08\n09\n10\n'],
  ],
}

describe.each(Object.entries(CASES))('%s', (_, rows) => {
  test.each(rows)('%s', async (typed, printed) => {
    const session = testSession()
    expect(await session.run(typed)).toBe(printed)
  })
})

test('set -e ends a script at a failed command, but not in a condition', async () => {
  const script = testSession({}, { interactive: false })
  expect(await script.run('set -e; false || echo a; if false; then :; fi; ! true; (exit 3); echo never')).toBe('a\n')
  expect(script.shell.hasExited).toBe(true)
  expect(script.shell.status).toBe(3)
})

test('exit gives its status and ends the shell', async () => {
  const session = testSession()
  await session.run('exit 7')
  expect(session.shell.status).toBe(7)
  expect(await session.run('echo still here')).toBe('')
})

describe('a line with a syntax error is refused as a whole', () => {
  test.each([
    ['echo a > /tmp/f; echo )', "bash: syntax error near unexpected token `)'\n"],
    ['touch /tmp/f; fi', "bash: syntax error near unexpected token `fi'\n"],
    ['touch /tmp/f; echo "abc', 'bash: unexpected EOF while looking for matching `"\'\n'],
    ['touch /tmp/f; if true; then', 'bash: syntax error: unexpected end of file\n'],
    ['touch /tmp/f; echo >', "bash: syntax error near unexpected token `newline'\n"],
    ['touch /tmp/f; echo $(if)', 'bash: syntax error'],
  ])('%s', async (typed, message) => {
    const session = testSession()
    expect(await session.run(typed)).toContain(message)
    expect(session.shell.status).toBe(2)
    expect(session.machine.files.has('/tmp/f')).toBe(false)
    expect(session.machine.tasks.size).toBe(1)
  })
})

test('the terminal asks for more lines only when more lines can help', () => {
  const { shell } = testSession()
  const more = [
    'if true',
    'for i in a; do',
    'echo "abc',
    'cat <<E',
    'a |',
    'a &&',
    'f() {',
    'echo \\',
    '(',
    'case x in',
  ]
  for (const text of more) expect([text, shell.wantsMore(`${text}\n`)]).toEqual([text, true])
  for (const text of ['echo a', 'fi', 'echo )', 'cat <<E\na\nE', 'echo >'])
    expect([text, shell.wantsMore(`${text}\n`)]).toEqual([text, false])
})
