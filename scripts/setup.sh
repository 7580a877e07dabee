# Sourced by the scripts beside it: what a plain Debian lacks, and the virtual environment in .venv, or where the script
# says in OWN_VENV before it sources this.
#
# Everything is done once: a stamp in it holds the hash of what it was made from, and a second run finds it and does
# nothing. Packages come from whatever index pip is configured for; the lock files hold the hashes of the files.
# shellcheck shell=bash

readonly VENV=${OWN_VENV:-.venv}
readonly SCRIPT=scripts/${0##*/}
readonly WANTED_PYTHON=${PYTHON:-}
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

fail() {
    printf '\n%s: %s\n' "$SCRIPT" "$1" >&2
    exit 1
}

# step WORDS COMMAND...: one line with a dot every three seconds; the command's output is shown only when it fails.
step() {
    local words=$1 output begin=$SECONDS status=0 ticker
    shift
    output=$(mktemp)
    printf '%s ' "$words"
    # "read -t" on a pipe in which nothing is ever written: a sleep would be left behind when the ticker is killed.
    (while kill -0 $$ 2>/dev/null; do read -r -t 3 <> <(:) || printf .; done) &
    ticker=$!
    "$@" >"$output" 2>&1 </dev/null || status=$?
    kill "$ticker"
    wait "$ticker" 2>/dev/null || true
    if ((status == 0)); then
        printf ' ok (%d s)\n' $((SECONDS - begin))
    else
        printf ' FAILED (%d s)\n' $((SECONDS - begin))
        cat "$output"
    fi
    rm -f "$output"
    return "$status"
}

# find_python: sets PYTHON to a Python of at least 3.11, at best one that can make virtual environments, or to nothing.
# What the caller's environment has as PYTHON is the only candidate then.
find_python() {
    local candidate without_venv=
    for candidate in ${WANTED_PYTHON:-python3.11 python3.12 python3.13 python3.14 python3 /usr/bin/python3}; do
        # Tried and not only looked for: the stand-ins of version managers exist also for versions that do not.
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
            PYTHON=$candidate
            return
        fi
        without_venv=${without_venv:-$candidate}
    done
    PYTHON=$without_venv
}

# install_missing COMMAND=PACKAGE...: by apt, the packages of commands that are not there, and what Python lacks.
# Sets PYTHON.
install_missing() {
    local pair
    PACKAGES=()
    find_python
    if [[ -z $PYTHON ]]; then
        PACKAGES+=(python3 python3-venv)
    elif ! "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null; then
        PACKAGES+=(python3-venv)
    fi
    for pair in "$@"; do
        command -v "${pair%%=*}" >/dev/null || PACKAGES+=("${pair#*=}")
    done
    install_packages
    find_python
    [[ -n $PYTHON ]] || fail "no Python 3.11 or newer is found${WANTED_PYTHON:+ at $WANTED_PYTHON}: set PYTHON=/path/to/python3.11"
}

# install_packages: by apt, those in the array PACKAGES, as root or by sudo.
install_packages() {
    ((${#PACKAGES[@]})) || return 0
    local by_root=() command="apt-get update && apt-get install --no-install-recommends ${PACKAGES[*]}"
    local missing="these Debian packages are missing: ${PACKAGES[*]}"
    command -v apt-get >/dev/null || fail "$missing
There is no apt-get here: install what corresponds to them, then run $SCRIPT again."
    if ((EUID != 0)); then
        if ! may_sudo; then
            fail "$missing
Installing them takes root, and there is no sudo that would do it. Have root run this, then run $SCRIPT again:

    $command"
        fi
        by_root=(sudo)
    fi
    step "installing Debian packages: ${PACKAGES[*]}" apt_get_install "${by_root[@]}" || fail "$missing
apt could not install them; its words are above. By hand:

    $command"
    PACKAGES=()
}

# Where nobody can type a password, sudo must do without one.
may_sudo() {
    command -v sudo >/dev/null || return 1
    if [[ -t 0 && -t 2 ]]; then sudo -v; else sudo -n true 2>/dev/null; fi
}

# The package lists of a new machine are empty or old: then they are fetched and it is tried once more.
apt_get_install() {
    local install=("$@" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${PACKAGES[@]}")
    "${install[@]}" || { "$@" apt-get update && "${install[@]}"; }
}

# unpack_nginx: the program alone, of Debian's package, into .venv. Installed it would start a server on port 80.
unpack_nginx() {
    PATH=$PATH:/usr/sbin command -v nginx >/dev/null || [[ -x $VENV/debian/usr/sbin/nginx ]] && return
    step "unpacking Debian's nginx" unpack nginx || fail "apt could not fetch the package nginx; its words are above"
}

unpack() {
    local there status=0
    there=$(mktemp -d)
    (cd "$there" && { apt-get download "$1" || { apt-get update && apt-get download "$1"; }; }) &&
        dpkg-deb --extract "$there/$1"_*.deb $VENV/debian || status=$?
    rm -rf "$there"
    return "$status"
}

# make_environment dev|demo|bench: it has what requirements/dev.txt, demo.txt or bench.txt lists, and this project, editable.
# demo.txt is a part of dev.txt, so an environment for dev serves for demo too.
make_environment() {
    local kind=$1 wanted
    wanted=$(sha256sum <requirements/"$kind".txt)
    if ! stamped "$kind" "$wanted"; then
        make_venv "$kind"
        rm -f $VENV/stamp-dev $VENV/stamp-project
        step "installing the packages of requirements/$kind.txt" \
            $VENV/bin/python -m pip install --require-hashes --no-deps --requirement requirements/"$kind".txt ||
            fail "the packages could not be installed; pip's words are above"
        echo "$wanted" >"$VENV/stamp-$kind"
        [[ $kind != dev ]] || sha256sum <requirements/demo.txt >$VENV/stamp-demo
    fi
    wanted=$(sha256sum <pyproject.toml)
    if ! stamped project "$wanted"; then
        step "installing wsgid itself, editable" \
            $VENV/bin/python -m pip install --no-deps --no-build-isolation --editable . ||
            fail "wsgid could not be installed; pip's words are above"
        echo "$wanted" >$VENV/stamp-project
    fi
}

stamped() {
    [[ -x $VENV/bin/python && -e $VENV/stamp-$1 && $(<"$VENV/stamp-$1") == "$2" ]]
}

# A new one, unless there is one of today's lock file or of the other kind, which a demo may be running from.
make_venv() {
    if [[ ! -e $VENV/stamp-$1 ]] && $VENV/bin/python -m pip --version >/dev/null 2>&1; then
        return
    fi
    step "making a virtual environment in $VENV ($("$PYTHON" --version))" "$PYTHON" -m venv --clear $VENV ||
        fail "the virtual environment could not be made; the reason is above"
}
