"""Files that commands write for their user."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.core.management.base import CommandError


@contextmanager
def replaced_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file to be written whole: it appears under its name when the block ends, and not at all after an error."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(path)
    except OSError as reason:
        raise CommandError(f"{path} cannot be written: {reason.strerror or reason}.") from None
    finally:
        unfinished.unlink(missing_ok=True)
