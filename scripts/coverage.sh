#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# coverage.sh BUILD_DIR [MINIMUM]: line coverage of src/ by what ran in that build, by room, with the ten weakest files;
# fails below MINIMUM percent (90). The page with every line is BUILD_DIR/coverage/index.html.
set -euo pipefail

build=$1
minimum=${2:-90}
cd "$(dirname "$0")/.."
mkdir -p "$build/coverage"

# Nothing in src/ is left out, the paths that only want of memory leads to included.
gcovr --root . --object-directory "$build" --filter 'src/' -j "$(nproc)" \
    --json-summary "$build/coverage/summary.json" --html-details "$build/coverage/index.html" >/dev/null

python3 - "$build/coverage/summary.json" "$minimum" <<'PROGRAM'
import collections
import json
import sys

summary = json.load(open(sys.argv[1], encoding="utf-8"))
minimum = float(sys.argv[2])
rooms = collections.defaultdict(lambda: [0, 0])
for file in summary["files"]:
    room = rooms[file["filename"].split("/")[1]]
    room[0] += file["line_covered"]
    room[1] += file["line_total"]

for name, (covered, total) in sorted(rooms.items()):
    print(f"{name:12} {covered:6} of {total:6} lines {100 * covered / total:6.1f} %")
print("weakest files:")
for file in sorted(summary["files"], key=lambda file: file["line_covered"] - file["line_total"])[:10]:
    print(f"  {file['filename']:40} {file['line_total'] - file['line_covered']:4} lines not run, {file['line_percent']:5.1f} %")
percent = 100 * summary["line_covered"] / summary["line_total"]
print(f"coverage of src/: {percent:.1f} %, wanted {minimum:.0f} %")
sys.exit(percent < minimum)
PROGRAM
