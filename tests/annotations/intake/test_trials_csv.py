"""Trials in CSV files: what a row may say, and what is said of one that may not."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.intake.trials_csv import BadFile, RowProblem, TrialRow, TrialsReader

HEADER = "item,annotator,label,response_ms"


def rows(text: str | bytes) -> list[TrialRow | RowProblem]:
    return list(TrialsReader(io.BytesIO(text.encode() if isinstance(text, str) else text)))


def problem(line: str, header: str = HEADER) -> str:
    (found,) = rows(f"{header}\n{line}\n")
    assert isinstance(found, RowProblem) and found.number == 2
    return found.reason


def test_a_full_row_is_read_as_it_stands() -> None:
    (row,) = rows(
        f"{HEADER},position,session,started_at,reference\na/b.png, ann ,cat,812.5,7,s1,2026-01-31T14:05:09Z,dog"
    )
    assert row == TrialRow(2, "a/b.png", "ann", "cat", 812.5, 7, "s1", datetime(2026, 1, 31, 14, 5, 9, tzinfo=UTC))


def test_columns_may_come_in_any_order_with_a_byte_order_mark_and_windows_lines() -> None:
    (row,) = rows(b"\xef\xbb\xbfresponse_ms;label;annotator;item\r\n500;cat;ann;a.png\r\n")
    assert row == TrialRow(2, "a.png", "ann", "cat", 500.0, 1)


def test_a_missed_trial_has_neither_label_nor_time() -> None:
    (row,) = rows(f"{HEADER}\na.png,ann,,\n")
    assert isinstance(row, TrialRow) and (row.label, row.response_ms) == (None, None)


def test_without_positions_the_rows_of_each_annotator_are_counted() -> None:
    found = rows(f"{HEADER}\na,x,c,500\na,y,c,500\nb,x,c,500\nbad,x,c,-1\nc,x,c,500\n")
    assert [row.position for row in found if isinstance(row, TrialRow)] == [1, 1, 2, 3]


def test_with_start_times_the_order_in_time_counts() -> None:
    found = rows(f"{HEADER},started_at\na,x,c,500,2026-01-02\nb,x,c,500,2026-01-01\na,y,c,500,2026-01-03T00:00+02:00\n")
    assert [row.position for row in found if isinstance(row, TrialRow)] == [2, 1, 1]


def test_numbers_of_rows_are_those_of_the_lines() -> None:
    found = rows(f'{HEADER}\n\n"a\nb.png",x,c,500\n,x,c,500\n')
    assert [row.number for row in found] == [4, 5]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a,x,c,0", "response_ms 0 is no response time"),
        ("a,x,c,-5", "response_ms -5 is no response time"),
        ("a,x,c,nan", "response_ms nan is no response time"),
        ("a,x,c,inf", "response_ms inf is no response time"),
        ("a,x,c,fast", 'response_ms "fast" is no number'),
        ("a,x,,500", "A response time without a label"),
        (",x,c,500", "No item."),
        ("a,,c,500", "No annotator."),
        ("a,x,c", "3 values, but the first line names 4 columns."),
        ("a,x,c,1,5", "5 values, but the first line names 4 columns."),
    ],
)
def test_a_row_that_cannot_be_says_why(line: str, reason: str) -> None:
    assert problem(line).startswith(reason)


@pytest.mark.parametrize("position", ["", "0", "-1", "1.5", "one", "\u0663", "9" * 30])
def test_positions_are_whole_numbers_from_one(position: str) -> None:
    assert "is no whole number from 1 on" in problem(f"a,x,c,500,{position}", f"{HEADER},position")


def test_a_time_of_day_that_is_none_is_named() -> None:
    (found,) = rows(f"{HEADER},position,started_at\na,x,c,500,1,yesterday\n")
    assert isinstance(found, RowProblem) and 'started_at "yesterday"' in found.reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "The first line lacks item, annotator, label, response_ms; it holds nothing."),
        (b"item,annotator,label\n", "The first line lacks response_ms; it holds item, annotator, label."),
        (b"item,annotator,label,response_ms,item\n", "The first line holds item more than once."),
        ("item,annotator,label,response_ms\nü,x,c,5\n".encode("utf-16"), "The file is not UTF-8"),
        (b"item,annotator,label,response_ms\n" + b"a,x,c,500\n" * 9999 + b"\xe9,x,c,500\n", "Not UTF-8 after line"),
        (b'item,annotator,label,response_ms\n"' + b"a" * 200_000 + b'",x,c,5\n', "Line 2 cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(text: bytes, reason: str) -> None:
    with pytest.raises(BadFile, match=reason.replace(".", r"\.")):
        rows(text)


def test_the_typical_time_tells_seconds_from_milliseconds() -> None:
    reader = TrialsReader(io.BytesIO(f"{HEADER}\na,x,c,0.8\nb,x,c,1.2\nc,x,c,nan\nd,x,,\n".encode()))
    assert reader.survey().typical_ms == 1.0
    assert TrialsReader(io.BytesIO(f"{HEADER}\na,x,,\n".encode())).survey().typical_ms is None


names = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=20).map(str.strip).filter(bool)


@given(st.lists(st.tuples(names, names, names, st.floats(1, 1e6)), max_size=8))
def test_what_a_csv_writer_wrote_comes_back(trials: list[tuple[str, str, str, float]]) -> None:
    import unicodedata

    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER.split(","))
    writer.writerows(trials)
    found = [row for row in rows(text.getvalue()) if isinstance(row, TrialRow)]
    assert [(row.item, row.annotator, row.label, row.response_ms) for row in found] == [
        (unicodedata.normalize("NFC", item), annotator, label, time) for item, annotator, label, time in trials
    ]


@given(st.text(max_size=200))
def test_whatever_stands_in_a_file_rows_or_reasons_come_out(text: str) -> None:
    try:
        found = rows(f"{HEADER},position,started_at\n{text}".encode("utf-8", "replace"))
    except BadFile as reason:
        assert str(reason)
    else:
        assert all(row.reason if isinstance(row, RowProblem) else row.item for row in found)
