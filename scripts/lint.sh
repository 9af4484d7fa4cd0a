#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lint.sh BUILD_DIR: formatting, clang-tidy, shellcheck. BUILD_DIR has compile_commands.json and the generated headers.
set -euo pipefail

build_dir=$1
cd "$(dirname "$0")/.."

echo "clang-format"
git ls-files '*.c' '*.h' | xargs clang-format --dry-run --Werror

echo "shellcheck"
git ls-files '*.sh' '.ci/run' | xargs shellcheck

echo "clang-tidy"
# Flags that only GCC knows are no finding.
git ls-files 'src/*.c' | xargs -P "$(nproc)" -n 4 clang-tidy -quiet -p "$build_dir" \
    --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-ignored-optimization-argument 2>&1 |
    { grep -v -E '^[0-9]+ warnings? (generated|treated)|^Suppressed |^Use -header-filter' || true; }
echo "lint: clean"
