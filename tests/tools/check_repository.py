#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What people and machines look for in a repository is there, and trusts nobody more than it must."""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
EXPECTED = ["README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "SECURITY.md", ".editorconfig",
            ".github/dependabot.yml", ".github/pull_request_template.md", ".github/ISSUE_TEMPLATE/bug.md"]
PINNED = re.compile(r"(?:\./|[\w.-]+/[\w./-]+@[0-9a-f]{40}\b)")


def missing_files():
    return [f"{name} is missing" for name in EXPECTED if not (ROOT / name).is_file()]


def workflow_faults():
    workflows = sorted((ROOT / ".github/workflows").glob("*.y*ml"))
    if not workflows:
        yield "there is no workflow"
    for workflow in workflows:
        text = workflow.read_text(encoding="utf-8")
        if not re.search(r"^permissions:\n  contents: read\n(?! )", text, re.M):
            yield f"{workflow.name}: more permissions than to read"
        for action in re.findall(r"\buses: *(\S+)", text):
            if not PINNED.match(action):
                yield f"{workflow.name}: {action} is not pinned by commit"


def lock_files():
    found = [path for folder in ("web", "tests") for path in (ROOT / folder).glob("**/package-lock.json")]
    return {f"/{path.parent.relative_to(ROOT)}" for path in found if "node_modules" not in path.parts}


def dependabot_faults():
    text = (ROOT / ".github/dependabot.yml").read_text(encoding="utf-8")
    listed = set(re.findall(r"^      - (/\S+)$", text, re.M))
    return [f"dependabot.yml: {folder} is only in one of the list and the repository" for folder in listed ^ lock_files()]


def documents():
    return [path for pattern in ("*.md", "docs/**/*.md", "helm/**/*.md", "tests/**/README.md", ".github/**/*.md")
            for path in ROOT.glob(pattern)]


def anchors_of(text):
    """As hosts of Markdown make them of headings."""
    titles = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def dead_links():
    for document in documents():
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text)):
            if re.match(r"https?:|\.\./blob/", target):
                continue
            path, _, anchor = target.partition("#")
            file = (document.parent / path).resolve() if path else document
            if not file.exists():
                yield f"{document.relative_to(ROOT)}: there is no {target}"
            elif anchor and anchor not in anchors_of(file.read_text(encoding="utf-8")):
                yield f"{document.relative_to(ROOT)}: no heading makes {target}"


def unseen_pictures():
    texts = "".join(path.read_text(encoding="utf-8") for path in documents())
    return [f"docs/images/{picture.name} is in no document" for picture in (ROOT / "docs/images").iterdir()
            if f"images/{picture.name}" not in texts]


def unlicensed_sources():
    listed = subprocess.run(["git", "ls-files", "*.c", "*.h", "*.py", "*.sh", "*.mjs"], cwd=ROOT, capture_output=True,
                            text=True, check=False).stdout.split()
    return [f"{name} has no SPDX line" for name in listed if (ROOT / name).is_file()
            and "SPDX-License-Identifier: Apache-2.0" not in (ROOT / name).read_text(encoding="utf-8")[:200]]


def main():
    faults = [*missing_files(), *workflow_faults(), *dependabot_faults(), *dead_links(), *unseen_pictures(),
              *unlicensed_sources()]
    print("\n".join(faults) or "nothing is missing")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
