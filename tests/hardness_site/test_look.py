"""Filters for numbers, the base page, and the house rule that no page carries inline styles or scripts."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template
from django.urls import reverse

from hardness_site.templatetags import site

TEMPLATES = sorted(
    path for app in ("hardness_site", "annotations", "mining") for path in (settings.BASE_DIR / app).rglob("*.html")
)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (8.9, "8 s"),
        (65, "1 min 05 s"),
        (7380, "2 h 03 min"),
        (timedelta(minutes=2), "2 min 00 s"),
        (None, ""),
    ],
)
def test_durations_in_words(seconds, words):
    assert site.duration(seconds) == words


@pytest.mark.parametrize(
    ("value", "words"), [(640.4, "640 ms"), (1240, "1.24 s"), (65_000, "1 min 05 s"), (None, "–"), (float("nan"), "–")]
)
def test_milliseconds_for_people(value, words):
    assert site.ms(value) == words


@pytest.mark.parametrize(
    ("value", "digits", "words"),
    [
        (0.123, 2, "0.12"),
        (-0.5, 1, "−0.5"),
        (-0.001, 2, "0.00"),
        (12345.6, 1, "12\u202f345.6"),
        ("", 2, "–"),
        (None, 2, "–"),
    ],
)
def test_figures_have_a_true_minus_and_no_minus_zero(value, digits, words):
    assert site.figure(value, digits) == words


def test_changes_carry_their_sign():
    assert [site.change(value, 3) for value in (0.017, -0.009, 0.0001, None)] == ["+0.017", "−0.009", "0.000", "–"]


def test_shares_and_intervals():
    assert site.percentage(0.125, 1) == "12.5\u00a0%"
    assert site.interval([-0.1, 0.25]) == "−0.10 to 0.25"
    assert site.interval([None, 0.25]) == site.interval(None) == "–"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_no_template_breaks_the_content_security_policy(path: Path):
    text = path.read_text()
    assert not re.search(r"\sstyle\s*=", text), "a style attribute"
    assert not re.search(r"<style\b", text), "a style element"
    assert not re.search(r"<[^>]*\son[a-z]+\s*=", text), "an event handler in an attribute"
    for script in re.findall(r"<script\b[^>]*>", text):
        assert "src=" in script, "an inline script"


def test_error_pages_stand_without_a_request_or_database():
    for name in ("400.html", "500.html", "403_csrf.html"):
        assert "To your projects" in get_template(name).render({})


def test_an_address_that_is_not_there_says_so_in_words(client, db, manager_client):
    answer = manager_client.get("/nothing/here/")
    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()


def test_sign_in_page_names_what_is_wrong(client, db):
    answer = client.post(reverse("login"), {"username": "nobody", "password": "wrong"})
    assert "Please enter a correct username and password" in answer.content.decode()
    assert answer.status_code == 200


def test_project_bar_shows_annotators_their_two_sections_only(annotator_client, manager_client, project):
    mine = annotator_client.get(reverse("my_progress", args=["pets"])).content.decode()
    assert reverse("label", args=["pets"]) in mine
    for name in ("rounds", "items", "project_members", "project_settings"):
        assert reverse(name, args=["pets"]) not in mine
    managers = manager_client.get(reverse("rounds", args=["pets"])).content.decode()
    assert reverse("project_settings", args=["pets"]) in managers
    assert f'href="{reverse("rounds", args=["pets"])}" aria-current="page"' in managers


def test_hidden_form_fields_and_scripts_carry_the_token(manager_client, project):
    page = manager_client.get(reverse("rounds", args=["pets"])).content.decode()
    assert re.search(r"hx-headers='\{\"X-CSRFToken\": \"\w{30,}\"\}'", page)
