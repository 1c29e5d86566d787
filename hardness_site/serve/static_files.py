"""Put the static files where the web server reads them, when they have changed."""

from __future__ import annotations

import fcntl
import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

IGNORED = ["redoc*", "CVS", ".*", "*~"]


def collect_when_changed() -> bool:
    """Collect the static files unless nothing changed since the last time; return whether it did."""
    root = Path(settings.STATIC_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    # Beside the folder, not in it: collecting clears the folder. Two sites may share it.
    with root.with_name(f"{root.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _collect(root / ".collected")


def _collect(stamp: Path) -> bool:
    state = _state()
    if stamp.is_file() and stamp.read_text() == state:
        return False
    stamp.unlink(missing_ok=True)
    call_command(
        "collectstatic", interactive=False, clear=True, verbosity=0, ignore_patterns=IGNORED[:1], skip_checks=True
    )
    stamp.write_text(state)
    return True


def _state() -> str:
    digest = hashlib.sha256(repr(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for path, storage in finder.list(IGNORED):
            found = Path(storage.path(path)).stat()
            digest.update(f"{path}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()
