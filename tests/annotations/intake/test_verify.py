"""What counts as an image, and what is made of it."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from annotations.intake.source import Refused
from annotations.intake.verify import FORMATS, THUMBNAIL_SIDE, eight_bit, sha256_of, verify_image
from tests.annotations.intake.pictures import encoded, noise, turned


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_taken_with_its_size(name: str) -> None:
    data = encoded(noise(400, 300), name)
    image = verify_image(data)
    assert (image.width, image.height, image.n_bytes) == (400, 300, len(data))
    assert (image.extension, image.media_type) == FORMATS[name]
    assert image.sha256 == sha256_of(data)
    assert opened(image.thumbnail).size == (256, 192)
    assert (image.display is not None) == (name in ("BMP", "TIFF"))


def test_the_hash_is_that_of_the_bytes() -> None:
    assert sha256_of(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("name", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "size", "red_at"),
    [(1, (48, 32), (2, 16)), (6, (32, 48), (16, 2)), (3, (48, 32), (45, 16)), (8, (32, 48), (16, 45))],
)
def test_thumbnails_stand_upright(name: str, orientation: int, size: tuple[int, int], red_at: tuple[int, int]) -> None:
    image = verify_image(turned(orientation, name))
    assert (image.width, image.height) == size
    red, green, _ = opened(image.thumbnail).convert("RGB").getpixel(red_at)
    assert red > 200 and green < 100
    # Browsers turn JPEG files themselves; of the others they get a copy that stands upright.
    if image.display is not None:
        assert opened(image.display).size == size
    assert (image.display is not None) == (name == "TIFF" or (name != "JPEG" and orientation != 1))


def test_a_small_image_is_not_made_larger() -> None:
    assert opened(verify_image(encoded(noise(8, 8))).thumbnail).size == (8, 8)


def test_a_small_file_is_its_own_thumbnail() -> None:
    data = encoded(noise(48, 32))
    image = verify_image(data)
    assert image.is_own_thumbnail and image.thumbnail == data and image.thumbnail_extension == "png"


@pytest.mark.parametrize(
    "data",
    [
        encoded(noise(257, 10)),
        encoded(noise(200, 200)),  # small to look at, yet 120 kB of noise
        encoded(noise(), "BMP"),
        turned(6, "JPEG"),
        turned(3, "PNG"),
    ],
    ids=["long", "heavy", "not shown by browsers", "turned JPEG", "turned PNG"],
)
def test_what_cannot_be_shown_small_as_it_is_gets_a_thumbnail(data: bytes) -> None:
    image = verify_image(data)
    assert not image.is_own_thumbnail
    assert image.thumbnail != data and max(opened(image.thumbnail).size) <= THUMBNAIL_SIDE


def test_transparency_stays_in_the_thumbnail() -> None:
    for image in (Image.new("RGBA", (300, 40), (255, 0, 0, 0)), Image.new("LA", (300, 40), (9, 0))):
        verified = verify_image(encoded(image))
        assert verified.thumbnail_extension == "webp"
        assert opened(verified.thumbnail).convert("RGBA").getpixel((20, 20))[3] == 0


@pytest.mark.parametrize("name", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_many_frames_the_first_is_shown_as_a_still(name: str) -> None:
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("blue", "red")]
    verified = verify_image(encoded(frames[0], name, save_all=True, append_images=frames[1:]))
    assert verified.display is not None
    assert opened(verified.display).convert("RGB").getpixel((20, 20))[2] > 200


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "I;16", "I", "F", "LAB"])
def test_every_mode_gets_a_thumbnail(mode: str) -> None:
    if mode in ("I;16", "I", "F"):
        kind = {"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]
        image = Image.fromarray(np.arange(64 * 64).reshape(64, 64).astype(kind))
    else:
        image = Image.new(mode, (64, 64))
    verified = verify_image(encoded(image, "TIFF"))
    assert opened(verified.thumbnail).size == (64, 64)


def test_sixteen_bits_are_cut_as_browsers_do_and_stretched_for_instruments() -> None:
    levels = np.array([[0, 1000], [2000, 4000]], dtype=np.uint16)
    image = Image.fromarray(levels)
    assert np.asarray(eight_bit(image, stretch=False)).tolist() == [[0, 4], [8, 16]]
    assert np.asarray(eight_bit(image, stretch=True)).tolist() == [[0, 64], [128, 255]]
    flat = Image.fromarray(np.full((2, 2), np.nan, dtype=np.float32))
    assert np.asarray(eight_bit(flat, stretch=True)).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_was_cut_off_is_refused(name: str) -> None:
    data = encoded(noise(700, 700), name)
    with pytest.raises(Refused, match=f"broken {name} image|broken image|Not a JPEG"):
        verify_image(data[: len(data) // 2])


def test_one_wrong_bit_in_a_png_is_seen() -> None:
    data = bytearray(encoded(noise(100, 100)))
    data[len(data) // 2] ^= 1
    with pytest.raises(Refused, match="broken"):
        verify_image(bytes(data))


@pytest.mark.parametrize(
    "data", [b"", b"item,label\n1,cat\n", b"%PDF-1.7\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>"]
)
def test_what_is_no_image_says_so(data: bytes) -> None:
    with pytest.raises(Refused, match=r"^Not a JPEG, PNG, WebP, GIF, BMP or TIFF image\.$"):
        verify_image(data)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [9_500, 60_000])
def test_a_small_file_that_claims_to_be_huge_is_refused_without_decoding(side: int) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    with pytest.raises(Refused, match="megapixels"):
        verify_image(data)


def test_a_broken_orientation_is_no_reason_to_refuse() -> None:
    data = turned(6).replace(b"Exif\0\0", b"Exif\0\0\xff\xff\xff\xff", 1)
    assert verify_image(data).width in (32, 48)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(sorted(FORMATS)), st.integers(0, 2000))
def test_whatever_the_bytes_it_is_an_image_or_refused(junk: bytes, name: str, at: int) -> None:
    data = bytearray(encoded(noise(20, 20), name))
    at %= len(data)
    data[at : at + len(junk)] = junk
    try:
        image = verify_image(bytes(data))
    except Refused as reason:
        assert str(reason)
    else:
        assert max(opened(image.thumbnail).size) <= THUMBNAIL_SIDE
