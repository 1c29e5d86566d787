"""Trials in a CSV file: columns `item,annotator,label,response_ms[,position,session,started_at]`, others ignored."""

from __future__ import annotations

import csv
import io
import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from .times_survey import TimesSurvey, survey_times

REQUIRED = ("item", "annotator", "label", "response_ms")
OPTIONAL = ("position", "session", "started_at")
DELIMITERS = (",", ";", "\t")
MAX_NAME_LENGTH = 150
MAX_SESSION_LENGTH = 100
MAX_POSITION = 2_000_000_000


class BadFile(Exception):
    """The file as a whole cannot be taken; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One trial. `number` is its line as spreadsheets count them: the header is 1.

    Without a label and a response time the trial was missed. `position` is 1-based in the annotator's order.
    """

    number: int
    item: str
    annotator: str
    label: str | None
    response_ms: float | None
    position: int
    session: str = ""
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A row that was not taken, and why."""

    number: int
    reason: str


class TrialsReader:
    """Reads the rows of a file that can be read more than once. Raises BadFile for its header or encoding."""

    def __init__(self, file: BinaryIO) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        header = self._first_line()
        self._delimiter = max(DELIMITERS, key=header.count)
        self.columns = next(csv.reader([header], delimiter=self._delimiter), [])
        self.columns = [column.strip() for column in self.columns]
        missing = [name for name in REQUIRED if name not in self.columns]
        if missing:
            found = ", ".join(self.columns) or "nothing"
            raise BadFile(f"The first line lacks {', '.join(missing)}; it holds {found}.")
        doubled = sorted({name for name in (*REQUIRED, *OPTIONAL) if self.columns.count(name) > 1})
        if doubled:
            raise BadFile(f"The first line holds {', '.join(doubled)} more than once.")
        self.unknown_columns = [name for name in self.columns if name not in (*REQUIRED, *OPTIONAL)]
        self._at = {name: self.columns.index(name) for name in (*REQUIRED, *OPTIONAL) if name in self.columns}

    def close(self) -> None:
        """Leave the file to whoever opened it."""
        self._text.detach()

    def count(self) -> int:
        """Return how many rows there are."""
        return sum(1 for _ in self._rows())

    def survey(self) -> TimesSurvey:
        """Look at the times before any is written; rows that will be refused anyway are passed over."""
        return survey_times(self._times())

    def _times(self) -> Iterator[tuple[str, float, float]]:
        at_time, at_who, at_place = (self._at.get(name) for name in ("response_ms", "annotator", "position"))
        assert at_time is not None and at_who is not None
        for number, values in self._rows():
            try:
                value = float(values[at_time])
                place = float(number if at_place is None else values[at_place])
            except (ValueError, IndexError):
                continue
            if math.isfinite(value) and value > 0 and math.isfinite(place):
                yield values[at_who].strip(), place, value

    def __iter__(self) -> Iterator[TrialRow | RowProblem]:
        """Yield every row. Without a `position` column the order in time counts, without times the order of rows."""
        by_time = self._positions_by_time() if "position" not in self._at and "started_at" in self._at else None
        seen: dict[str, int] = {}
        for index, (number, values) in enumerate(self._rows()):
            try:
                row = self._row(number, values)
            except ValueError as reason:
                yield RowProblem(number, str(reason))
                continue
            seen[row.annotator] = seen.get(row.annotator, 0) + 1
            if "position" not in self._at:
                position = by_time[index] if by_time is not None else seen[row.annotator]
                row = TrialRow(
                    number, row.item, row.annotator, row.label, row.response_ms, position, row.session, row.started_at
                )
            yield row

    def _first_line(self) -> str:
        try:
            self._text.seek(0)
            return self._text.readline()
        except UnicodeDecodeError:
            raise BadFile("The file is not UTF-8: save it as CSV in UTF-8.") from None

    def _rows(self) -> Iterator[tuple[int, Sequence[str]]]:
        self._text.seek(0)
        reader = csv.reader(self._text, delimiter=self._delimiter)
        try:
            next(reader, None)
            for values in reader:
                if any(value.strip() for value in values):
                    yield reader.line_num, values
        except UnicodeDecodeError:
            raise BadFile(f"Not UTF-8 after line {reader.line_num}: save the file as CSV in UTF-8.") from None
        except csv.Error as error:
            raise BadFile(f"Line {reader.line_num} cannot be read: {error}.") from None

    def _positions_by_time(self) -> list[int]:
        starts: list[tuple[str, datetime, int]] = []
        positions: list[int] = []
        for index, (number, values) in enumerate(self._rows()):
            positions.append(0)
            try:
                row = self._row(number, values)
            except ValueError:
                continue
            if row.started_at is None:
                raise BadFile(f"Row {number} has no started_at: give all of them, or a position column.")
            starts.append((row.annotator, row.started_at, index))
        last, position = "", 0
        for annotator, _, index in sorted(starts):
            last, position = annotator, position + 1 if annotator == last else 1
            positions[index] = position
        return positions

    def _row(self, number: int, values: Sequence[str]) -> TrialRow:
        if len(values) != len(self.columns):
            raise ValueError(f"{len(values)} values, but the first line names {len(self.columns)} columns.")

        def text(name: str) -> str:
            return values[self._at[name]].strip() if name in self._at else ""

        item, annotator, label = text("item"), text("annotator"), text("label")
        if not item or not annotator:
            raise ValueError(f"No {'annotator' if item else 'item'}.")
        if len(annotator) > MAX_NAME_LENGTH or len(text("session")) > MAX_SESSION_LENGTH:
            raise ValueError("The name of the annotator or the session is too long.")
        if "\x00" in "".join(values):
            raise ValueError("It holds a NUL character.")
        response_ms = _positive(text("response_ms"))
        if response_ms is not None and not label:
            raise ValueError("A response time without a label: leave both empty for a trial that was missed.")
        return TrialRow(
            number=number,
            item=unicodedata.normalize("NFC", item),
            annotator=annotator,
            label=label or None,
            response_ms=response_ms,
            position=_position(text("position")) if "position" in self._at else 1,
            session=text("session"),
            started_at=_moment(text("started_at")),
        )


def _positive(text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f'response_ms "{text[:40]}" is no number: give milliseconds with a decimal point.') from None
    if not math.isfinite(value) or value <= 0:
        raise ValueError(f"response_ms {text[:40]} is no response time: give milliseconds above 0, or leave it empty.")
    return value


def _position(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:20]) <= MAX_POSITION:
        raise ValueError(f'position "{text[:40]}" is no whole number from 1 on.')
    return int(text)


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f'started_at "{text[:40]}" is no time: write it like 2026-01-31T14:05:09Z.') from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
