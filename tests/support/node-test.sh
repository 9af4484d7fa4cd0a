#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# node-test.sh SOURCE_DIR BUILD_DIR SCRIPT [ARGUMENTS]: runs SOURCE_DIR/SCRIPT. The packages that SOURCE_DIR locks are
# put into BUILD_DIR, where the script finds them by KUBECENT_PACKAGES. Status 77: skipped, they cannot be had here.
set -eu

source=$1
build=$2
script=$3
shift 3
"$(dirname "$0")/../../scripts/npm-ci.sh" "$source" "$build" || {
    status=$?
    [ "$status" -ne 77 ] || echo "skipped: see above"
    exit "$status"
}
KUBECENT_PACKAGES=$build exec node "$source/$script" "$@"
