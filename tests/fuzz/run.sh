#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh BUILD_DIR SECONDS [TARGET ...]: runs each fuzz target for that long, as many at once as there are CPUs, and
# prints how many inputs each executed. New inputs are kept in BUILD_DIR/fuzz/corpus, findings in BUILD_DIR/fuzz/findings.
set -euo pipefail

build=$1
seconds=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
cd "$build/fuzz"
mkdir -p findings

fuzz() {
    local name=$1 seeds options=() status=0 verdict
    mkdir -p "corpus/$name"
    mapfile -t seeds < <(grep . "fuzz_$name.seeds")
    [ ! -f "$here/$name.dict" ] || options+=("-dict=$here/$name.dict")
    nice "./fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len="$MAX_LENGTH" \
        -print_final_stats=1 -artifact_prefix="findings/$name-" "${options[@]}" "corpus/$name" "${seeds[@]}" \
        >"$name.log" 2>&1 || status=$?
    case $status in
    0) verdict="nothing found" ;;
    72) verdict="interrupted" ;; # libFuzzer's own status for it
    *) verdict="FOUND SOMETHING, see $PWD/$name.log" ;;
    esac
    printf '%-16s %12s executions in %s s at most, %s\n' "$name" \
        "$(sed -n 's/^stat::number_of_executed_units: *//p' "$name.log")" "$seconds" "$verdict"
    return "$status"
}
export -f fuzz
export here seconds MAX_LENGTH=${MAX_LENGTH:-4096}

if [ $# -eq 0 ]; then
    mapfile -t targets < <(basename -a -s .seeds fuzz_*.seeds | sed 's/^fuzz_//')
    set -- "${targets[@]}"
fi
printf '%s\n' "$@" | xargs -P "$(nproc)" -I{} bash -c 'fuzz {}'
