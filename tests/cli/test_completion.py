# SPDX-License-Identifier: Apache-2.0
"""The completion for bash, asked as readline asks it: words, and which of them the cursor is at the end of."""
import re
import subprocess

import pytest

ASK = """
source "$1"
cd "$2"
shift 2
[ "$(complete -p kubecent-backend)" = "complete -F _kubecent_backend kubecent-backend" ] || exit 1
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_kubecent_backend kubecent-backend "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def complete(root, tmp_path):
    for name in (".env", "prod.env", "two words.env"):
        (tmp_path / name).touch()
    (tmp_path / "private").mkdir()

    def ask(*words):
        script = root / "config" / "kubecent-backend.bash-completion"
        done = subprocess.run(["bash", "--norc", "-c", ASK, "ask", script, tmp_path, "kubecent-backend", *words],
                              capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return set(filter(None, done.stdout.split("\n")))

    return ask


def test_offers_every_option_of_help_and_no_other(complete, options):
    assert complete("") == options
    assert complete("-") == options


@pytest.mark.parametrize("words, offered", [
    (["--d"], {"--demo"}),
    (["--he"], {"--healthcheck", "--help"}),
    (["--demo", "--env"], {"--env-file"}),
    (["--nonsense"], set()),
    (["surplus"], set()),
    (["--env-file", "p"], {"prod.env", "private"}),
    (["--env-file", "tw"], {"two words.env"}),
    (["--env-file", ".e"], {".env"}),
    (["--env-file", "none"], set()),
    (["--env-file", "=", "p"], {"prod.env", "private"}),  # readline takes --env-file=p apart
    (["--demo", "--env-file", "=", "pro"], {"prod.env"}),
    (["--env-file", "prod.env", "--check"], {"--check-config"}),
])
def test_offers(complete, words, offered):
    assert complete(*words) == offered


def test_offers_all_files_where_nothing_is_typed_yet(complete):
    files = {".env", "prod.env", "private", "two words.env"}
    assert complete("--env-file", "") == files
    assert complete("--env-file", "=") == files


def test_names_each_option_once(root):
    script = (root / "config" / "kubecent-backend.bash-completion").read_text(encoding="utf-8")
    listed = re.search(r"compgen -W '([^']*)'", script)[1].split()
    assert sorted(listed) == sorted(set(listed))
