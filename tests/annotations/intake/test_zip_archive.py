"""Zip archives: each entry that means harm or is broken is refused alone."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.intake import zip_archive
from annotations.intake.source import Refusal, Refused, SourceFile
from annotations.intake.zip_archive import NotAZip, ZipReader
from tests.annotations.intake.pictures import encoded


def archive(entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as packed:
        for name, data in entries.items():
            packed.writestr(name, data)
    return out


def outcome(file: io.BytesIO) -> dict[str, str]:
    found = {}
    for entry in ZipReader(file):
        try:
            found[entry.path] = entry.reason if isinstance(entry, Refusal) else f"{len(entry.read())} bytes"
        except Refused as reason:
            found[entry.path] = str(reason)
    return found


def test_entries_come_by_name_and_folders_do_not_count() -> None:
    reader = ZipReader(archive({"b/": b"", "b/2.png": b"22", "a.png": b"1", "__MACOSX/._a.png": b"x"}))
    files = [(entry.path, entry.read()) for entry in reader if isinstance(entry, SourceFile)]
    assert files == [("a.png", b"1"), ("b/2.png", b"22")]
    assert (reader.count(), reader.n_ignored) == (2, 1)


def test_paths_out_of_the_archive_are_refused_and_the_rest_is_read() -> None:
    found = outcome(archive({"../up.png": b"x", "/root.png": b"x", "a/../../b.png": b"x", "good.png": b"good"}))
    assert found.pop("good.png") == "4 bytes"
    assert set(found.values()) == {"Its path leads out of the archive."}
    assert len(found) == 3


def test_a_broken_entry_does_not_stop_the_rest() -> None:
    data = encoded()
    file = archive({"bad.png": data, "good.png": data}, zipfile.ZIP_STORED)
    raw = bytearray(file.getvalue())
    raw[raw.index(b"bad.png") + 7 + 100] ^= 0xFF
    found = outcome(io.BytesIO(bytes(raw)))
    assert "The archive is broken here: Bad CRC-32" in found["bad.png"]
    assert found["good.png"] == f"{len(data)} bytes"


def test_an_encrypted_entry_is_refused() -> None:
    raw = bytearray(archive({"secret.png": b"x" * 50, "open.png": b"x" * 50}).getvalue())
    central = raw.index(b"PK\x01\x02")
    raw[central + 8] |= 1
    raw[6] |= 1
    assert outcome(io.BytesIO(bytes(raw))) == {
        "secret.png": "It is encrypted: make the archive without a password.",
        "open.png": "50 bytes",
    }


def test_an_unknown_packing_is_refused() -> None:
    raw = bytearray(archive({"odd.png": b"x" * 50}).getvalue())
    raw[8:10] = raw[raw.index(b"PK\x01\x02") + 10 : raw.index(b"PK\x01\x02") + 12] = struct.pack("<H", 97)
    assert outcome(io.BytesIO(bytes(raw))) == {
        "odd.png": "It is packed by a method that is not known here: use deflate."
    }


def test_a_bomb_is_refused_and_the_rest_is_read() -> None:
    found = outcome(archive({"bomb.png": b"\0" * 5_000_000, "good.png": b"good"}))
    assert found == {
        "bomb.png": "It unpacks to over 200 times its packed size, as harmful archives do.",
        "good.png": "4 bytes",
    }


def test_an_entry_that_lies_about_its_size_gives_no_more_than_it_said() -> None:
    raw = bytearray(archive({"liar.png": b"\0" * 100_000}).getvalue())
    central = raw.index(b"PK\x01\x02")
    raw[central + 24 : central + 28] = struct.pack("<L", 10)
    assert "broken" in outcome(io.BytesIO(bytes(raw)))["liar.png"]


def test_entries_that_share_their_bytes_are_refused() -> None:
    """A. Fifield's overlapping bomb in small: two entries of the contents name one packed body."""
    body = zlib.compress(b"x" * 1000)[2:-4]
    name = b"a.png"
    crc = zlib.crc32(b"x" * 1000)
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 0, crc, len(body), 1000, len(name), 0) + name + body

    def central(n: bytes) -> bytes:
        return (
            struct.pack(
                "<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 8, 0, 0, crc, len(body), 1000, len(n), 0, 0, 0, 0, 0, 0
            )
            + n
        )

    contents = central(b"a.png") + central(b"b.png")
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, len(contents), len(local), 0)
    found = outcome(io.BytesIO(local + contents + end))
    assert set(found) == {"a.png", "b.png"}
    assert all("shares its bytes" in reason for reason in found.values())


def test_too_large_a_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotations.intake.source.MAX_FILE_BYTES", 2**20)
    found = outcome(archive({"large.png": bytes(range(256)) * 5000, "empty.png": b""}, zipfile.ZIP_STORED))
    assert found == {"large.png": "1 MiB; 1 MiB is the most.", "empty.png": "The file is empty."}


def test_archives_as_a_whole_have_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    file = archive({f"{n}.png": b"x" * 1000 for n in range(5)})
    with monkeypatch.context() as patch, pytest.raises(NotAZip, match="5 files; 4 is the most"):
        patch.setattr(zip_archive, "MAX_ENTRIES", 4)
        ZipReader(file)
    with monkeypatch.context() as patch, pytest.raises(NotAZip, match="is the most"):
        patch.setattr(zip_archive, "MAX_TOTAL_BYTES", 4_999)
        ZipReader(file)
    with monkeypatch.context() as patch, pytest.raises(NotAZip, match="table of contents is too large"):
        patch.setattr(zip_archive, "MAX_DIRECTORY_BYTES", 100)
        ZipReader(file)


def test_a_huge_zip64_table_of_contents_is_refused_before_it_is_read() -> None:
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 10**9, 10**9, 10**11, 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    with pytest.raises(NotAZip, match="table of contents is too large"):
        ZipReader(io.BytesIO(record + locator + end))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"no zip at all" * 10])
def test_what_is_no_archive_says_so(data: bytes) -> None:
    with pytest.raises(NotAZip, match="Not a zip archive"):
        ZipReader(io.BytesIO(data))


def test_an_archive_that_was_cut_off_says_so() -> None:
    with pytest.raises(NotAZip, match="cut off"):
        ZipReader(io.BytesIO(archive({"a.png": encoded()}).getvalue()[:-30]))


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 5000), st.binary(min_size=1, max_size=8))
def test_damage_anywhere_is_refused_or_read_never_raised(at: int, junk: bytes) -> None:
    raw = bytearray(archive({"a.png": encoded(), "b/c.png": b"x" * 300}).getvalue())
    at %= len(raw)
    raw[at : at + len(junk)] = junk
    try:
        outcome(io.BytesIO(bytes(raw)))
    except NotAZip as reason:
        assert str(reason)
