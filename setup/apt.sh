# Unpack Debian packages into a folder. Nothing is installed and nobody needs to be root: apt works
# with package lists and a cache of its own in a folder that is thrown away afterwards.
# Sourced by the scripts beside it, which name in $work a folder for that.

# private_apt ARCH SOURCES COMMAND...: apt-get for ARCH with the sources file SOURCES
# ("" for the sources that this system has).
private_apt() {
    arch=$1 sources=$2
    shift 2
    lists="$work/lists-$arch${sources:+-named}"
    mkdir -p "$lists/partial" "$work/cache/archives/partial"
    if [ -n "$sources" ]; then
        set -- -o Dir::Etc::SourceList="$sources" -o Dir::Etc::SourceParts=/dev/null "$@"
    fi
    apt-get -q -o Dir::State::Lists="$lists" -o Dir::Cache="$work/cache" \
        -o APT::Architecture="$arch" -o APT::Architectures="$arch" \
        -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

# unpack_packages ARCH SOURCES INTO PACKAGE...: the files of the packages, unpacked into INTO.
unpack_packages() {
    arch=$1 sources=$2 into=$3
    shift 3
    debs=$(mktemp -d "$work/debs.XXXXXX") || return 1
    private_apt "$arch" "$sources" update >"$work/log" 2>&1 &&
        (cd "$debs" && private_apt "$arch" "$sources" download "$@") >>"$work/log" 2>&1 ||
        { tail -n 5 "$work/log" >&2; return 1; }
    mkdir -p "$into"
    for deb in "$debs"/*.deb; do
        dpkg-deb -x "$deb" "$into" || return 1
    done
}

# unpack_source SOURCES INTO PACKAGE: a source package as its authors released it, in a folder of
# its own in INTO.
unpack_source() {
    sources=$1 into=$2 package=$3
    archives=$(mktemp -d "$work/archives.XXXXXX") || return 1
    private_apt amd64 "$sources" update >"$work/log" 2>&1 &&
        (cd "$archives" && private_apt amd64 "$sources" source --download-only "$package") \
            >>"$work/log" 2>&1 || { tail -n 5 "$work/log" >&2; return 1; }
    mkdir -p "$into"
    # By Python: the programs for its compression may be missing.
    python3 -m tarfile -e "$archives"/*.orig.tar.* "$into"
}
