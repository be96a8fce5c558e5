#!/usr/bin/env bash
# Installs the S3-compatible storage that the tests of segments in a bucket ask, and prints where: SeaweedFS, one
# program of 150 MB with a real Object Lock. It goes into a virtual environment of its own below a cache folder
# (MUNIMENT_LIVE_CACHE) and stays there between runs; version and digests are in the lock file beside this script.
set -euo pipefail
lock=$(cd "$(dirname "${BASH_SOURCE[0]}")/seaweed" && pwd)/requirements.txt
cache=${MUNIMENT_LIVE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/muniment-live}/seaweed
exec </dev/null

# What is there is used only where its lock file is the one that was installed last.
if ! cmp --silent "$lock" "$cache/installed.txt"; then
    rm -rf "$cache"
    python3 -m venv "$cache"
    "$cache/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
        --only-binary :all: --requirement "$lock" >&2
    cp "$lock" "$cache/installed.txt"
fi

echo "$cache"
