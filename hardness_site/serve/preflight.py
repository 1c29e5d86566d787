"""What must be so before anything is started; each refusal is one line that says what to do."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path
from typing import TextIO


class CannotStart(Exception):
    """The site cannot be started; the message is the one line to show."""


def prepare_folder(data_dir: Path) -> None:
    """Make the data folder and its parts; CannotStart where that is not possible."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        for name in ("run", "log", "static"):
            (data_dir / name).mkdir(exist_ok=True)
        (data_dir / "run").chmod(0o700)
        probe = data_dir / "run" / "writable"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise CannotStart(
            f"The data folder {data_dir} cannot be written ({error.strerror}): "
            "make it writable, or name another in HARDNESS_DATA_DIR."
        ) from None


def claim_folder(data_dir: Path) -> TextIO:
    """Take the data folder for this process until the returned file is closed; CannotStart where another has it."""
    lock = (data_dir / "run" / "serve.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        holder = lock.read().strip() or "another process"
        lock.close()
        raise CannotStart(
            f"The site is running already for the data folder {data_dir}: {holder}. "
            "Stop it first, or name another folder in HARDNESS_DATA_DIR."
        ) from None
    return lock


def sign_folder(lock: TextIO, address: str) -> None:
    """Write into the claim who holds it, for the message that the next one gets."""
    lock.seek(0)
    lock.truncate()
    lock.write(f"{address} (process {os.getpid()})\n")
    lock.flush()


def port_number(text: str) -> int:
    """Return the port that `text` names; CannotStart where it names none."""
    if text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    raise CannotStart(f'PORT must be a number from 1 to 65535, not "{text}".')


def check_port(host: str, port: int) -> None:
    """Raise CannotStart where the port cannot be listened on."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except PermissionError:
            raise CannotStart(
                f"Port {port} needs more rights than this user has: set PORT to one above 1023."
            ) from None
        except OSError as error:
            if isinstance(error, socket.gaierror):
                raise CannotStart(f"{host} is no address of this machine.") from None
            raise CannotStart(
                f"Port {port} is taken by another program: stop that one, or choose another, "
                f"for example PORT={port + 1 if port < 65535 else 8001} make run."
            ) from None
