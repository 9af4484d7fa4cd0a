#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# valgrind.sh BUILD_DIR: every unit test under memcheck, as many at once as there are CPUs; an error or a leak fails.
set -euo pipefail

cd "$(dirname "$0")/.."
tests=$PWD/$1/tests

# The tests with a failing allocator of their own ask valgrind to leave it alone.
check() {
    local log=$1.valgrind.log
    if valgrind -q --leak-check=full --show-leak-kinds=definite,indirect,possible \
        --errors-for-leak-kinds=definite,indirect --error-exitcode=99 --soname-synonyms=somalloc=nouserintercepts \
        "$1" >"$log" 2>&1; then
        echo "ok $(basename "$1")"
    else
        echo "FAILED $(basename "$1")"
        tail -n 40 "$log"
    fi
}
export -f check

cd "$tests/.."
find "$tests" -maxdepth 1 -type f -name 'test_*' -executable | sort |
    xargs -P "$(nproc)" -I{} bash -c 'check {}' | tee "$tests/valgrind.log"
failed=$(grep -c '^FAILED ' "$tests/valgrind.log" || true)
passed=$(grep -c '^ok ' "$tests/valgrind.log" || true)
echo "valgrind: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
