"""Management commands on a site's data, each in a process of its own, without starting Django each time.

Starting Django takes more than a second of work, a command often a hundredth of it. One process starts it and then
makes a copy of itself (`fork`) for every command: the copy opens its own connections, and what it leaves in memory
ends with it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Done:
    """What came of a command."""

    status: int
    out: str
    errors: str


class Commands:
    """Runs commands in the environment of one site; starts with the first."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.process: subprocess.Popen[str] | None = None

    def run(self, *words: str, seconds: float = 300) -> Done:
        """Run `manage.py WORDS` to its end."""
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from tests.commands import serve; serve()"], cwd=ROOT, env=self.environment,
                text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
        process = self.process
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(words) + "\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], seconds)
        line = process.stdout.readline() if ready else ""
        if not line:
            self.close()
            raise AssertionError(f"No end of `manage.py {' '.join(words)}` after {seconds} s.")
        return Done(**json.loads(line))

    @property
    def pid(self) -> int | None:
        """The process id, where it runs."""
        return self.process.pid if self.process else None

    def close(self) -> None:
        """End the process, and a command that still runs in it."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


def serve() -> None:
    """Start Django, then run one command for each line of the input."""
    import django
    from django.urls import get_resolver

    from hardness_site.processes import die_with_parent

    sys.argv = ["manage.py"]
    django.setup()
    _ = get_resolver().url_patterns  # the checks of most commands load them
    for line in sys.stdin:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
            pid = os.fork()
            if pid == 0:
                die_with_parent(signal.SIGKILL)
                _run(json.loads(line), out.fileno(), errors.fileno())
            _, status = os.waitpid(pid, 0)
            for file in (out, errors):
                file.seek(0)
            texts = {"out": out.read().decode(), "errors": errors.read().decode()}
        # Standard output is how the answer goes back to whoever asked.
        print(json.dumps({"status": os.waitstatus_to_exitcode(status), **texts}), flush=True)  # noqa: T201


def _run(words: list[str], out: int, errors: int) -> None:
    """Run a command in this process, with its output in these files, and end."""
    from django.core.management import execute_from_command_line
    from django.db import connections

    os.dup2(out, 1)
    os.dup2(errors, 2)
    status = 1
    try:
        sys.argv = ["manage.py", *words]
        execute_from_command_line(sys.argv)
        status = 0
    except SystemExit as reason:
        status = reason.code if isinstance(reason.code, int) else int(reason.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        connections.close_all()  # SQLite puts its log away with the last
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
