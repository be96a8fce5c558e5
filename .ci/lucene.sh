#!/usr/bin/env bash
# Installs what the live tests ask Lucene's own classes with, and prints which Python does: JPype, in a virtual
# environment of its own in a cache folder (MUNIMENT_LIVE_CACHE), which stays between runs; versions and digests are in
# the lock file beside this script. Debian brings Lucene and Java: liblucene8-java, default-jre-headless.
set -euo pipefail
lock=$(cd "$(dirname "${BASH_SOURCE[0]}")/lucene" && pwd)/requirements.txt
cache=${MUNIMENT_LIVE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/muniment-live}/lucene
exec </dev/null

# What is there is used only where its lock file is the one that was installed last.
if ! cmp --silent "$lock" "$cache/installed.txt"; then
    rm -rf "$cache"
    python3 -m venv "$cache"
    "$cache/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: \
        --requirement "$lock" >&2
    cp "$lock" "$cache/installed.txt"
fi

echo "$cache/bin/python"
