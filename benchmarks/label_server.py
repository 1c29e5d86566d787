"""How many answers a second the server takes, and how quickly, beside a bare Django view in the same run.

The yardstick is a signed-in view that does one INSERT and one SELECT. An answer writes the trial, its events, the
annotation and the counts, takes the next item, and reads what the annotator holds: all in one request. Both are served
by the same gunicorn on the embedded default (SQLite, every commit synced), to eight people at once and to one alone.

    python benchmarks/label_server.py --items 1000 1000000 --seconds 8
    python benchmarks/label_server.py --postgresql

The two take turns; their ratio is that of each pair of turns, and the median of those is printed: what else the machine
does changes both. `--postgresql` starts an embedded server.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
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


class Person:
    """A client that keeps its connection, as a browser does."""

    def __init__(self, cookie: str, slug: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        self.headers = {"Cookie": cookie, "X-CSRFToken": "a" * 32, "Content-Type": "application/json"}
        self.base = f"/api/v1/projects/{slug}/trials/"
        self.session = str(uuid.uuid4())
        self.waiting: list[int] = []
        self.given: list[tuple[int, int]] = []

    def post(self, path: str, body: dict) -> dict:
        self.connection.request("POST", path, json.dumps(body), self.headers)
        response = self.connection.getresponse()
        data = response.read()
        if response.status != 200:
            raise RuntimeError(f"{path}: {response.status} {data[:300]!r}")
        return json.loads(data)

    def begin(self) -> None:
        reply = self.post(self.base + "next", {"session": {"key": self.session}, "want": 5})
        self.take(reply)

    def take(self, reply: dict) -> None:
        self.waiting += [lease["trial"] for lease in reply["next"]]
        self.given += [(lease["trial"], lease["item"]) for lease in reply["next"]]

    def label(self) -> None:
        trial = self.waiting.pop(0)
        kinds = [
            "issued",
            "fetch_start",
            "fetch_end",
            "decoded",
            "placed",
            "onset",
            "input",
            "key_down",
            "decision",
            "key_up",
        ]
        body = {
            "client_key": str(uuid.uuid4()),
            "session": self.session,
            "label": trial % 10,
            "events": [{"t": 1000.0 + 100 * i, "kind": kind} for i, kind in enumerate(kinds)],
            "holding": self.waiting,
            "want": 5 - len(self.waiting),
        }
        self.take(self.post(f"{self.base}{trial}/answer", body))

    def bare(self) -> None:
        self.post("/bare/", {"text": "x"})


def drive(cookies: list[str], slug: str, what: str, seconds: float, out: multiprocessing.Queue) -> None:
    """Let the people work side by side, from a process of their own; report latencies in ms and items handed out."""
    persons = [Person(cookie, slug) for cookie in cookies]
    if what == "label":
        for person in persons:
            person.begin()
    latencies: list[list[float]] = [[] for _ in persons]
    end = time.perf_counter() + seconds

    def work(i: int) -> None:
        verb = getattr(persons[i], what)
        while (start := time.perf_counter()) < end and (what == "bare" or persons[i].waiting):
            verb()
            latencies[i].append((time.perf_counter() - start) * 1000)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(persons))]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    out.put(
        (
            [each for person in latencies for each in person],
            time.perf_counter() - start,
            [person.given for person in persons],
        )
    )


def measure(
    cookies: list[str], slug: str, what: str, seconds: float
) -> tuple[float, float, float, list[list[tuple[int, int]]]]:
    """Return requests a second, median and 95th percentile in ms, and the items handed out to each person."""
    out: multiprocessing.Queue = multiprocessing.get_context("spawn").Queue()
    process = multiprocessing.get_context("spawn").Process(target=drive, args=(cookies, slug, what, seconds, out))
    process.start()
    latencies, took, given = out.get(timeout=seconds + 120)
    process.join()
    ordered = sorted(latencies)
    return len(latencies) / took, statistics.median(ordered), ordered[int(0.95 * len(ordered))], given


def main() -> None:
    """Print rates and latencies for each number of items."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, nargs="+", default=[1000, 1_000_000])
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--turns", type=int, default=3, help="bare and label take turns so often")
    parser.add_argument("--postgresql", action="store_true", help="on PostgreSQL, not on SQLite")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
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
        os.environ["DATABASE_URL"] = url
        run(options)


def run(options: argparse.Namespace) -> None:
    """Serve a fresh database and print what it takes."""
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
        for n_items, (slug, cookies) in crowds.items():
            report(n_items, slug, cookies, options)
    finally:
        server.terminate()
        server.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def report(n_items: int, slug: str, cookies: list[str], options: argparse.Namespace) -> None:
    measure(cookies, slug, "bare", 1.0)
    measure(cookies, slug, "label", 1.0)
    bare, label = [], []
    given: list[list[tuple[int, int]]] = [[] for _ in cookies]
    for _ in range(options.turns):
        bare.append(measure(cookies, slug, "bare", options.seconds))
        label.append(measure(cookies, slug, "label", options.seconds))
        given = [a + b for a, b in zip(given, label[-1][3], strict=True)]
    # What a person still had from the turn before comes again as the same trial: that is not twice.
    items = [[item for _, item in set(pairs)] for pairs in given]
    twice = sum(len(each) - len(set(each)) for each in items)
    one_bare = measure(cookies[:1], slug, "bare", options.seconds / 2)
    one = measure(cookies[:1], slug, "label", options.seconds / 2)

    def median(runs: list, i: int) -> float:
        return statistics.median(run[i] for run in runs)

    ratio = statistics.median(answers[0] / yardstick[0] for answers, yardstick in zip(label, bare, strict=True))
    rates = f"bare view {median(bare, 0):.0f}/s, answers {median(label, 0):.0f}/s = {ratio:.0%} (at least 60 %)"
    print(f"{n_items:>9,} items, {PEOPLE} people: {rates}")
    for name, runs in (("answers", label), ("bare", bare)):
        print(f"{'':>9} {name}: p50 {median(runs, 1):.1f} ms, p95 {median(runs, 2):.1f} ms")
    print(f"{'':>9} one person: p50 {one[1]:.2f} ms, p95 {one[2]:.2f} ms (bare {one_bare[1]:.2f}, {one_bare[2]:.2f})")
    print(f"{'':>9} handed to the same person twice: {twice} of {sum(map(len, items)):,}", flush=True)


if __name__ == "__main__":
    main()
