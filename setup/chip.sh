# Build MicroPython with an ESP32-S3's memory (tests/targets/chip_runtime). Sourced by runtimes.sh.

chip_sources=tests/targets/chip_runtime
chip_compiler="gcc-14-i686-linux-gnu cpp-14-i686-linux-gnu binutils-i686-linux-gnu
    libgcc-14-dev-i386-cross libgcc-s1-i386-cross libc6-dev-i386-cross libc6-i386-cross
    linux-libc-dev-i386-cross"
chip_compiler_needs="libc6 libgcc-s1 libgmp10 libisl23 libjansson4 libmpc3 libmpfr6 libsframe1
    libstdc++6 libzstd1 zlib1g"

# chip_sum: of what it is built from in this project.
chip_sum() {
    cat setup/chip.sh "$chip_sources"/*.[ch] "$chip_sources"/*.mk | cksum
}

# chip_is_built: whether that is what the cache holds.
chip_is_built() {
    [ "$(chip_sum)" = "$(cat "$cache/micropython-chip/sources" 2>/dev/null)" ]
}

# unpack_chip_compiler INTO: gcc for i386 as INTO/gcc, its programs with their own loader.
unpack_chip_compiler() {
    # shellcheck disable=SC2086 # lists of names
    unpack_packages amd64 "$work/sources.list" "$1/root" $chip_compiler $chip_compiler_needs ||
        return 1
    for program in "$1"/root/usr/libexec/gcc-cross/i686-linux-gnu/*/cc1 \
        "$1"/root/usr/libexec/gcc-cross/i686-linux-gnu/*/collect2 \
        "$1"/root/usr/bin/i686-linux-gnu-as "$1"/root/usr/bin/i686-linux-gnu-ld \
        "$1"/root/usr/bin/i686-linux-gnu-gcc-*[0-9]; do
        name=${program##*/i686-linux-gnu-}
        name=${name##*/}
        case $name in gcc-ar* | gcc-nm* | gcc-ranlib*) continue ;; gcc-*) name=gcc ;; esac
        cat >"$1/$name" <<WRAPPER
#!/bin/sh
exec "$1/root/usr/lib64/ld-linux-x86-64.so.2" --library-path \
    "$1/root/usr/lib/x86_64-linux-gnu" "$program" $([ "$name" = gcc ] && echo "-B$1") "\$@"
WRAPPER
        chmod +x "$1/$name"
    done
}

# build_chip_runtime: .cache/micropython-chip. Returns 1 where that fails, having said why.
build_chip_runtime() {
    unpack_chip_compiler "$work/i386-gcc" || return 1
    unpack_source "$work/source-packages.list" "$work/micropython" micropython || return 1
    tree=$(echo "$work"/micropython/*)
    mkdir -p "$tree/ports/unix/variants/chip" "$tree/lib/mbedtls"
    cp "$chip_sources"/*.[ch] "$chip_sources"/*.mk "$tree/ports/unix/variants/chip"
    cp -r "$cache/mbedtls/include" "$cache/mbedtls/library" "$tree/lib/mbedtls"
    # Symbols stay: profilers name functions, without this folder. Static: it runs without i386
    # libraries.
    make -C "$tree/ports/unix" -j2 VARIANT=chip CC="$work/i386-gcc/gcc" CWARN= STRIP= SIZE=true \
        OBJCOPY=true COPT="-O2 -DNDEBUG -fdata-sections -ffunction-sections \
            -ffile-prefix-map=$tree=micropython" \
        LDFLAGS_EXTRA=-static >"$work/log" 2>&1 || { tail -n 5 "$work/log" >&2; return 1; }
    mkdir "$work/chip"
    cp "$tree/ports/unix/build-chip/micropython" "$tree/LICENSE" "$work/chip"
    [ "$("$work/chip/micropython" -c 'import chip_pool, sys; print(sys.maxsize)')" = 2147483647 ] ||
        return 1
    chip_sum >"$work/chip/sources"
    keep "$work/chip" micropython-chip
}
