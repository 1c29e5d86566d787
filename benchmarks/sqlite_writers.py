"""Compare SQLite writers that wait in a fair line with Django's own backend.

Run: python benchmarks/sqlite_writers.py [--writers 8] [--transactions 150] [--threads]
Each writer does read-then-insert transactions on one file; printed are milliseconds a transaction.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
BACKENDS = {"stock": "django.db.backends.sqlite3", "in line": "hardness_site.sqlite"}


def configure(engine: str, path: str) -> None:
    """Set Django up with nothing but this database."""
    import django
    from django.conf import settings

    from hardness_site.settings.base import SQLITE_OPTIONS

    settings.configure(
        DATABASES={"default": {"ENGINE": engine, "NAME": path, "OPTIONS": SQLITE_OPTIONS, "CONN_MAX_AGE": None}}
    )
    django.setup()


def write(n: int, think_ms: float, rest_ms: float) -> tuple[list[float], int]:
    """Do `n` transactions; return their durations in ms and how many failed."""
    from django.db import OperationalError, connection, transaction

    durations, errors = [], 0
    for i in range(n):
        start = time.perf_counter()
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM answer WHERE item = %s", [i % 50])
                cursor.fetchone()
                cursor.execute("INSERT INTO answer (item, text) VALUES (%s, %s)", [i % 50, "x" * 500])
                time.sleep(think_ms / 1000)
        except OperationalError:
            errors += 1
        durations.append(1000 * (time.perf_counter() - start))
        time.sleep(rest_ms / 1000)
    connection.close()
    return durations, errors


def _process(engine: str, path: str, args: argparse.Namespace, results: multiprocessing.Queue) -> None:
    configure(engine, path)
    results.put(write(args.transactions, args.think_ms, args.rest_ms))


def run(name: str, args: argparse.Namespace) -> None:
    """Run all writers against one backend and print its line."""
    results: multiprocessing.Queue = multiprocessing.Queue()
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "writers.sqlite3")
        _create(path)
        start = time.perf_counter()
        outcomes: list[tuple[list[float], int]] = []
        if args.threads:
            configure(BACKENDS[name], path)
            workers = [
                threading.Thread(target=lambda: outcomes.append(write(args.transactions, args.think_ms, args.rest_ms)))
                for _ in range(args.writers)
            ]
        else:
            workers = [
                multiprocessing.Process(target=_process, args=(BACKENDS[name], path, args, results))
                for _ in range(args.writers)
            ]
        for worker in workers:
            worker.start()
        if not args.threads:
            outcomes = [results.get() for _ in workers]
        for worker in workers:
            worker.join()
        wall = time.perf_counter() - start
    durations = sorted(d for outcome in outcomes for d in outcome[0])
    errors = sum(outcome[1] for outcome in outcomes)
    at = lambda share: durations[min(len(durations) - 1, int(share * len(durations)))]  # noqa: E731
    print(
        f"{name:8} p50 {at(0.5):8.1f}  p95 {at(0.95):8.1f}  p99 {at(0.99):8.1f}  worst {durations[-1]:8.1f} ms  "
        f"{len(durations) / wall:7.0f} transactions/s  {errors} failed"
    )


def _create(path: str) -> None:
    import sqlite3

    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE answer (id integer PRIMARY KEY, item integer, text text)")


def main() -> None:
    """Compare the two backends, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--transactions", type=int, default=150)
    parser.add_argument("--think-ms", type=float, default=1.0, help="work inside the transaction")
    parser.add_argument("--rest-ms", type=float, default=10.0, help="pause between transactions")
    parser.add_argument("--threads", action="store_true", help="threads of one process instead of processes")
    args = parser.parse_args()
    print(f"{args.writers} {'threads' if args.threads else 'processes'}, {os.cpu_count()} cores")
    for name in BACKENDS:
        child = multiprocessing.get_context("spawn").Process(target=run, args=(name, args))
        child.start()
        child.join()


if __name__ == "__main__":
    main()
