"""Images by API: whole, in part, not twice."""

from __future__ import annotations

import hashlib

import pytest
from django.core.files.storage import default_storage
from hypothesis import given
from hypothesis import strategies as st

from mining.api.images import byte_range
from tests import factories


@pytest.fixture
def image(project):
    return factories.make_items(project, 1)[0].image


def at(image):
    return f"/api/v1/projects/pets/images/{image.sha256}"


def test_the_bytes_are_those_that_the_sha256_names(manager_client, image):
    response = manager_client.get(at(image))
    assert hashlib.sha256(response.getvalue()).hexdigest() == image.sha256
    assert (response["Content-Type"], int(response["Content-Length"])) == ("image/png", image.n_bytes)
    assert response["ETag"] == f'"{image.sha256}"' and response["Accept-Ranges"] == "bytes"
    again = manager_client.get(at(image), headers={"If-None-Match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = manager_client.head(at(image))
    assert (head.status_code, int(head["Content-Length"]), head.content) == (200, image.n_bytes, b"")


def test_a_part_is_that_part(manager_client, image):
    whole = manager_client.get(at(image)).getvalue()
    for header, part in (("bytes=0-9", whole[:10]), ("bytes=10-", whole[10:]), ("bytes=-7", whole[-7:]),
                         ("bytes=5-100000", whole[5:])):  # fmt: skip
        response = manager_client.get(at(image), headers={"Range": header})
        assert (response.status_code, response.getvalue()) == (206, part)
        start = whole.index(part)
        assert response["Content-Range"] == f"bytes {start}-{start + len(part) - 1}/{len(whole)}"
    refused = manager_client.get(at(image), headers={"Range": "bytes=100000-"})
    assert (refused.status_code, refused["Content-Range"]) == (416, f"bytes */{len(whole)}")
    other = manager_client.get(at(image), headers={"Range": "bytes=0-9", "If-Range": '"another"'})
    assert other.status_code == 200


@given(size=st.integers(0, 100), first=st.integers(0, 120), last=st.integers(0, 120))
def test_a_part_never_leaves_the_file(size, first, last):
    content = bytes(range(size))
    for header in (f"bytes={first}-{last}", f"bytes={first}-", f"bytes=-{last}"):
        part = byte_range(header, size)
        if part is not None and part[0] < part[1]:
            assert 0 <= part[0] < part[1] <= size
    if first <= last < size:
        start, stop = byte_range(f"bytes={first}-{last}", size)
        assert content[start:stop] == content[first : last + 1]


@given(st.text(max_size=30))
def test_any_header_is_read_or_ignored(header):
    part = byte_range(header, 10)
    assert part is None or len(part) == 2


@pytest.mark.parametrize("header", ["", "bytes=-", "bytes=a-b", "items=0-5", "bytes=0-1,4-5", "bytes=5-2"])
def test_what_is_no_single_range_gives_the_whole(manager_client, image, header):
    assert manager_client.get(at(image), headers={"Range": header}).status_code == 200


def test_an_image_of_another_project_does_not_exist(manager_client, annotator_client, image, manager):
    stranger = factories.make_items(factories.make_project("Birds"), 1)[0].image
    response = manager_client.get(at(stranger))
    assert (response.status_code, response.json()["detail"]) == (404, "pets has no image with this sha256.")
    assert manager_client.get("/api/v1/projects/pets/images/../../etc").status_code == 404
    assert manager_client.get(f"/api/v1/projects/pets/images/{'A' * 64}").status_code == 404
    assert annotator_client.get(at(image)).json() == {"detail": "There is no such project."}


def test_a_missing_file_is_said_to_be_missing(manager_client, image):
    default_storage.delete(image.file)
    response = manager_client.get(at(image))
    assert response.status_code == 404 and "missing from the site's storage" in response.json()["detail"]
