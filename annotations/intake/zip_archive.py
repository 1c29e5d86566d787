"""Files in a zip archive. Archives come from anywhere: nothing is unpacked to disk, and nothing that an archive
says about itself is trusted further than it was checked."""

from __future__ import annotations

import io
import itertools
import struct
import threading
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from .source import Refusal, Refused, SourceFile, check_size, clean_path, is_system_file, printable

MAX_ENTRIES = 200_000
MAX_DIRECTORY_BYTES = 50 * 2**20
MAX_TOTAL_BYTES = 200 * 2**30
# Deflate reaches 1,032 to 1, and only on one repeated byte; image files barely shrink.
MAX_RATIO = 200
SMALL_BYTES = 2**20
ENCRYPTED = 0x1


class NotAZip(Exception):
    """The archive as a whole cannot be read; the message says why."""


class ZipReader:
    """Reads a zip archive entry by entry, in the order of the names in it."""

    def __init__(self, file: BinaryIO) -> None:
        _check_directory(file)
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error) as error:
            raise NotAZip(f"Not a zip archive that can be read: {error}.") from None
        self._lock = threading.Lock()
        entries = [entry for entry in self._zip.infolist() if not entry.is_dir()]
        if len(entries) > MAX_ENTRIES:
            raise NotAZip(f"{len(entries):,} files; {MAX_ENTRIES:,} is the most for one archive: split it.")
        total = sum(entry.file_size for entry in entries)
        if total > MAX_TOTAL_BYTES:
            raise NotAZip(f"It unpacks to {total / 2**30:,.0f} GiB; {MAX_TOTAL_BYTES / 2**30:,.0f} GiB is the most.")
        self._entries = sorted(entries, key=lambda entry: entry.filename)
        self._overlapping = _overlapping(entries)
        self.n_ignored = 0

    def count(self) -> int:
        """Count the entries without reading one."""
        return sum(not is_system_file(entry.filename) for entry in self._entries)

    def __iter__(self) -> Iterator[SourceFile | Refusal]:
        self.n_ignored = 0
        for entry in self._entries:
            if is_system_file(entry.filename):
                self.n_ignored += 1
                continue
            try:
                path = clean_path(entry.filename)
                self._check(entry)
            except Refused as reason:
                yield Refusal(printable(entry.filename), str(reason))
            else:
                yield SourceFile(path=path, n_bytes=entry.file_size, read=partial(self._read, entry))

    def _check(self, entry: zipfile.ZipInfo) -> None:
        if entry.flag_bits & ENCRYPTED:
            raise Refused("It is encrypted: make the archive without a password.")
        if entry.header_offset in self._overlapping:
            raise Refused("It shares its bytes with another entry, as archives made to do harm do.")
        check_size(entry.file_size)
        if entry.file_size > SMALL_BYTES and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
            raise Refused(f"It unpacks to over {MAX_RATIO} times its packed size, as harmful archives do.")

    def _read(self, entry: zipfile.ZipInfo) -> bytes:
        """Unpack one entry; never more than it declares, which was checked."""
        try:
            with self._lock, self._zip.open(entry) as opened:
                data = opened.read(entry.file_size + 1)
        except NotImplementedError:  # zipfile says so of a method that it cannot unpack
            raise Refused("It is packed by a method that is not known here: use deflate.") from None
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, struct.error) as error:
            raise Refused(f"The archive is broken here: {error}.") from None
        check_size(len(data))
        return data


def _overlapping(entries: list[zipfile.ZipInfo]) -> set[int]:
    """Return the offsets of entries whose packed bytes reach into the next one."""
    found: set[int] = set()
    ordered = sorted(entries, key=lambda entry: entry.header_offset)
    for before, after in itertools.pairwise(ordered):
        if before.header_offset + 30 + before.compress_size > after.header_offset:
            found |= {before.header_offset, after.header_offset}
    return found


def _check_directory(file: BinaryIO) -> None:
    """Refuse a table of contents too large to hold in memory, before anything reads it."""
    size = file.seek(0, io.SEEK_END)
    tail_at = max(0, size - 65_557)
    file.seek(tail_at)
    tail = file.read()
    file.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise NotAZip("Not a zip archive, or it was cut off: its end is missing.")
    n_bytes = int(struct.unpack_from("<L", tail, at + 12)[0])
    if n_bytes == 0xFFFFFFFF:  # zip64 keeps the real figure in a record that lies before this one
        at64 = tail.rfind(b"PK\x06\x06", 0, at)
        if at64 < 0 or len(tail) < at64 + 48:
            raise NotAZip("Not a zip archive that can be read: its zip64 record is missing.")
        n_bytes = int(struct.unpack_from("<Q", tail, at64 + 40)[0])
    if n_bytes > MAX_DIRECTORY_BYTES:
        raise NotAZip("Its table of contents is too large: split it into several archives.")
