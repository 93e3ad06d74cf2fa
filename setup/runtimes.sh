#!/bin/sh
# Put the runtimes that only the tests need, and that PyPI lacks, into .cache:
#   .cache/micropython32/mpy32       MicroPython with 32-bit words, like the S3's
#   .cache/qemu/qemu-xtensa-static   runs Xtensa machine code
#   .cache/xtensa-gcc/cc1, as, ld    make it out of C: only to count what MicroPython's own C costs
#   .cache/mbedtls                   the C of MicroPython's AES and SHA-256
#   .cache/valgrind/valgrind         counts instructions of 32-bit MicroPython, by C function
#   .cache/micropython-chip          MicroPython with an ESP32-S3's memory, built by setup/chip.sh
# All but the last are Debian's, unpacked and not installed. Where they can't be had, this says why and
# succeeds all the same: the tests that need them are skipped.
set -eu
cd "$(dirname "$0")/.."

release=trixie # the first Debian with a MicroPython (1.25) whose viper compiles the kernels
micropython="micropython libc6 libffi8 libmbedcrypto16 libmbedtls21 libmbedx509-7 libgcc-s1"
compiler="gcc-xtensa-lx106 binutils-xtensa-lx106 picolibc-xtensa-lx106-elf"
compiler_needs="libc6 libgcc-s1 libgmp10 libisl23 libmpc3 libmpfr6 libstdc++6 libzstd1 zlib1g"
cache=$PWD/.cache

give_up() {
    echo "setup: $*" >&2
    echo "setup: the tests that need a missing runtime will be skipped" >&2
    exit 0
}

. setup/chip.sh
[ -x "$cache/micropython32/mpy32" ] && [ -x "$cache/qemu/qemu-xtensa-static" ] &&
    [ -x "$cache/xtensa-gcc/cc1" ] && [ -d "$cache/mbedtls" ] &&
    [ -x "$cache/valgrind/valgrind" ] && chip_is_built && exit 0
what="the 32-bit MicroPython, QEMU, valgrind and the Xtensa compiler"
[ "$(uname -sm)" = "Linux x86_64" ] ||
    give_up "$what are fetched for Linux on x86-64 only, this is $(uname -sm)"
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
    give_up "$what are fetched with apt, which this system lacks"

mkdir -p "$cache"
work=$(mktemp -d "$cache/runtimes.XXXXXX")
trap 'rm -rf "$work"' EXIT
. setup/apt.sh

# A Debian mirror: the one named, else the one that this system's apt uses.
mirror=${BLUERING_DEBIAN_MIRROR:-}
if [ -z "$mirror" ]; then
    private_apt amd64 "" update >"$work/log" 2>&1 || true
    mirror=$(private_apt amd64 "" indextargets --format '$(REPO_URI)' \
        'Origin: Debian' 'Label: Debian' | head -n 1)
fi
[ -n "$mirror" ] || give_up "this system's apt has no Debian mirror for $what" \
    "(Ubuntu doesn't); name one in BLUERING_DEBIAN_MIRROR"

# Debian's signing keys: the system's, else from its package (Ubuntu has that).
keys=/usr/share/keyrings/debian-archive-keyring.gpg
if [ ! -e "$keys" ]; then
    unpack_packages amd64 "" "$work/keys" debian-archive-keyring ||
        give_up "Debian's signing keys could not be fetched (see above)"
    keys=$work/keys$keys
fi
echo "deb [signed-by=$keys] $mirror $release main" >"$work/sources.list"
echo "deb-src [signed-by=$keys] $mirror $release main" >"$work/source-packages.list"

# keep BUILT NAME: a finished folder takes its name in one step, so that none is ever half there.
keep() {
    rm -rf "${cache:?}/$2"
    mv "$1" "$cache/$2"
    echo "setup: .cache/$2 is ready"
}

if [ ! -x "$cache/micropython32/mpy32" ]; then
    built=$work/micropython32
    # shellcheck disable=SC2086 # a list of names
    unpack_packages i386 "$work/sources.list" "$built" $micropython ||
        give_up "the 32-bit MicroPython could not be fetched (see above)"
    cat >"$built/mpy32" <<'WRAPPER'
#!/bin/sh
# MicroPython for i386 with its own loader and libraries, wherever this folder lies.
here=$(dirname "$(readlink -f "$0")")/usr
exec "$here/lib/ld-linux.so.2" --library-path "$here/lib/i386-linux-gnu" "$here/bin/micropython" "$@"
WRAPPER
    chmod +x "$built/mpy32"
    [ "$("$built/mpy32" -c 'import sys; print(sys.maxsize)')" = 2147483647 ] ||
        give_up "the 32-bit MicroPython doesn't run here (does this kernel run i386 programs?)"
    keep "$built" micropython32
fi

if [ ! -x "$cache/qemu/qemu-xtensa-static" ]; then
    unpack_packages amd64 "$work/sources.list" "$work/qemu-user" qemu-user ||
        give_up "QEMU could not be fetched (see above)"
    mkdir "$work/qemu"
    mv "$work/qemu-user/usr/bin/qemu-xtensa" "$work/qemu/qemu-xtensa-static"
    "$work/qemu/qemu-xtensa-static" --version >/dev/null || give_up "QEMU for Xtensa doesn't run here"
    keep "$work/qemu" qemu
fi

if [ ! -x "$cache/xtensa-gcc/cc1" ]; then
    # shellcheck disable=SC2086 # lists of names
    unpack_packages amd64 "$work/sources.list" "$work/gcc" $compiler $compiler_needs ||
        give_up "the Xtensa compiler could not be fetched (see above)"
    built=$work/xtensa-gcc
    mkdir -p "$built/libexec" "$built/lib" "$built/libc"
    mv "$work"/gcc/usr/lib/gcc/*/*/cc1 "$built/libexec"
    mv "$work"/gcc/usr/lib/gcc/*/*/include "$work"/gcc/usr/lib/gcc/*/*/libgcc.a "$built"
    mv "$work"/gcc/usr/lib/xtensa-lx106-elf/include/release "$built/libc/include"
    mv "$work"/gcc/usr/lib/xtensa-lx106-elf/lib/release/libc.a "$built/libc"
    mv "$work"/gcc/usr/lib/x86_64-linux-gnu/*.so.* "$built/lib"
    for tool in as ld; do
        mv "$work/gcc/usr/bin/xtensa-lx106-elf-$tool" "$built/libexec/$tool"
    done
    cat >"$built/cc1" <<'WRAPPER'
#!/bin/sh
# One of the compiler's programs with its own loader and libraries, wherever this folder lies.
here=$(dirname "$(readlink -f "$0")")
exec "$here/lib/ld-linux-x86-64.so.2" --library-path "$here/lib" "$here/libexec/${0##*/}" "$@"
WRAPPER
    chmod +x "$built/cc1"
    cp "$built/cc1" "$built/as"
    cp "$built/cc1" "$built/ld"
    "$built/ld" --version >/dev/null && "$built/as" --version >/dev/null &&
        "$built/cc1" -quiet -version /dev/null -o /dev/null 2>/dev/null ||
        give_up "the Xtensa compiler doesn't run here"
    keep "$built" xtensa-gcc
fi

if [ ! -d "$cache/mbedtls" ]; then
    unpack_source "$work/source-packages.list" "$work/mbedtls" mbedtls ||
        give_up "mbedTLS's source could not be fetched (see above)"
    mkdir "$work/kept"
    mv "$work"/mbedtls/*/include "$work"/mbedtls/*/library "$work"/mbedtls/*/LICENSE "$work/kept"
    keep "$work/kept" mbedtls
fi

if [ ! -x "$cache/valgrind/valgrind" ]; then
    unpack_packages amd64 "$work/sources.list" "$work/valgrind" valgrind ||
        give_up "valgrind could not be fetched (see above)"
    rm -rf "$work/valgrind/usr/share"
    cat >"$work/valgrind/valgrind" <<'WRAPPER'
#!/bin/sh
# Valgrind with its own tools, wherever this folder lies.
here=$(dirname "$(readlink -f "$0")")/usr
VALGRIND_LIB=$here/libexec/valgrind exec "$here/bin/valgrind.bin" "$@"
WRAPPER
    chmod +x "$work/valgrind/valgrind"
    "$work/valgrind/valgrind" --version >/dev/null || give_up "valgrind doesn't run here"
    keep "$work/valgrind" valgrind
fi

chip_is_built || build_chip_runtime ||
    give_up "MicroPython with the chip's memory could not be built (see above)"
