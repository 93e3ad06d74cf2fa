#!/bin/sh
# Make the virtual environment .venv: setup/venv.sh PYTHON
# Debian's and Ubuntu's Python comes without pip unless python3-venv is installed. Then pip is
# unpacked from their package of its wheel, so that nothing has to be installed as root.
set -eu
cd "$(dirname "$0")/.."
python=$1

fail() {
    echo "setup: $*" >&2
    exit 1
}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    fail "$python is not Python 3.11 or newer; name one, for example: make PYTHON=python3.12"
[ -x .venv/bin/python ] && .venv/bin/python -m pip --version >/dev/null 2>&1 && exit 0

rm -rf .venv
if "$python" -c 'import ensurepip' 2>/dev/null; then
    exec "$python" -m venv .venv
fi

command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
    fail "$python has no ensurepip and there is no apt to fetch pip with; install pip for it"
echo "setup: $python has no ensurepip; unpacking pip from its package"
mkdir -p .cache
work=$(mktemp -d "$PWD/.cache/pip.XXXXXX")
trap 'rm -rf "$work"' EXIT
. setup/apt.sh
unpack_packages "$(dpkg --print-architecture)" "" "$work/root" python3-pip-whl ||
    fail "pip could not be fetched (see above); 'apt install python3-venv' is the other way"
set -- "$work"/root/usr/share/python-wheels/pip-*.whl
"$python" -m venv --without-pip .venv
.venv/bin/python "$1/pip" install -qq --no-index "$1"
