"""Uploading images in a real browser: what is sent, and where one lands."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from hardness_site.jobs.models import Job
from hardness_site.jobs.services import run_job
from tests.annotations.intake.pictures import encoded, noise
from tests.browser import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def archive(folder: Path) -> Path:
    """Return a zip archive of two classes with one file that is no image."""
    path = folder / "pets.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for number in range(4):
            packed.writestr(f"{('cat', 'dog')[number % 2]}/{number}.png", encoded(noise(64, 64, seed=number)))
        packed.writestr("cat/notes.txt", "hello")
    return path


def test_a_zip_archive_is_sent_and_its_items_are_there(page, live_server, sign_in, project, manager, tmp_path) -> None:
    sign_in(manager)
    page.goto(f"{live_server.url}/projects/pets/import/")
    page.set_input_files("input[type=file]", archive(tmp_path))
    page.get_by_label("Folders are named by class").check()
    page.get_by_role("button", name="Import").click()
    page.wait_for_url("**/jobs/*/")
    run_job(Job.objects.get().pk)
    page.reload()
    expect(page.get_by_text("cat/notes.txt")).to_be_visible()
    page.get_by_role("link", name="Look at the items").click()
    expect(page.locator(".thumbs img")).to_have_count(4)
    page.locator(".thumbs a").first.click()
    wait_until(page, "document.querySelector('.item-view__image img').naturalWidth === 64")
    expect(page.get_by_text("came as cat")).to_be_visible()
