#!/bin/bash
# Runs the tests of the core on the AVX-512 kernels in an emulated processor, for machines that have
# none: boots Debian's kernel with nothing but the tests in Bochs. Exits with 0 if they passed, with 77
# if something it needs is not to be had.
#
# Needs g++ and Debian's packages bochs bochs-term cpio isolinux syslinux-common xorriso, and
# downloads the kernel package.
set -euo pipefail
export LC_ALL=C

tests=(core_test algebra_test blend_test outline_test)
limit=600  # seconds for the emulator
csrc=$(cd "$(dirname "$0")/.." && pwd)

skip() {
  echo "skipped: $1"
  exit 77
}

for tool in g++ bochs cpio xorriso apt-get apt-cache dpkg; do
  command -v "$tool" >/dev/null || skip "there is no $tool"
done
isolinux=/usr/lib/ISOLINUX/isolinux.bin
ldlinux=/usr/lib/syslinux/modules/bios/ldlinux.c32
vgabios=/usr/share/vgabios/vgabios.bin
for file in "$isolinux" "$ldlinux" "$vgabios"; do
  [[ -f $file ]] || skip "there is no $file"
done
compgen -G '/usr/lib/*/bochs/plugins/libbx_term_gui.so' >/dev/null ||
  skip "there is no bochs-term, the display that needs no screen"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir root disc

meta=linux-image-cloud-amd64  # names the current kernel package
package=$(apt-cache depends "$meta" 2>/dev/null | awk '$1 == "Depends:" { print $2; exit }') || true
[[ -n $package ]] || skip "no kernel package is known (apt-get update?)"
apt-get -qq download "$package" 2>/dev/null || skip "$package can't be downloaded"
dpkg -x "$package"_*.deb kernel
cp kernel/boot/vmlinuz-* disc/vmlinuz
cp "$isolinux" "$ldlinux" disc

mkdir core
(cd core && g++ -std=c++20 -O2 -I "$csrc" -c "$csrc"/*.cc)
for test in "${tests[@]}"; do
  g++ -std=c++20 -O2 -static -pthread -I "$csrc" core/*.o "$csrc/tests/$test.cc" -o "root/$test"
done
g++ -O2 -static -x c++ - -o root/init <<'EOF'
#include <cstdio>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

int main(int count, char** tests) {
  for (int i = 1; i < count; ++i) {
    if (fork() == 0) {
      execl(tests[i], tests[i], "avx512", nullptr);
      _exit(127);
    }
    int status = 0;
    wait(&status);
    std::printf("%s: exit status %d, signal %d\n", tests[i], WEXITSTATUS(status), WTERMSIG(status));
  }
  std::fflush(stdout);
  tcdrain(STDOUT_FILENO);
  reboot(RB_AUTOBOOT);
}
EOF
(cd root && printf '%s\n' init "${tests[@]}" | cpio --quiet -o -H newc) >disc/initrd

# The emulated processor describes its XSAVE areas wrongly if they are compacted or hold protection
# keys, and has fast short moves (fsrm) without fast moves, which Linux takes for impossible; Linux
# must not use these. Linux restarts, at the end or after a panic, by a triple fault.
cat >disc/isolinux.cfg <<EOF
default linux
label linux
kernel vmlinuz
append initrd=initrd console=ttyS0 loglevel=1 mitigations=off clearcpuid=pku,xsaves,xsavec,fsrm panic=-1 reboot=triple -- ${tests[*]}
EOF
xorriso -as mkisofs -quiet -b isolinux.bin -c boot.cat -no-emul-boot -boot-load-size 4 \
  -boot-info-table -o disc.iso disc 2>/dev/null

cat >bochsrc <<EOF
display_library: term
cpu: model=corei7_icelake_u, ips=50000000, reset_on_triple_fault=0
memory: guest=256, host=256
vgaromimage: file=$vgabios
ata0-master: type=cdrom, path=disc.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=serial
log: log
panic: action=fatal
error: action=ignore
info: action=ignore
EOF
# Debian's Bochs waits in its debugger for "c", continue. A triple fault ends it as a failure, at
# times even as a crash, so its exit status tells nothing but that time was up.
status=0
{
  TERM=vt100 timeout --foreground -s KILL "$limit" bochs -q -f bochsrc <<<c || status=$?
} >screen 2>&1

touch serial log
tr -d '\r' <serial | tee output
passed() { [[ $(grep -cx "$1" output) == "${#tests[@]}" ]]; }  # every test said so
if passed 'avx512: checked' && passed '0 failed'; then
  exit 0
fi
if [[ $status == 137 ]]; then
  echo "FAILED: no result within $limit s"
else
  echo "FAILED; the emulator said:"
  tail -n 5 screen log
fi
exit 1
