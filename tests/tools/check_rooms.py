#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do the rooms stand as docs/architecture.md draws them?

Linking alone does not tell: all public headers lie in one folder, so an include of a room that is not among a room's
own compiles. For each room the table's uses, the ROOMS of its CMakeLists.txt and what its files include must be the
same, likewise the foreign headers; and no room may use one of a floor above it. Exit status 1, with a line for each
fault, when something is amiss.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
ROW = re.compile(r"^\| (\w+) \| `(\w+)` \| [^|]+ \|([^|]*)\|([^|]*)\|$", re.M)
INCLUDE = re.compile(r'^\s*#\s*include ["<]([^">]+)[">]', re.M)
ROOMS = re.compile(r"\bROOMS ([\w\s]+?)(?=LIBRARIES|\))")
FLOORS = {"roof": 6, "ground": 0, "apart": 1}

# By the beginning of their names; the table calls most of them by their headers.
FOREIGN = {"microhttpd.h": "microhttpd.h", "curl/": "curl/curl.h", "uv.h": "uv.h", "hiredis/": "hiredis/", "jansson.h": "jansson",
           "gnutls/": "GnuTLS", "libdeflate.h": "libdeflate", "xxhash.h": "xxhash", "uthash.h": "uthash", "utlist.h": "utlist"}


def words(cell):
    """`a`, b (of c) -> {a, b}"""
    return {word.strip(" `") for word in re.sub(r"\([^)]*\)", "", cell).split(",")} - {""}


def drawn():
    rows = ROW.findall((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
    return {room: (int(FLOORS.get(floor, floor)), words(uses), words(foreign)) for floor, room, uses, foreign in rows}


def linked(room):
    text = (ROOT / "src" / room / "CMakeLists.txt").read_text(encoding="utf-8")
    rooms = ROOMS.search(text)
    return set(rooms[1].split()) if rooms else set()


def included(room):
    files = [*(ROOT / "src" / room).glob("*.[ch]"), *(ROOT / "include" / room).glob("*.h")]
    return {name for file in files for name in INCLUDE.findall(file.read_text(encoding="utf-8"))}


def faults_of(room, rooms):
    floor, uses, foreign = rooms[room]
    names = included(room)
    inner = {name.split("/")[0] for name in names if "/" in name} & set(rooms) - {room}
    outer = {label for name in names for prefix, label in FOREIGN.items() if name.startswith(prefix)}
    if room != "app":  # which sees everything
        for what, found in (("links", linked(room)), ("includes", inner)):
            if found != uses:
                yield f"{room}: the table says it uses {sorted(uses)}, it {what} {sorted(found)}"
        if outer != foreign:
            yield f"{room}: the table says its foreign headers are {sorted(foreign)}, they are {sorted(outer)}"
    for other in sorted(inner):
        if rooms[other][0] > floor:
            yield f"{room} uses {other}, which is a floor above it"


def main():
    rooms = drawn()
    folders = {folder.name for folder in (ROOT / "src").iterdir() if folder.is_dir()}
    faults = [f"{room}: in the table or in src/, not in both" for room in sorted(folders ^ set(rooms))]
    if not faults:
        faults = [fault for room in rooms for fault in faults_of(room, rooms)]
    print("\n".join(faults) or f"{len(rooms)} rooms stand as drawn")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
