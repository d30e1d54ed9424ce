import { describe, expect, test } from 'vitest'
import { testSession } from '../testing/session'

const VMSTAT = 'nr_free_pages 10\npgfault 10\npgmajfault 2\npgscan_kswapd 3\npgscan_direct 4\n'

const CASES: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  grep: [
    ["cat /proc/vmstat | grep -E 'pgscan_kswapd|pgscan_direct'", 'pgscan_kswapd 3\npgscan_direct 4\n'],
    ['cat /proc/vmstat | grep compact; echo $?', '1\n'],
    [
      'grep -n pgfault /proc/vmstat; grep -c pg /proc/vmstat; grep -q zzz /proc/vmstat || echo none',
      '2:pgfault 10\n4\nnone\n',
    ],
    [
      "grep -s . /proc/sys/vm/* | sed 's#^/proc/sys/vm/##; s#:# = #' | tr '\\t' ' '",
      'min_free = 1 2\nswappiness = 60\n',
    ],
    [
      'printf "a\\nb\\nc\\nd\\ne\\n" | grep -A1 -B1 c; printf "a\\nA\\n" | grep -vi a; printf "x1y22\\n" | grep -oE "[0-9]+"',
      'b\nc\nd\n1\n22\n',
    ],
    [
      "printf 'a.b\\naxb\\n' | grep -F a.b; printf 'ab\\nb\\n' | grep -x b; printf 'foo bar\\nfoobar\\n' | grep -w foo",
      'a.b\nb\nfoo bar\n',
    ],
    [
      "printf 'aab\\na+b\\n' | grep 'a+b'; printf 'aab\\n' | grep 'a\\+b'; printf 'x(y)\\n' | grep '(y)'; printf 'abab\\n' | grep '\\(ab\\)\\1'",
      'a+b\naab\nx(y)\nabab\n',
    ],
    [
      'grep -l pgfault /proc/vmstat /a; grep -r swap /nope; grep x /tmp',
      '/proc/vmstat\ngrep: /nope: No such file or directory\ngrep: /tmp: Is a directory\n',
    ],
    [
      'grep "a\\|b" -m1 /a; grep -e x -e q /a; echo "[" | grep "["; echo $?',
      'x y 1\ngrep: Unmatched [, [^, [:, [., or [=\n2\n',
    ],
  ],
  sed: [
    ["printf 'aaa\\nbbb\\n' | sed -n '2p;$='; printf 'x=1\\n' | sed -E 's/(.)=([0-9])/\\2=\\1/'", 'bbb\n2\n1=x\n'],
    ["seq 6 | sed '2d;4,5d'; seq 5 | sed -n '2,4p' | sed '$!d'", '1\n3\n6\n4\n'],
    [
      "echo aaa | sed 's/a/b/2g'; echo a/b | sed 's,/,-,'; echo abc | sed 'y/abc/xyz/'; echo hi | sed 's/.*/<&>/'",
      'abb\na-b\nxyz\n<hi>\n',
    ],
    ["seq 3 | sed '2i\\\nnew'; seq 2 | sed 'a x'; seq 3 | sed 2q", '1\nnew\n2\n3\n1\nx\n2\nx\n1\n2\n'],
    [
      "seq 4 | sed 'N;s/\\n/-/'; seq 3 | sed -n '1!G;h;$p'; printf '1\\n1\\n2\\n' | sed '$!N;/^\\(.*\\)\\n\\1$/!P;D'",
      '1-2\n3-4\n3\n2\n1\n1\n2\n',
    ],
    ["seq 9 | sed -n '/3/,/5/p;0~4p'; echo x | sed 'q5'; echo $?", '3\n4\n4\n5\n8\nx\n5\n'],
    ["echo a | sed 's/a'", "sed: -e expression #1: unterminated `s' command\n"],
  ],
  'sort, uniq, head, tail, cut, tr, wc': [
    [
      "printf 'a 10\\nb 9\\nc 100\\n' | sort -nk2; printf 'a 10\\nb 9\\n' | sort -k2,2nr",
      'b 9\na 10\nc 100\na 10\nb 9\n',
    ],
    [
      "printf '10\\n9\\n9\\n' | sort -un; printf '1K\\n2\\n1M\\n' | sort -rh; printf 'b:1\\na:2\\n' | sort -t: -k2 -r",
      '9\n10\n1M\n1K\n2\na:2\nb:1\n',
    ],
    ["printf 'a\\na\\nb\\n' | uniq -c; printf 'b\\na\\nb\\n' | sort | uniq -d", '      2 a\n      1 b\nb\n'],
    [
      'head -c 5 /proc/vmstat; echo; tail -n +4 /proc/vmstat; head -1 /proc/vmstat; tail -1 /a /b',
      'nr_fr\npgscan_kswapd 3\npgscan_direct 4\nnr_free_pages 10\n==> /a <==\nx y 1\n\n==> /b <==\nx y 4\n',
    ],
    [
      "seq 5 | head -n -3; seq 5 | tail -2; printf 'a:b:c\\n' | cut -d: -f1,3; echo hello | cut -c2-4",
      '1\n2\n4\n5\na:c\nell\n',
    ],
    [
      "echo a_b | tr '_' ' '; echo abc | tr a-c A-C; echo 'a  b' | tr -s ' '; echo a1b2 | tr -d '[:digit:]'; printf 'a b' | tr ' ' '\\n'",
      'a b\nABC\na b\nab\na\nb',
    ],
    ['wc -l < /proc/vmstat; echo one two | wc; printf "a\\nb" | wc -l', '5\n      1       2       8\n1\n'],
    [
      "printf '1\\n2\\n' | paste -sd+; echo abc | rev; seq 3 | tac; printf 'x\\ny\\n' | nl",
      '1+2\ncba\n3\n2\n1\n     1\tx\n     2\ty\n',
    ],
    ['diff /a /b; diff /a /a && echo same', '1c1\n< x y 1\n---\n> x y 4\nsame\n'],
    [
      'echo 1 2 3 | xargs -n1 echo n; printf "a\\nb\\n" | xargs -I{} echo "<{}>"; echo x | xargs nosuch; echo $?',
      'n 1\nn 2\nn 3\n<a>\n<b>\nxargs: nosuch: No such file or directory\n127\n',
    ],
    [
      "find /proc/sys -type f -name 'sw*'; find /proc/sys -maxdepth 1; find /a -exec cat {} \\;",
      '/proc/sys/vm/swappiness\n/proc/sys\n/proc/sys/vm\nx y 1\n',
    ],
    ['basename /a/b.c .c; dirname /a/b/c; echo hello | tee /tmp/t | wc -c; cat /tmp/t', 'b\n/a/b\n6\nhello\n'],
    ['sort --nope', "sort: unrecognized option '--nope'\nTry 'sort --help' for more information.\n"],
  ],
  awk: [
    ['cat /proc/100/stat | awk \'{print "Minor:", $10, "Major:", $12}\'', 'Minor: 10 Major: 2\n'],
    [
      'cat /proc/vmstat | awk -v F=/out/v0 \'BEGIN{while((getline l < F)>0){split(l,a," ");o[a[1]]=a[2]}} {if($2!=o[$1] && $1 !~ /^nr_(free|zone)/) print $1, $2-o[$1]}\'',
      'pgfault 6\npgscan_kswapd 3\npgscan_direct 4\n',
    ],
    ['awk \'NR==FNR{o[$1" "$2]=$3;next}{d=$3-o[$1" "$2]; if(d) print $1,$2,d}\' /a /b', 'x y 3\n'],
    [
      "cat /proc/[0-9]*/status 2>/dev/null | awk '/^Name:/{n=$2}/^Pid:/{p=$2}/^VmRSS/{print p,n,$2}'",
      '100 bash 1000\n',
    ],
    [
      'printf \'Node 0, zone   DMA\\n  pages free     33\\n        min      3\\n\' | awk \'/^Node/{z=$2$4; gsub(",","",z)} /pages free/{print z,"free",$3} /^ +(min|low|high) /{print z,$1,$2}\'',
      '0DMA free 33\n0DMA min 3\n',
    ],
    [
      'awk \'BEGIN{printf "%5.2f|%-5s|%05d|%x\\n", 3.14159, "ab", 42, 255; print length("abc"), substr("hello",2,3), index("abc","c"), toupper("x"), 1e6, 0.1+0.2, 2^10, 7/2, -3%2}\'',
      ' 3.14|ab   |00042|ff\n3 ell 3 X 1000000 0.3 1024 3.5 -1\n',
    ],
    [
      'awk \'function f(n) { return n<2 ? 1 : n*f(n-1) } BEGIN { print f(5); s="a b c"; n=split(s, q); print n, q[3]; gsub(/b/, "[&]", s); print s; if (match("foobar", /o+/)) print RSTART, RLENGTH }\'',
      '120\n3 c\na [b] c\n2 2\n',
    ],
    [
      "printf 'a:b\\nc:d\\n' | awk -F: '{print $2}'; awk '{ $2=\"Q\"; print; NF=2; print $0 }' /a",
      'b\nd\nx Q 1\nx Q\n',
    ],
    [
      'awk \'BEGIN { while (i++ < 3) { if (i==2) continue; print i } do j++; while (j<5); print j; exit 3 } END { print "end" }\'; echo $?',
      '1\n3\n5\nend\n3\n',
    ],
    [
      "seq 5 | awk 'NR==2,NR==4'; seq 3 | awk '{s+=$1} END{print s, NR, s/NR}'; echo '10 9' | awk '{print ($1>$2), ($1\"\">$2\"\")}'",
      '2\n3\n4\n6 3 2\n1 0\n',
    ],
    [
      'awk \'BEGIN { a["x"]=1; if ("x" in a) print "in"; delete a["x"]; print length(a); for (i=0; i<3; i++) b[i]=i*i; for (k in b) n+=b[k]; print n; print substr("abc",0,2), -2^2, !0 }\'',
      'in\n0\n5\na -4 1\n',
    ],
    [
      'echo \'a b\' | awk \'{print $1 > "/tmp/w"; print $2 > "/tmp/w"}\'; cat /tmp/w; awk \'BEGIN{print "e" > "/dev/stderr"}\' 2>&1',
      'a\nb\ne\n',
    ],
    ["printf '1\\n2\\n3\\n' | awk '{a=$1; getline; print a\"-\"$1}'", '1-2\n3-3\n'],
    [
      "awk '{'; awk 'BEGIN{print 1/0}'; awk '{print}' /nope",
      'awk: syntax error at or near end of program\nawk: division by zero\nawk: /nope: No such file or directory\n',
    ],
  ],
}

describe.each(Object.entries(CASES))('%s', (_, rows) => {
  test.each(rows)('%s', async (typed, printed) => {
    const s = testSession()
    for (const [path, text] of Object.entries({
      '/proc/vmstat': VMSTAT,
      '/proc/sys/vm/swappiness': '60\n',
      '/proc/sys/vm/min_free': '1\t2\n',
      '/out/v0': 'pgfault 4\npgmajfault 2\n',
      '/a': 'x y 1\n',
      '/b': 'x y 4\n',
    }))
      s.machine.addFile(path, text)
    expect(await s.run(typed)).toBe(printed)
  })
})
