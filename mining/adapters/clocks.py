"""When answers were given by the browser's clock and when they arrived by the server's, sitting by sitting."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from annotations.models import EventBatch, Project, Trial

LATEST_TRIALS = 20_000
MOST_SITTINGS, MOST_ANSWERS, FEWEST_ANSWERS = 60, 80, 30


def sittings_of(project: Project) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield (annotator id, client ms, server ms) of the latest sittings of thirty answers or more, in their order.

    Of each the last eighty answers, so that little of the events has to be read whatever the project's size.
    """
    rows = (
        Trial.objects.filter(project=project, source=Trial.Source.BROWSER, state=Trial.State.ANSWERED)
        .filter(session__isnull=False, received_at__isnull=False)
        .order_by("-pk").values_list("pk", "session_id", "annotator_id", "received_at")[:LATEST_TRIALS]
    )  # fmt: skip
    sittings: dict[int, list[tuple[int, int, float]]] = {}
    for pk, session, annotator, received in rows.iterator(chunk_size=5000):
        of = sittings.setdefault(session, [])
        if len(of) < MOST_ANSWERS and received is not None:
            of.append((pk, annotator, received.timestamp() * 1000))
    kept = [of for of in sittings.values() if len(of) >= FEWEST_ANSWERS][:MOST_SITTINGS]
    given = _decisions([pk for of in kept for pk, _, _ in of])
    for of in kept:
        pairs = sorted((server, given[pk]) for pk, _, server in of if pk in given)
        if pairs:
            server_ms, client_ms = np.array(pairs).T
            order = np.argsort(client_ms, kind="stable")
            yield of[0][1], client_ms[order], server_ms[order]


def _decisions(trial_ids: list[int]) -> dict[int, float]:
    """Return trial id -> when the answer was given, in ms on the page's clock."""
    found: dict[int, float] = {}
    for start in range(0, len(trial_ids), 900):
        batches = EventBatch.objects.filter(trial__in=trial_ids[start : start + 900], is_correction=False)
        for trial, events in batches.values_list("trial_id", "events").iterator(chunk_size=300):
            for event in events:
                if isinstance(event, dict) and event.get("kind") == "decision":
                    moment = event.get("t")
                    if isinstance(moment, int | float):
                        found.setdefault(trial, float(moment))
    return found
