#!/usr/bin/env bash
# Everything Doer needs on Debian or Ubuntu: system packages (through apt, as root or with sudo that
# asks nothing) and a virtual environment in .venv with the pinned packages. Elsewhere, and without
# those rights, it says what to install and stops. Safe to run again.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }
stop() { printf 'setup: %s\n' "$@" >&2; exit 1; }

python_at_least_311() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if python_at_least_311 "$name"; then echo "$name"; return; fi
    done
    return 1
}

# A browser counts when it starts: Ubuntu's chromium-browser without snap is a script that only
# prints how to install the snap.
find_chromium() {
    local name
    for name in "${DOER_CHROMIUM:-}" chromium chromium-browser \
        google-chrome-stable google-chrome chrome; do
        if [ -n "$name" ] && timeout 30 "$name" --version </dev/null >/dev/null 2>&1; then
            echo "$name"; return
        fi
    done
    return 1
}

has_fonts() { fc-list 2>/dev/null | grep -q . || ls /usr/share/fonts/truetype/*/*.ttf >/dev/null 2>&1; }

# What a whole computer's desktop is made of (a computer without a screen needs none of it).
DESKTOP=(tigervnc-standalone-server openbox xterm pcmanfm libseccomp2 curl procps fontconfig
    fonts-wqy-microhei fonts-noto-color-emoji)

has_desktop() {
    local name
    for name in Xvnc openbox xterm pcmanfm curl pgrep; do
        command -v "$name" >/dev/null || return 1
    done
    fc-list :lang=zh 2>/dev/null | grep -q . || return 1
    ldconfig -p | grep -q 'libseccomp\.so\.2'
}

is_ubuntu() { grep -qs '^ID=ubuntu' /etc/os-release; }

# Prints how to run apt ("env" as root, "sudo -n env" otherwise); fails when there is no way.
as_root() {
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" = 0 ]; then echo env; return; fi
    sudo -n true 2>/dev/null && echo "sudo -n env"
}

apt_install() {
    local root=$1; shift
    say "installing $*"
    $root apt-get update -qq &&
        $root DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

system_packages() {
    local python=$1 needed=() wanted=() root
    "$python" -c 'import ensurepip, venv' 2>/dev/null || needed+=("${python##*/}-venv")
    find_chromium >/dev/null || needed+=(chromium)
    command -v bwrap >/dev/null || wanted+=(bubblewrap)
    has_fonts || wanted+=(fonts-dejavu-core fonts-liberation)
    has_desktop || wanted+=("${DESKTOP[@]}")
    if [ ${#needed[@]} = 0 ] && [ ${#wanted[@]} = 0 ]; then return; fi

    if is_ubuntu && [[ " ${needed[*]-} " == *" chromium "* ]]; then
        stop "no Chromium or Chrome that starts was found, and Ubuntu has Chromium as a snap only." \
            "Install Google Chrome (its .deb), or set DOER_CHROMIUM=/path/to/chromium; then run make again."
    fi
    if root=$(as_root) && apt_install "$root" "${needed[@]}" "${wanted[@]}"; then return; fi
    if [ ${#needed[@]} = 0 ]; then
        say "not installed, better to have: ${wanted[*]}"
        return
    fi
    stop "these system packages are missing and cannot be installed from here." \
        "On Debian or Ubuntu:  sudo apt-get install ${needed[*]} ${wanted[*]-}" \
        "A browser that is somewhere else: set DOER_CHROMIUM=/path/to/chromium. Then run make again."
}

virtual_environment() {
    local python=$1
    if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        say "making .venv with $("$python" --version)"
        "$python" -m venv --clear .venv
    fi
    say "installing the pinned packages (minutes the first time)"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check \
        --constraint constraints.txt --editable '.[train,miniwob,gym,dev]'
}

python=$(find_python) || stop "Python 3.11 or newer is missing" \
    "on Debian or Ubuntu: sudo apt-get install python3 python3-venv"
system_packages "$python"
virtual_environment "$python"
touch .venv/.ready
say "ready"
