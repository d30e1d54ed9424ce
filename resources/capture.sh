#!/bin/sh
# Describes this machine for Pagewalk: copies files of /proc and /sys into a tar. Run it as root, or the kernel hides the
# addresses of RAM. It reads only; no process, user, network or file of yours is in it (look: tar tf, tar xf).
#
#   sh capture.sh [FILE.tar]        then:  pagewalk import FILE.tar
set -eu
umask 077

out=${1:-pagewalk-capture.tar}
case $out in /*) ;; *) out=$PWD/$out ;; esac
tmp=$(mktemp -d "${TMPDIR:-/tmp}/pagewalk-capture.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

[ -r /proc/zoneinfo ] || { echo "capture.sh: /proc/zoneinfo cannot be read: is this Linux?" >&2; exit 2; }
[ "$(id -u)" = 0 ] || echo "capture.sh: not root: addresses of RAM will be missing unless the boot log can be read" >&2

# Pseudo-files have no size before they are read, so they are copied one by one. A file that is absent or refused is left out.
copy() {
  mkdir -p "$tmp/${1%/*}"
  cat "/$1" > "$tmp/$1" 2>/dev/null || rm -f "$tmp/$1"
}

for f in zoneinfo meminfo iomem cmdline version cpuinfo swaps buddyinfo pagetypeinfo vmstat; do copy "proc/$f"; done
for f in /proc/sys/vm/*; do
  case $f in */compact_memory | */drop_caches | */stat_refresh) ;; *) copy "${f#/}" ;; esac
done
for n in /sys/devices/system/node/node[0-9]*; do
  for f in cpulist distance meminfo; do [ -e "$n/$f" ] && copy "${n#/}/$f"; done
done
for f in /sys/kernel/mm/transparent_hugepage/enabled /sys/kernel/mm/lru_gen/enabled /sys/block/*/queue/rotational; do
  [ -e "$f" ] && copy "${f#/}"
done
# Only the lines about the hardware and memory of the boot.
if dmesg > "$tmp/dmesg.all" 2>/dev/null; then
  grep -E 'Linux version|ommand line:|BIOS-e820|DMI:|RAMDISK|SRAT: Node|node +[0-9]+: \[mem|Freeing (unused|initrd)|smpboot: CPU0|logical blocks' \
    "$tmp/dmesg.all" > "$tmp/dmesg.txt" || true
fi
rm -f "$tmp/dmesg.all"

(cd "$tmp" && tar cf "$out" ./*)
echo "$out: $(tar tf "$out" | grep -vc '/$') files"
