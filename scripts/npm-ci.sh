#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# npm-ci.sh SOURCE_DIR BUILD_DIR: the packages that SOURCE_DIR locks, in BUILD_DIR/node_modules. Runs none of their
# scripts, writes nothing to SOURCE_DIR, and does nothing when all is there. Status 77: they cannot be had here, because
# there is no Node or because the registry is out of reach.
set -eu

source=$1
build=$2
installed=$build/node_modules/.installed-lock

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "node or npm is not installed"
    exit 77
fi
cmp -s "$source/package-lock.json" "$installed" && exit 0

mkdir -p "$build"
cp "$source/package.json" "$source/package-lock.json" "$source/.npmrc" "$build"
log=$build/npm-ci.log
if (cd "$build" && npm ci --ignore-scripts --prefer-offline --fetch-retries=1 --fetch-retry-mintimeout=1000 \
    --fetch-timeout=60000) >"$log" 2>&1; then
    cp "$source/package-lock.json" "$installed"
    exit 0
fi
if grep -qE 'code (E(NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|TIMEDOUT|NETUNREACH|HOSTUNREACH)|ERR_SOCKET_TIMEOUT|ENOTCACHED)' \
    "$log"; then
    echo "npm's registry is out of reach"
    exit 77
fi
cat "$log"
exit 1
