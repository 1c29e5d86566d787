"""Units and pages are told from the times themselves, before anything is written."""

from __future__ import annotations

import random

from annotations.intake.times_survey import survey_times


def rows(annotator, values):
    return [(annotator, place, value) for place, value in enumerate(values, start=1)]


def test_ordinary_times_say_nothing():
    generator = random.Random(0)
    found = survey_times(rows("ann", [900 + 400 * generator.random() for _ in range(200)]))
    assert 900 < found.typical_ms < 1300
    assert (found.is_of_pages, found.like_seconds, found.very_long) == (False, {}, {})
    assert survey_times([]).typical_ms is None


def test_times_of_pages_are_seen_whatever_the_order_of_the_rows():
    generator = random.Random(1)
    pages = [generator.uniform(5_000, 20_000) for _ in range(12)]
    of_pages = rows("ann", [time for time in pages for _ in range(9)])
    generator.shuffle(of_pages)
    assert survey_times(of_pages).page_share > 0.8
    assert survey_times(of_pages).is_of_pages


def test_times_rounded_to_whole_seconds_are_no_pages():
    generator = random.Random(2)
    rounded = rows("ann", [1000.0 * generator.choice([1, 1, 1, 1, 2, 2, 3]) for _ in range(400)])
    assert not survey_times(rounded).is_of_pages
    assert not survey_times(rows("bob", [1000.0] * 50)).is_of_pages


def test_one_annotator_in_another_unit_is_named():
    mixed = rows("ann", [800.0, 900, 1000, 1100, 1200]) + rows("bob", [0.8, 0.9, 1.0, 1.1, 1.2])
    mixed += rows("eve", [800_000.0, 900_000, 1_000_000, 1_100_000, 1_200_000]) + rows("few", [0.1, 0.2])
    found = survey_times(mixed)
    assert found.like_seconds == {"bob": 1.0}
    assert found.very_long == {"eve": 1_000_000.0}
