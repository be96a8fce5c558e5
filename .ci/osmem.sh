#!/usr/bin/env bash
# Installs osmem-server, an emulator of OpenSearch by others that listens on loopback and keeps everything in memory, and
# prints where its program is. It has a virtual environment of its own in a cache folder (MUNIMENT_LIVE_CACHE), which
# stays between runs; version and digests are in the lock file beside this script.
set -euo pipefail
lock=$(cd "$(dirname "${BASH_SOURCE[0]}")/osmem" && pwd)/requirements.txt
cache=${MUNIMENT_LIVE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/muniment-live}/osmem
exec </dev/null

# What is there is used only where its lock file is the one that was installed last.
if ! cmp --silent "$lock" "$cache/installed.txt"; then
    rm -rf "$cache"
    python3 -m venv "$cache"
    "$cache/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: \
        --requirement "$lock" >&2
    cp "$lock" "$cache/installed.txt"
fi

"$cache/bin/python" -c 'import osmem_server; print(osmem_server.resolve_binary())'
