"""How many answers a second the server takes, and how quickly, beside a bare Django view in the same run.

The yardstick is a signed-in view that does one INSERT and one SELECT. An answer writes the trial, its events, the
annotation and the counts, takes the next item, and reads what the annotator holds: all in one request. Both are served
by the same gunicorn on the embedded default (SQLite, every commit synced), to eight people at once and to one alone.

    python benchmarks/label_server.py --items 1000 1000000
    python benchmarks/label_server.py --postgresql

The two take many short turns, each pair in the other order than the pair before, and the small and the large project
take turns too. Their ratio is that of each pair: what else the machine does changes both. Printed are medians over the
turns, and between which values half of them lie. Processor time is the server's (with PostgreSQL's, where that is).
`--postgresql` starts an embedded server.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

# Behind the line that lets it be found where the file is run by its name.
from benchmarks.label_people import Crowd, Turn, cpu_seconds, sync_ms  # noqa: E402

PEOPLE = 8
PORT = int(os.environ.get("PORT", "8765"))
SERVER = ["--workers", "2", "--threads", "8", "--worker-class", "gthread", "--keep-alive", "75", "--log-level", "error"]


def seed(n_items: int, slug: str) -> None:
    """Make a project of `n_items` items by two statements, whatever their number."""
    from django.db import connection

    from annotations.models import Item, LabelClass, Project

    project = Project.objects.create(slug=slug, name=slug, overlap=PEOPLE, n_items=n_items)
    LabelClass.objects.bulk_create(LabelClass(project=project, code=i, name=str(i), key=str(i)) for i in range(10))
    numbers = (
        f"SELECT value AS n FROM generate_series(0, {n_items - 1}) AS t(value)"
        if connection.vendor == "postgresql"
        else f"WITH RECURSIVE t(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM t WHERE n < {n_items - 1}) SELECT n FROM t"
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(MAX(id), 0) FROM annotations_image")
        first = cursor.fetchone()[0] + 1
        cursor.execute("SELECT * FROM annotations_image LIMIT 0")
        display = ", display" if "display" in [column[0] for column in cursor.description] else ""
        empty = ", ''" if display else ""
        cursor.execute(
            "INSERT INTO annotations_image (id, sha256, file, thumbnail, media_type, width, height, n_bytes, created_at"
            f"{display}) SELECT {first} + n, '{slug}-' || n, 'x', 'x', 'image/png', 8, 8, 1, CURRENT_TIMESTAMP{empty} "
            f"FROM ({numbers}) AS numbers"
        )
        cursor.execute(
            "INSERT INTO annotations_item (project_id, image_id, ordinal, path, needed, taken, answered, skipped, "
            "priority, look, created_at, role, unmatched) "
            f"SELECT {project.pk}, {first} + n, n, 'image-' || n, {PEOPLE}, 0, 0, 0, 0, 1, "
            f"CURRENT_TIMESTAMP, '', FALSE FROM ({numbers}) AS numbers"
        )
        cursor.execute("ANALYZE")
    assert Item.objects.filter(project=project).count() == n_items


def people(slug: str) -> list[str]:
    """Return the cookie headers of eight signed-in members."""
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    from annotations.models import Membership, Project

    project = Project.objects.get(slug=slug)
    cookies = []
    for number in range(PEOPLE):
        user, _ = get_user_model().objects.get_or_create(username=f"person-{number}")
        Membership.objects.get_or_create(project=project, user=user)
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        token = "a" * 32
        cookies.append(
            f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}; csrftoken={token}"
        )
    return cookies


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def main() -> None:
    """Print rates and latencies for each number of items."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, nargs="+", default=[1000, 1_000_000])
    parser.add_argument("--seconds", type=float, default=1.5, help="length of a turn")
    parser.add_argument("--turns", type=int, default=12, help="pairs of turns of each kind")
    parser.add_argument("--postgresql", action="store_true", help="on PostgreSQL, not on SQLite")
    options = parser.parse_args()
    if not options.postgresql:
        run(options)
        return
    import psycopg

    from tests.postgres import embedded_postgres

    with embedded_postgres(Path(tempfile.mkdtemp(prefix="label-server-pg-"))) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            # As in production: what was acknowledged survives a power cut.
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(f"ALTER SYSTEM RESET {setting}")
            connection.execute("SELECT pg_reload_conf()")
            database = _parent(connection.info.backend_pid)
        os.environ["DATABASE_URL"] = url
        run(options, database)


def run(options: argparse.Namespace, database: int | None = None) -> None:
    """Serve a fresh database and print what it takes. `database`: the process of its server."""
    folder = tempfile.mkdtemp(prefix="label-server-")
    os.environ["HARDNESS_DATA_DIR"] = folder
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.bare_settings"
    import django
    from django.core.management import call_command
    from django.db import connections

    django.setup()
    call_command("migrate", verbosity=0)
    from hardness_site.jobs.models import Job

    Job.objects.get_or_create(kind="bare", title="bare", scope="bare")
    crowds = {}
    for n_items in options.items:
        slug = f"items-{n_items}-{uuid.uuid4().hex[:6]}"
        seed(n_items, slug)
        crowds[n_items] = (slug, people(slug))
    connections.close_all()
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "hardness_site.wsgi:application", "--bind", f"127.0.0.1:{PORT}", *SERVER],
        cwd=ROOT, env=os.environ.copy(),
    )  # fmt: skip
    try:
        time.sleep(4)
        crowd = {n_items: Crowd(PORT, cookies, slug) for n_items, (slug, cookies) in crowds.items()}
        measured = take_turns(crowd, options, [server.pid] + ([database] if database else []), Path(folder))
        for n_items in options.items:
            report(n_items, measured, crowd[n_items])
        compare_sizes(options.items, measured)
        for each in crowd.values():
            each.end()
    finally:
        server.terminate()
        server.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Pair:
    """A turn of the bare view and one of answers right beside it, with the processor ms a request of each."""

    bare: Turn
    label: Turn
    bare_cpu_ms: float
    label_cpu_ms: float
    sync_ms: list[float]
    """The disk alone, right before."""

    @property
    def share(self) -> float:
        """The answers' share of the bare view's rate."""
        return self.label.rate / self.bare.rate


Measured = dict[tuple[int, int], list[Pair]]
"""By number of items and number of people."""


def take_turns(crowds: dict[int, Crowd], options: argparse.Namespace, pids: list[int], folder: Path) -> Measured:
    """Let all kinds of turns follow one another again and again, so that none has the machine's better minutes."""
    kinds = [(n_items, people) for n_items in crowds for people in (PEOPLE, 1)]
    for n_items, people in kinds:  # what is compiled, planned and read the first time
        for what in ("bare", "label"):
            crowds[n_items].turn(what, 0.5, people=people)
    measured: Measured = {kind: [] for kind in kinds}
    for number in range(options.turns):
        for n_items, people in kinds:
            turns, cpu_ms, syncs = {}, {}, sync_ms(folder)
            seconds = options.seconds if people > 1 else options.seconds / 3
            for what in ("bare", "label") if number % 2 else ("label", "bare"):
                before = cpu_seconds(pids)
                turns[what] = crowds[n_items].turn(what, seconds, people=people, first=number % PEOPLE)
                cpu_ms[what] = (cpu_seconds(pids) - before) * 1000 / len(turns[what].latencies_ms)
            pair = Pair(turns["bare"], turns["label"], cpu_ms["bare"], cpu_ms["label"], syncs)
            measured[n_items, people].append(pair)
    return measured


def spread(values: list[float], form: str) -> str:
    """Return the median of a figure, and its quarters: half of the turns lie between them."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return f"{middle:{form}} ({low:{form}} to {high:{form}})"


def report(n_items: int, measured: Measured, crowd: Crowd) -> None:
    """Print what eight people and one got, in medians over the turns."""
    pairs = measured[n_items, PEOPLE]
    shares = spread([pair.share for pair in pairs], ".0%")
    print(f"{n_items:>9,} items, {PEOPLE} people, {len(pairs)} pairs of turns; medians, in brackets half of the turns")
    print(f"{'':>9} share of the bare view's rate: {shares}, at least 60 %")
    for what in ("bare", "label"):
        turns = [getattr(pair, what) for pair in pairs]
        cpu = spread([getattr(pair, f"{what}_cpu_ms") for pair in pairs], ".2f")
        print(f"{'':>9} {what:<5} {spread([t.rate for t in turns], '.0f')}/s, {latency(turns)}, processor {cpu} ms")
    alone = measured[n_items, 1]
    for what in ("bare", "label"):
        print(f"{'':>9} one person: {what:<5} {latency([getattr(pair, what) for pair in alone])}")
    syncs = spread([statistics.median(pair.sync_ms) for pair in alone], ".2f")
    print(f"{'':>9} the disk alone, to keep what one answer writes: p50 {syncs} ms")
    # What a person still had from the turn before comes again as the same trial: that is not twice.
    given = crowd.turn("label", 0.0, people=1).given
    items = [[item for _, item in set(own)] for own in given]
    twice = sum(len(each) - len(set(each)) for each in items)
    print(f"{'':>9} handed to the same person twice: {twice} of {sum(map(len, items)):,}", flush=True)


def latency(turns: list[Turn]) -> str:
    """Return the median latency of a turn, and the 95th percentile of all."""
    everything = sorted(each for turn in turns for each in turn.latencies_ms)
    middle = spread([statistics.median(turn.latencies_ms) for turn in turns], ".2f")
    return f"p50 {middle} ms, p95 {everything[int(0.95 * len(everything))]:.1f} ms"


def compare_sizes(sizes: list[int], measured: Measured) -> None:
    """Print how much longer an answer takes among the most items than among the fewest."""
    few, many = min(sizes), max(sizes)
    for people in (PEOPLE, 1) if many > few else ():
        ratios = [
            statistics.median(b.label.latencies_ms) / statistics.median(a.label.latencies_ms)
            for a, b in zip(measured[few, people], measured[many, people], strict=True)
        ]
        print(f"p50 at {many:,} over {few:,} items, {people} people: {spread(ratios, '.2f')}, at most 1.2", flush=True)


if __name__ == "__main__":
    main()
