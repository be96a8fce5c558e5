#!/usr/bin/env bash
# Installs the server that the live test of the Mastodon connector asks, and prints where: mastodon_mock, a stateful
# mock of Mastodon's interface that is not ours. It goes into a virtual environment of its own in a cache folder
# (MUNIMENT_LIVE_CACHE) and stays there between runs; versions and digests are in the lock file beside this script.
set -euo pipefail
lock=$(cd "$(dirname "${BASH_SOURCE[0]}")/mastodon" && pwd)/requirements.txt
cache=${MUNIMENT_LIVE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/muniment-live}/mastodon
exec </dev/null

# What is there is used only where its lock file is the one that was installed last.
if ! cmp --silent "$lock" "$cache/installed.txt"; then
    rm -rf "$cache"
    python3 -m venv "$cache"
    "$cache/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
        --requirement "$lock" >&2
    cp "$lock" "$cache/installed.txt"
fi

echo "$cache"
