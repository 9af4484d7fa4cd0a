# SPDX-License-Identifier: Apache-2.0
"""`cmake --install` puts each file where its readers look for it."""
import os
import re
import subprocess

import pytest

DOC = "share/doc/kubecent-backend"
SERVICE = {"bin/kubecent-backend", f"{DOC}/LICENSE"}
SURROUNDINGS = {
    "lib/systemd/system/kubecent-backend.service",
    "share/bash-completion/completions/kubecent-backend",
    "share/man/man8/kubecent-backend.8",
    f"{DOC}/examples/kubecent.env",
    *(f"{DOC}/{name}.md" for name in ("README", "CHANGELOG", "CONTRIBUTING", "SECURITY")),
}


@pytest.fixture
def install(build, tmp_path):
    def run(*arguments):
        subprocess.run(["cmake", "--install", build, "--prefix", "/usr", *arguments], check=True, capture_output=True,
                       env=os.environ | {"DESTDIR": str(tmp_path)})
        return {str(path.relative_to(tmp_path / "usr")) for path in tmp_path.rglob("*") if not path.is_dir()}

    return run


@pytest.fixture
def runtime(build):
    """The service with its licence, and those of Swagger UI when that is in the binary."""
    if not (build / "web" / "swagger-ui.js.gz").exists():
        return SERVICE
    return SERVICE | {f"{DOC}/swagger-ui/{name}" for name in ("LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt")}


@pytest.fixture
def documents(root):
    """The texts and pictures in docs/, wherever they are there."""
    found = [path.relative_to(root) for path in (root / "docs").rglob("*") if path.suffix in (".md", ".svg", ".png")]
    return {f"{DOC}/{path}" for path in found}


def test_everything_is_in_its_place_and_nothing_else(install, runtime, documents):
    assert install() == runtime | SURROUNDINGS | documents


def test_the_runtime_alone_is_the_service_and_its_licences(install, runtime):
    assert install("--component", "runtime") == runtime


def test_only_the_binary_is_executable(install, tmp_path):
    executable = {name for name in install() if os.access(tmp_path / "usr" / name, os.X_OK) and
                  (tmp_path / "usr" / name).stat().st_mode & 0o111}
    assert executable == {"bin/kubecent-backend"}


def test_the_installed_binary_runs_without_the_build_folder(install, tmp_path):
    install("--strip")
    binary = tmp_path / "usr" / "bin" / "kubecent-backend"
    done = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("kubecent-backend ")
    assert "RUNPATH" not in subprocess.run(["readelf", "-d", binary], capture_output=True, text=True, check=True).stdout


def test_the_installed_readme_keeps_its_links_to_documents(install, tmp_path):
    installed = install()
    readme = (tmp_path / "usr" / DOC / "README.md").read_text(encoding="utf-8")
    links = set(re.findall(r"\]\(((?:docs/(?:images/)?)?\w+\.(?:md|svg|png))", readme))
    assert links and {link for link in links if f"{DOC}/{link}" not in installed} == set()
