#!/usr/bin/env bash
# Installs the tools of others that the live tests hold an export against, and prints where their programs are:
# ocfl-py, py-wacz, FastWARC and pywb. They bring libraries that do not go with ours, so they have a virtual environment
# of their own in a cache folder (MUNIMENT_LIVE_CACHE), which stays between runs; versions and digests are in the lock
# file beside this script.
set -euo pipefail
lock=$(cd "$(dirname "${BASH_SOURCE[0]}")/export" && pwd)/requirements.txt
cache=${MUNIMENT_LIVE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/muniment-live}/export
exec </dev/null

# What is there is used only where its lock file is the one that was installed last.
if ! cmp --silent "$lock" "$cache/installed.txt"; then
    rm -rf "$cache"
    python3 -m venv "$cache"
    # pywb and bagit come as source and are built with what the lock file names last.
    grep -A 99 '^setuptools==' "$lock" >"$cache/builder.txt"
    "$cache/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
        --requirement "$cache/builder.txt" >&2
    "$cache/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
        --no-build-isolation --requirement "$lock" >&2
    cp "$lock" "$cache/installed.txt"
fi

echo "$cache/bin"
