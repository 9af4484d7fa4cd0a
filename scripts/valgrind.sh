#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# valgrind.sh BUILD_DIR: every unit test under memcheck; an error or a leak fails.
set -euo pipefail

build_dir=$1
cd "$(dirname "$0")/.."
passed=0
failed=0
# The tests with a failing allocator of their own ask valgrind to leave it alone.
check() {
    (cd "$build_dir" && valgrind -q --leak-check=full --show-leak-kinds=definite,indirect,possible \
        --errors-for-leak-kinds=definite,indirect --error-exitcode=99 --soname-synonyms=somalloc=nouserintercepts \
        "$1" >"$1.valgrind.log" 2>&1)
}
while read -r test; do
    if check "$test"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $test"
        tail -n 40 "$test.valgrind.log"
    fi
done < <(find "$PWD/$build_dir/tests" -maxdepth 1 -type f -name 'test_*' -executable | sort)
echo "valgrind: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
